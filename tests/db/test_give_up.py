"""Giving up the database: whoever waits for it is told at once, not when its patience ends."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import pytest
from sqlalchemy import URL, Connection, event, text
from sqlalchemy.exc import OperationalError

from bot.client import HeroBot
from bot.db.drivers.sqlite import LOCK_STEP_SECONDS
from bot.db.engine import Database, GivenUp
from bot.db.models import Hero, SealedSecret
from bot.db.open import open_database
from bot.roster.adding import add_hero
from bot.roster.asker import Asker
from bot.roster.vault import Vault
from cogs.housekeeping import HousekeepingCog
from tests.endurance.load import connection, locked
from tests.support.world import settings_for


def _connected(database: Database) -> asyncio.Event:
    """Set when somebody is given a connection."""
    connected = asyncio.Event()
    event.listen(database.engine.sync_engine, "checkout", lambda *_: connected.set())
    return connected


async def _add(database: Database) -> None:
    """Add a hero, whose INSERT is left to the end of the block."""
    async with database.write() as session:
        session.add(
            Hero(
                guild_id=1, owner_id=2, name="Deadpond", name_key="deadpond", sealed_secret=SealedSecret("x")
            )
        )


@asynccontextmanager
async def _waiting_writer(url: URL) -> AsyncGenerator[tuple[Database, "asyncio.Task[None]"]]:
    """A transaction that waits for another process to end writing, which it does not."""
    database = await open_database(url)
    connected = _connected(database)

    async def write() -> None:
        async with database.write() as session:
            await (await session.connection()).exec_driver_sql("UPDATE hero SET age = 1")

    async with locked(url), asyncio.timeout(8):
        writing = asyncio.create_task(write())
        await connected.wait()
        yield database, writing
        await database.dispose()


async def test_whoever_waits_for_a_lock_fails_at_once_when_the_database_is_given_up(url: URL) -> None:
    async with _waiting_writer(url) as (database, writing):
        # The next in turn waits for another session, or the lock, too.
        next_in_turn = asyncio.create_task(_add(database))
        await asyncio.sleep(0)
        database.give_up()

        for task in (writing, next_in_turn):
            with pytest.raises(GivenUp):
                await task
        with pytest.raises(GivenUp):
            async with database.read():
                pass


async def test_whoever_waits_for_a_lock_can_be_cancelled_at_once(url: URL) -> None:
    async with _waiting_writer(url) as (_, writing):
        writing.cancel()
        await asyncio.wait({writing})

        assert writing.cancelled()


async def test_what_is_on_its_way_is_stored_when_the_database_is_given_up(db: Database) -> None:
    def committing(_connection: Connection) -> None:
        db.give_up()

    event.listen(db.engine.sync_engine, "commit", committing)

    await _add(db)

    async with connection(db.engine.url) as other:
        assert (await other.scalars(text("SELECT name FROM hero"))).all() == ["Deadpond"]


async def test_a_batch_that_is_being_committed_is_stored_when_the_database_is_given_up(db: Database) -> None:
    event.listen(db.engine.sync_engine, "commit", lambda *_: db.give_up())

    async with db.write() as session:
        hero = await add_hero(session, Asker(2, 1), Vault(), name="Deadpond", secret_name="x")

    async with connection(db.engine.url) as other:
        assert (await other.scalars(text("SELECT name FROM hero"))).all() == [hero.name]


async def test_a_batch_that_waits_for_a_lock_fails_when_the_database_is_given_up(url: URL) -> None:
    database = await open_database(url)
    connected = _connected(database)

    async def add() -> None:
        async with database.write() as session:
            await add_hero(session, Asker(2, 1), Vault(), name="Deadpond", secret_name="x")

    async with locked(url), asyncio.timeout(8):
        adding = asyncio.create_task(add())
        await connected.wait()
        database.give_up()

        with pytest.raises(GivenUp):
            await adding
        await database.dispose()


async def test_what_is_added_without_a_statement_waits_where_it_can_be_given_up(url: URL) -> None:
    database = await open_database(url)
    connected = _connected(database)

    async with locked(url), asyncio.timeout(8):
        adding = asyncio.create_task(_add(database))
        await connected.wait()
        database.give_up()

        with pytest.raises(GivenUp):
            await adding
        await database.dispose()


async def test_a_statement_that_takes_long_ends_when_the_database_is_given_up(db: Database) -> None:
    count = (
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1e8) SELECT max(i) FROM n"
    )
    long = count if db.is_sqlite else "SELECT pg_sleep(60)"

    async def read() -> None:
        async with db.read() as session:
            await (await session.connection()).exec_driver_sql(long)

    executing = asyncio.Event()
    event.listen(db.engine.sync_engine, "before_cursor_execute", lambda *_: executing.set())
    reading = asyncio.create_task(read())
    async with asyncio.timeout(8):
        await executing.wait()
        db.give_up()

        with pytest.raises(GivenUp):
            await reading


async def test_a_lock_that_lasts_is_waited_for_in_one_piece(
    tmp_path_url: URL, monkeypatch: pytest.MonkeyPatch
) -> None:
    # SQLite itself gives up after each step.
    monkeypatch.setattr("bot.db.engine.MAX_WAIT_SECONDS", 5 * LOCK_STEP_SECONDS)
    async with _waiting_writer(tmp_path_url) as (_, writing):
        begun = asyncio.get_running_loop().time()
        with pytest.raises(OperationalError, match="locked"):
            await writing

        assert asyncio.get_running_loop().time() - begun > 3 * LOCK_STEP_SECONDS


async def test_a_daily_task_that_waits_has_ended_when_the_bot_is_closed(
    tmp_path_url: URL, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def ready(_bot: HeroBot) -> None:
        """At once, though nothing is connected."""

    monkeypatch.setattr(HeroBot, "wait_until_ready", ready)
    async with HeroBot(settings_for(tmp_path_url), shard_count=1) as bot:
        bot.db = await open_database(tmp_path_url)
        connected = _connected(bot.db)
        async with locked(tmp_path_url), asyncio.timeout(8):
            housekeeping = HousekeepingCog(bot)
            await bot.add_cog(housekeeping)
            await connected.wait()
            task = housekeeping.daily.get_task()
            await bot.close()

    # Its connection would otherwise report to an event loop that has ended.
    assert task is not None
    assert task.done()
    await bot.db.dispose()
