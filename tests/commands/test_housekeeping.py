"""What happens without a command: the daily purge, and servers that the bot has left."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import event
from sqlalchemy.util.concurrency import await_
from sqlmodel import col, func, select

from bot.db.engine import Database
from bot.db.models import Confidant, DailyTask, Departure, Hero, HistoryEntry, Portrait, utcnow
from bot.roster.housekeeping import claim_daily_run, erase_guild, note_departure, note_return, purge
from tests.support.heroes import stored_hero
from tests.support.lively import count, lively
from tests.support.world import World


async def test_purging_takes_batches_with_all_that_belongs_to_them(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.roster.housekeeping.MAX_DELETED", 2)
    for n in range(5):
        await world.add(world.alice, f"Hero {n}")
    now = world.env.now()
    async with world.bot.db.write() as session:
        for row in (await session.exec(select(Hero))).all():
            row.removed_at = now - timedelta(days=30 if row.id > 1 else 29, seconds=1)
            session.add(Portrait(hero_id=row.id, guild_id=row.guild_id, image=b"x"))

    assert await purge(world.bot.db, now) == 4

    async with world.bot.db.read() as session:
        for table in (Hero, HistoryEntry, Portrait):
            assert (await session.exec(select(func.count()).select_from(table))).one() == 1


async def test_a_daily_task_runs_once_a_day_across_all_processes(world: World) -> None:
    now = world.env.now() + timedelta(days=2)
    granted = [
        await claim_daily_run(world.bot.db, "test", now + timedelta(hours=hour)) for hour in range(0, 48, 6)
    ]
    assert granted == [True, False, False, False, True, False, False, False]


async def test_two_processes_that_claim_the_very_first_run_at_once_get_one(
    db: Database, other: Database
) -> None:
    both_looked = asyncio.Barrier(2)

    def execute(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        if statement.startswith("INSERT"):
            await_(both_looked.wait())

    if not db.is_sqlite:
        # Each has seen that nobody ran it. On SQLite the second cannot look before the first has ended.
        for database in (db, other):
            event.listen(database.engine.sync_engine, "before_cursor_execute", execute)

    async with asyncio.timeout(10):
        granted = await asyncio.gather(
            *(claim_daily_run(database, "test", utcnow()) for database in (db, other))
        )

    assert sorted(granted) == [False, True]


async def test_the_purge_runs_in_the_process_that_claimed_it_alone(world: World) -> None:
    db = world.bot.db
    cog: Any = world.bot.get_cog("HousekeepingCog")
    # Its own run, at the start of the bot, has ended.
    await cog.cog_unload()
    now = world.env.now()
    await stored_hero(db, removed_at=now - timedelta(days=31))
    # Whether it was this one or that at the start: somebody ran it today.
    await claim_daily_run(db, "purge", now)

    await cog.daily()
    assert await count(world, Hero) == 1

    async with db.write() as session:
        (await session.exec(select(DailyTask))).one().started_at = now - timedelta(days=1)
    await cog.daily()
    assert await count(world, Hero) == 0


async def test_a_server_that_was_left_goes_after_30_days(world: World) -> None:
    await lively(world)
    now = world.env.now()
    async with world.bot.db.write() as session:
        await note_departure(session, guild_id=world.guild.id, now=now)
        await note_departure(session, guild_id=world.guild.id, now=now + timedelta(days=9))

    assert await purge(world.bot.db, now + timedelta(days=29)) == 0
    assert await purge(world.bot.db, now + timedelta(days=30)) == 4

    for table in (Hero, HistoryEntry, Confidant, Portrait, Departure):
        assert await count(world, table) == 0


async def test_a_server_that_invites_the_bot_again_keeps_everything(world: World) -> None:
    await lively(world)
    now = world.env.now()
    async with world.bot.db.write() as session:
        await note_departure(session, guild_id=world.guild.id, now=now)
    async with world.bot.db.write() as session:
        await note_return(session, guild_id=world.guild.id)

    # What a member had removed goes by its own 30 days.
    assert await purge(world.bot.db, now + timedelta(days=40)) == 1

    assert await count(world, Hero) == 3


async def test_the_bot_notices_that_it_was_removed_also_while_it_was_away(world: World) -> None:
    await world.add(world.alice, "Deadpond")
    assert await count(world, Departure) == 0
    here = world.bot.get_guild(world.guild.id)
    assert here is not None
    # discord.py loads a cog's module anew for each bot, so its class is not the one that is imported here.
    cog: Any = world.bot.get_cog("HousekeepingCog")

    await cog.on_guild_remove(here)
    assert await count(world, Departure) == 1
    # It is there when the bot is ready: so it has been invited again.
    await cog.on_ready()
    assert await count(world, Departure) == 0
    async with world.bot.db.write() as session:
        for hero in (await session.exec(select(Hero))).all():
            hero.guild_id = 4242
    await cog.on_ready()
    assert await count(world, Departure, col(Departure.guild_id) == 4242) == 1


async def test_the_operator_erases_a_server_in_batches(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bot.roster.housekeeping.MAX_DELETED", 2)
    await lively(world)

    assert await erase_guild(world.bot.db, 1) == 0
    assert await erase_guild(world.bot.db, world.guild.id) == 4
    assert await count(world, HistoryEntry) == 0
