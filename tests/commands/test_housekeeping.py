"""What happens without a command: the daily purge."""

from datetime import timedelta

import pytest
from sqlmodel import func, select

from bot.db.models import Hero, HistoryEntry, Portrait
from bot.roster.housekeeping import claim_daily_run, purge
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
