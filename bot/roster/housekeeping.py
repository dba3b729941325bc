"""What the bot does once a day, whichever of its processes gets to it first."""

import logging
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any, Final

import discord
from discord.ext import tasks
from sqlalchemy.dialects import postgresql, sqlite
from sqlmodel import col, update
from sqlmodel.ext.asyncio.session import AsyncSession

from bot.db.engine import Database
from bot.db.models import DailyTask
from bot.roster.personal import BATCH, departed_before, erase_guild_batch
from bot.roster.removal import KEPT_FOR, PURGE_BATCH, purge_batch

log = logging.getLogger(__name__)

LOOK_EVERY: Final = timedelta(days=1)
"""How often a process looks whether it is time, beginning with its start."""
ONCE_IN: Final = timedelta(hours=23)
"""A little less than a day, or a look that comes a second early would wait for the next."""

_NEVER: Final = datetime(1970, 1, 1, tzinfo=UTC)


async def take_turn(database: Database, name: str, now: datetime) -> bool:
    """Whether this process is to run a task now; no process is told so again for the next 23 hours.

    Args:
        database: shared by all processes.
        name: of the task.
        now: the present moment.
    """
    insert = sqlite.insert if database.is_sqlite else postgresql.insert
    known = insert(DailyTask).values(name=name, started_at=_NEVER).on_conflict_do_nothing()
    due = (
        update(DailyTask)
        .where(col(DailyTask.name) == name, col(DailyTask.started_at) <= now - ONCE_IN)
        .values(started_at=now)
    )
    async with database.write() as session:
        await session.exec(known)
        return (await session.exec(due)).rowcount == 1


async def purge(database: Database, now: datetime) -> int:
    """Delete for good, in batches, what was removed more than 30 days ago: heroes, and the bot from guilds.

    Returns:
        How many heroes.
    """
    purged = await _in_batches(database, partial(purge_batch, now=now), PURGE_BATCH)
    async with database.read() as session:
        departed = await departed_before(session, now - KEPT_FOR)
    for guild_id in departed:
        purged += await erase_guild(database, guild_id)
    return purged


async def erase_guild(database: Database, guild_id: int) -> int:
    """Delete for good, in batches, all that is kept of a guild.

    Returns:
        How many heroes.
    """
    return await _in_batches(database, partial(erase_guild_batch, guild_id=guild_id), BATCH)


async def _in_batches(
    database: Database, delete_some: Callable[[AsyncSession], Awaitable[int]], size: int
) -> int:
    """Delete in one transaction after another until one has fewer than `size` to delete; returns how many."""
    deleted = 0
    while True:
        async with database.write() as session:
            batch = await delete_some(session)
        deleted += batch
        if batch < size:
            return deleted


def daily_tasks(database: Database) -> tasks.Loop[Any]:
    """The loop that runs the daily tasks; whoever starts it cancels it before the database is disposed of."""

    @tasks.loop(seconds=LOOK_EVERY.total_seconds())
    async def look() -> None:
        now = discord.utils.utcnow()
        try:
            if await take_turn(database, "purge", now):
                log.info(
                    "purged %d heroes that were removed more than 30 days ago", await purge(database, now)
                )
        except Exception:
            # A database that is away now is there again at the next look.
            log.exception("the daily tasks failed")

    return look
