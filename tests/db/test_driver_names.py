"""What our drivers rely on in other libraries: an upgrade that changes it fails here, and loudly."""

# ruff: noqa: SLF001
# pyright: reportPrivateUsage=false

import asyncio
import inspect
import logging
from collections.abc import AsyncGenerator
from typing import Any

import aiosqlite
import pytest
import sqlalchemy.util.concurrency
from sqlalchemy import URL, event
from sqlalchemy.dialects.sqlite import aiosqlite as dialect
from sqlalchemy.exc import OperationalError
from sqlalchemy.ext.asyncio import AsyncEngine
from sqlalchemy.orm import Session
from sqlmodel import col, select

from bot.db.drivers import sqlite
from bot.db.drivers.session import LazySession
from bot.db.drivers.sqlite import DriverConnection
from bot.db.engine import Database
from bot.db.models import Hero
from bot.db.open import open_database
from bot.roster.adding import add_hero
from bot.roster.asker import Asker
from bot.roster.errors import NameTakenError
from bot.roster.lookup import Wanted, find_hero
from bot.roster.quota import Quota, TooManyHeroesError
from bot.roster.vault import Vault
from tests.endurance.load import locked


def parameters(function: Any) -> list[str]:
    return list(inspect.signature(function).parameters)


@pytest.mark.parametrize(
    ("owner", "name", "takes"),
    [
        (aiosqlite.Connection, "_execute", ["self", "fn", "args", "kwargs"]),
        (aiosqlite.Connection, "close", ["self"]),
        (dialect.AsyncAdapt_aiosqlite_dbapi, "__init__", ["self", "aiosqlite", "sqlite"]),
        (dialect.AsyncAdapt_aiosqlite_dbapi, "connect", ["self", "arg", "kw"]),
        (dialect.AsyncAdapt_aiosqlite_connection, "__init__", ["self", "dbapi", "connection"]),
        (dialect.AsyncAdapt_aiosqlite_connection, "rollback", ["self"]),
        (dialect.AsyncAdapt_aiosqlite_connection, "commit", ["self"]),
        (dialect.AsyncAdapt_aiosqlite_connection, "terminate", ["self"]),
        (dialect.AsyncAdapt_aiosqlite_connection, "_terminate_graceful_close", ["self"]),
        (dialect.AsyncAdapt_aiosqlite_connection, "_terminate_force_close", ["self"]),
        (dialect.AsyncAdapt_aiosqlite_cursor, "_make_new_cursor", ["self", "connection"]),
        (dialect.AsyncAdapt_aiosqlite_cursor, "_aenter_cursor", ["self", "cursor"]),
        (dialect.AsyncAdapt_aiosqlite_cursor, "_execute_async", ["self", "operation", "parameters"]),
        (
            dialect.AsyncAdapt_aiosqlite_cursor,
            "_executemany_async",
            ["self", "operation", "seq_of_parameters"],
        ),
        (sqlalchemy.util.concurrency, "await_", None),
        (sqlalchemy.util.concurrency, "in_greenlet", []),
        (Session, "get_bind", None),
    ],
)
def test_what_is_called_or_overridden_is_there(owner: Any, name: str, takes: list[str] | None) -> None:
    function = getattr(owner, name)

    assert callable(function)
    assert takes is None or parameters(function) == takes


def test_what_the_classes_name_is_there() -> None:
    assert dialect.AsyncAdapt_aiosqlite_connection._cursor_cls is dialect.AsyncAdapt_aiosqlite_cursor
    assert dialect.AsyncAdapt_aiosqlite_cursor._awaitable_cursor_close is True


async def test_what_connections_and_cursors_hold_is_there(tmp_path_url: URL) -> None:
    database = Database(tmp_path_url)
    async with database.engine.connect() as connection:
        raw: Any = (await connection.get_raw_connection()).dbapi_connection
        assert isinstance(raw, DriverConnection)
        held: Any = raw
        assert isinstance(held._execute_mutex, asyncio.Lock)
        assert held._connection is held.driver_connection
        assert held._connection._thread.is_alive()
        assert held._connection._conn.execute("SELECT 1").fetchall() == [(1,)]
        assert await held._connection._execute(lambda: 7) == 7
        assert held.isolation_level is None
        cursor = raw.cursor()
        names = {slot for base in type(cursor).__mro__ for slot in getattr(base, "__slots__", ())}
        assert {"_cursor", "_connection", "_adapt_connection", "_rows"} <= names
    await database.dispose()


