"""The engine, its sessions, and the connections that they take."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack
from types import SimpleNamespace
from typing import Any

import pytest
from sqlalchemy import URL, event, text
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from bot.db.drivers import sqlite
from bot.db.engine import POSTGRESQL_POOL_SIZE, SQLITE_POOL_SIZE, Database, GivenUp
from bot.db.models import DailyTask, Hero, utcnow
from bot.db.open import open_database
from bot.roster.adding import add_hero
from bot.roster.asker import Asker
from bot.roster.lookup import Wanted, find_hero
from bot.roster.quota import Quota, lock_members
from bot.roster.vault import Vault
from tests.support.heroes import stored_hero

ANN = Asker(2, 1)


@pytest.fixture
async def db(url: URL) -> AsyncGenerator[Database]:
    """One where nobody meets a limit."""
    database = await open_database(url, info={"quota": Quota(1_000, 1_000)})
    yield database
    await database.dispose()


async def add(session: AsyncSession, name: str) -> Hero:
    return await add_hero(session, ANN, Vault(), name=name, secret_name="x")


def note(name: str) -> DailyTask:
    return DailyTask(name=name, started_at=utcnow())


async def test_a_block_that_fails_leaves_nothing_behind(db: Database) -> None:
    with pytest.raises(ZeroDivisionError):
        async with db.write() as session:
            # In use, so that the block itself stores the hero.
            await session.connection()
            await add(session, "Deadpond")
            raise ZeroDivisionError

    async with db.write() as session:
        await add(session, "Deadpond")
    async with db.read() as session:
        assert len((await session.exec(select(Hero))).all()) == 1


async def test_many_writers_queue_and_all_succeed(db: Database) -> None:
    async def write(number: int) -> None:
        async with db.write() as session:
            session.add(note(f"Note {number}"))

    await asyncio.gather(*(write(number) for number in range(100)))

    async with db.read() as session:
        assert len((await session.exec(select(DailyTask.name))).all()) == 100


@pytest.mark.parametrize("url", ["sqlite"], indirect=True)
async def test_writers_of_sqlite_queue_here_and_are_served_in_order(db: Database) -> None:
    async with AsyncExitStack() as stack:
        # From here on no writer waits for a connection to be made.
        for _ in range(SQLITE_POOL_SIZE):
            await (await stack.enter_async_context(db.read())).connection()
    writers = range(SQLITE_POOL_SIZE + 3)
    order: list[int] = []
    begun: list[object] = []
    most = 0

    def begins(connection: object) -> None:
        nonlocal most
        begun.append(connection)
        most = max(most, len(begun))

    event.listen(db.engine.sync_engine, "begin", begins)
    event.listen(db.engine.sync_engine, "commit", begun.remove)

    async def write(number: int) -> None:
        # Who comes again waits behind those who wait already.
        for again in range(2):
            async with db.write() as session:
                await session.connection()
                order.append(number)
                session.add(note(f"Note {number} {again}"))

    async with asyncio.timeout(10):
        await asyncio.gather(*map(write, writers))

    assert most == 1
    assert order == [*writers, *writers]


async def test_many_who_add_at_once_all_succeed(db: Database) -> None:
    async def write(number: int) -> None:
        async with db.write() as session:
            await add(session, f"Hero {number}")

    await asyncio.gather(*(write(number) for number in range(100)))

    async with db.read() as session:
        assert len((await session.exec(select(Hero.id))).all()) == 100


async def test_who_waits_for_a_connection_gets_it_before_who_comes_anew(db: Database) -> None:
    connections = SQLITE_POOL_SIZE if db.is_sqlite else POSTGRESQL_POOL_SIZE
    order: list[str] = []
    all_taken, all_wait = asyncio.Barrier(connections + 1), asyncio.Event()

    async def use(name: str) -> None:
        async with db.read() as session:
            await session.connection()
            order.append(name)
            await session.exec(select(1))

    async def hold() -> None:
        async with db.read() as session:
            await session.exec(select(1))
            await all_taken.wait()
            await all_wait.wait()
        await use("again")

    async with asyncio.timeout(10), asyncio.TaskGroup() as group:
        for _ in range(connections):
            group.create_task(hold())
        await all_taken.wait()
        for _ in range(connections):
            group.create_task(use("waited"))
        # They begin to wait.
        await asyncio.sleep(0)
        all_wait.set()

    assert order == ["waited"] * connections + ["again"] * connections


@pytest.mark.parametrize("new_url", ["postgresql"], indirect=True)
async def test_what_was_committed_meanwhile_is_counted_whatever_the_server_would_rather(new_url: URL) -> None:
    before = await open_database(new_url)
    async with before.engine.connect() as connection:
        await connection.execute(
            text(f"ALTER DATABASE {new_url.database} SET default_transaction_isolation = 'repeatable read'")
        )
        await connection.commit()
    await before.dispose()

    database = await open_database(new_url)
    async with database.write() as session:
        connection = await session.connection()
        assert (await connection.execute(text("SHOW transaction_isolation"))).scalar() == "read committed"
    async with database.write() as session:
        await lock_members(session, 1)
        connection = await session.connection()
        assert (await connection.execute(text("SHOW transaction_isolation"))).scalar() == "read committed"
    await database.dispose()


@pytest.mark.parametrize("url", ["postgresql"], indirect=True)
async def test_connections_that_the_server_dropped_are_replaced_unnoticed(db: Database) -> None:
    await stored_hero(db, "Deadpond")
    hung_up = asyncio.Event()

    def hangs_up(_connection: object) -> None:
        hung_up.set()

    async with db.engine.connect() as connection:
        driver: Any = (await connection.get_raw_connection()).driver_connection
        driver.add_termination_listener(hangs_up)

    other = Database(db.engine.url)
    async with other.engine.connect() as connection:
        dropped = await connection.exec_driver_sql(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            "WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
        assert len(dropped.all()) == 1
    await other.dispose()
    # It hangs up when it gets to it.
    async with asyncio.timeout(10):
        await hung_up.wait()

    async with db.read() as session:
        assert (await find_hero(session, ANN, Wanted("Deadpond"))).owner_id == 2


async def test_a_session_that_is_never_used_takes_no_connection(db: Database) -> None:
    connections = SQLITE_POOL_SIZE if db.is_sqlite else POSTGRESQL_POOL_SIZE
    taken: list[object] = []
    event.listen(db.engine.sync_engine, "checkout", lambda *about: taken.append(about))

    async with asyncio.timeout(10), AsyncExitStack() as stack:
        for _ in range(connections + 1):
            await stack.enter_async_context(db.read())
            # On SQLite one writer at a time gets further than this.
            await stack.enter_async_context(db.write())
        assert taken == []
        async with db.write() as session:
            session.add(note("meanwhile"))

    assert len(taken) == 1


async def test_a_connection_is_given_back_with_its_session(db: Database) -> None:
    connections = SQLITE_POOL_SIZE if db.is_sqlite else POSTGRESQL_POOL_SIZE
    for _ in range(connections + 1):
        with pytest.raises(ZeroDivisionError):
            async with asyncio.timeout(10), db.read() as session:
                await session.exec(select(1))
                raise ZeroDivisionError
        with pytest.raises(ZeroDivisionError):
            async with asyncio.timeout(10), db.write() as session:
                await session.exec(select(1))
                raise ZeroDivisionError


async def test_who_gets_no_connection_in_time_is_told(db: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    connections = SQLITE_POOL_SIZE if db.is_sqlite else POSTGRESQL_POOL_SIZE
    async with AsyncExitStack() as stack:
        for _ in range(connections):
            await (await stack.enter_async_context(db.read())).exec(select(1))
        monkeypatch.setattr("bot.db.engine.MAX_WAIT_SECONDS", 0.1)
        for block in (db.read, db.write):
            with pytest.raises(TimeoutError) as refused:
                async with block() as session:
                    await session.exec(select(1))
            assert not isinstance(refused.value, GivenUp)


@pytest.mark.parametrize("how", ["statement", "at the end of the block"])
async def test_a_write_that_began_no_transaction_fails_loudly(
    db: Database, how: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    database = await without_begin(db, monkeypatch)

    with pytest.raises(RuntimeError, match="has begun no transaction"):
        async with database.write() as session:
            session.add(note("lost"))
            if how == "statement":
                await session.flush()
    await database.dispose()


async def without_begin(db: Database, monkeypatch: pytest.MonkeyPatch) -> Database:
    """As after an upgrade of a library that no longer begins a transaction as we ask."""
    if not db.is_sqlite:
        database = Database(db.engine.url)
        database.engine = database.engine.execution_options(isolation_level="AUTOCOMMIT")
        return database

    def listen(target: Any, name: str, listener: Any) -> None:
        if name != "begin":
            event.listen(target, name, listener)

    monkeypatch.setattr(sqlite, "event", SimpleNamespace(listen=listen))
    return Database(db.engine.url)


@pytest.mark.parametrize("url", ["sqlite"], indirect=True)
async def test_a_write_whose_transaction_pythons_driver_began_fails_loudly(
    db: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As after an upgrade that calls none of our hooks."""

    def listen(_engine: object, _lock_wait_seconds: float) -> None:
        """Set up nothing."""

    monkeypatch.setattr(sqlite, "listen", listen)
    database = Database(db.engine.url)

    with pytest.raises(RuntimeError, match="has begun no transaction"):
        async with database.write() as session:
            session.add(note("begun late"))
    await database.dispose()
    async with db.read() as session:
        assert (await session.exec(select(col(DailyTask.name)))).all() == []


async def test_a_write_that_only_read_ends_well(db: Database) -> None:
    async with db.write() as session:
        await session.exec(select(1))
    async with db.write() as session:
        session.add(note("rolled back"))
        await session.rollback()
    async with db.write():
        pass
    async with db.read() as session:
        assert (await session.exec(select(col(DailyTask.name)))).all() == []