async def test_every_method_of_our_driver_is_called(
    tmp_path_url: URL, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A method that SQLAlchemy calls by another name is there, and of no use."""
    called: set[str] = set()

    def watch(owner: Any, name: str) -> None:
        method = getattr(owner, name)

        def watched(*args: Any, **options: Any) -> Any:
            called.add(name)
            return method(*args, **options)

        monkeypatch.setattr(owner, name, watched)

    ours = {
        sqlite._Driver: ["connect"],
        DriverConnection: ["rollback", "commit"],
        sqlite._Cursor: ["_make_new_cursor", "_aenter_cursor", "_execute_async"],
        LazySession: ["get_bind"],
    }
    for owner, names in ours.items():
        for name in names:
            watch(owner, name)
    database = await open_database(tmp_path_url)
    await add(database, "Deadpond")
    async with database.read() as session:
        await session.exec(select(Hero))
    await database.dispose()

    assert called == {name for names in ours.values() for name in names}


@pytest.mark.parametrize("library", sqlite.VERSIONS)
def test_with_an_unknown_version_the_stock_driver_takes_over(
    library: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    assert sqlite.driver(1.0) is not None
    known = sqlite.version

    monkeypatch.setattr(sqlite, "version", lambda name: "99.0" if name == library else known(name))  # pyright: ignore[reportUnknownLambdaType, reportUnknownArgumentType]

    with caplog.at_level(logging.WARNING):
        assert sqlite.driver(1.0) is None
    assert f"{library} 99.0 is not known" in caplog.text


async def add(database: Database, name: str, owner_id: int = 2) -> Hero:
    async with database.write() as session:
        return await add_hero(session, Asker(owner_id, 1), Vault(), name=name, secret_name="x")


async def names(database: Database) -> list[str]:
    async with database.read() as session:
        return list((await session.exec(select(Hero.name).order_by(col(Hero.id)))).all())


def assert_stock(engine: AsyncEngine) -> None:
    assert type(engine.dialect.loaded_dbapi) is dialect.AsyncAdapt_aiosqlite_dbapi


class TestTheStockDriver:
    @pytest.fixture
    def _stock(self, monkeypatch: pytest.MonkeyPatch) -> None:
        def none(_lock_wait_seconds: float) -> None:
            """As with an unknown version."""

        monkeypatch.setattr("bot.db.drivers.sqlite.driver", none)

    @pytest.fixture
    async def stock(self, tmp_path_url: URL, _stock: None) -> AsyncGenerator[Database]:
        database = await open_database(tmp_path_url, info={"quota": Quota(1_000, 3)})
        assert_stock(database.engine)
        yield database
        await database.dispose()

    async def test_heroes_are_added_found_and_refused(self, stock: Database) -> None:
        async with asyncio.timeout(10):
            owners = await asyncio.gather(*(add(stock, f"Hero {number}", number) for number in range(5)))
        await add(stock, "Deadpond")
        await add(stock, "Spider-Boy")

        assert [hero.owner_id for hero in owners] == list(range(5))
        async with stock.read() as session:
            assert (await find_hero(session, Asker(9, 1), Wanted("deadPOND"))).owner_id == 2
        with pytest.raises(NameTakenError):
            await add(stock, "DEADPOND", 3)
        # Hero 2 is member 2's, too.
        with pytest.raises(TooManyHeroesError):
            await add(stock, "Rusty-Man")
        assert await names(stock) == [*(f"Hero {number}" for number in range(5)), "Deadpond", "Spider-Boy"]

    async def test_a_write_that_fails_leaves_nothing(self, stock: Database) -> None:
        with pytest.raises(ZeroDivisionError):
            async with stock.write() as session:
                await session.exec(select(Hero))
                await add_hero(session, Asker(2, 1), Vault(), name="Deadpond", secret_name="x")
                raise ZeroDivisionError

        assert await names(stock) == []
        await add(stock, "Deadpond")

    async def test_two_writers_wait_for_each_other(self, stock: Database) -> None:
        other = Database(stock.engine.url)
        await asyncio.gather(
            *(
                add(each, f"{number} {process}", 10 * number + process)
                for number in range(10)
                for process, each in enumerate((stock, other))
            )
        )
        assert len(await names(stock)) == 20
        await other.dispose()

    async def test_a_lock_is_waited_for(self, stock: Database) -> None:
        begun = asyncio.Event()
        event.listen(stock.engine.sync_engine, "checkout", lambda *_: begun.set())
        async with asyncio.timeout(10):
            async with locked(stock.engine.url):
                adding = asyncio.create_task(add(stock, "Deadpond"))
                await begun.wait()
                await asyncio.sleep(0.2)
                assert not adding.done()
            assert (await adding).name == "Deadpond"

    @pytest.mark.usefixtures("_stock")
    async def test_a_lock_that_lasts_is_told_of(
        self, tmp_path_url: URL, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("bot.db.engine.MAX_WAIT_SECONDS", 0.3)
        database = await open_database(tmp_path_url)
        assert_stock(database.engine)
        async with locked(tmp_path_url), asyncio.timeout(10):
            with pytest.raises(OperationalError, match="locked"):
                await add(database, "Deadpond")
        await add(database, "Deadpond")
        await database.dispose()
