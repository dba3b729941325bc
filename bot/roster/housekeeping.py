"""Work without a member's command: note guilds that the bot left, and delete what nobody brought back."""

from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from functools import partial
from typing import Final

from sqlalchemy.exc import IntegrityError
from sqlmodel import col, delete, select
from sqlmodel.ext.asyncio.session import AsyncSession

from bot.db.engine import Database
from bot.db.models import DailyTask, Departure, Hero, SyncedCommands
from bot.roster.removal import KEPT_FOR

MIN_INTERVAL: Final = timedelta(hours=23)
"""The least time between two runs of a daily task. With a whole day, a look a second early is in vain."""
MAX_DELETED: Final = 500
"""Heroes that one transaction deletes, so that members' commands do not wait long."""


async def claim_daily_run(database: Database, task: str, now: datetime) -> bool:
    """Return whether this process is to run a task now. No process gets it again for the next 23 hours.

    Args:
        database: shared by all processes.
        task: the task's name.
        now: the present moment.
    """
    async with database.write() as session:
        query = select(DailyTask).where(DailyTask.name == task).with_for_update()
        known = (await session.exec(query)).one_or_none()
        if known is not None:
            due = known.started_at <= now - MIN_INTERVAL
            if due:
                known.started_at = now
            return due
        session.add(DailyTask(name=task, started_at=now))
        try:
            await session.flush()
        except IntegrityError:
            # Another process was faster with the very first run.
            await session.rollback()
            return False
        return True


async def purge(database: Database, now: datetime) -> int:
    """Delete heroes that were removed, and guilds that were left, more than 30 days ago.

    Returns:
        How many heroes were deleted.
    """
    purged = await _repeat(database, partial(_purge_some, before=now - KEPT_FOR))
    async with database.read() as session:
        departed = await departed_before(session, now - KEPT_FOR)
    for guild_id in departed:
        purged += await erase_guild(database, guild_id)
    return purged


async def erase_guild(database: Database, guild_id: int) -> int:
    """Delete all that is kept of a guild.

    Returns:
        How many heroes were deleted.
    """
    erased = await _repeat(database, partial(_erase_some, guild_id=guild_id))
    async with database.write() as session:
        await session.exec(delete(SyncedCommands).where(col(SyncedCommands.guild_id) == guild_id))
        await session.exec(delete(Departure).where(col(Departure.guild_id) == guild_id))
    return erased


async def note_departure(session: AsyncSession, guild_id: int, now: datetime) -> None:
    """Write down that the bot was removed from a guild, if that is not known yet."""
    if await session.get(Departure, guild_id) is None:
        session.add(Departure(guild_id=guild_id, left_at=now))


async def note_return(session: AsyncSession, guild_id: int) -> None:
    """Forget that the bot was ever removed from a guild."""
    await session.exec(delete(Departure).where(col(Departure.guild_id) == guild_id))


async def departed_before(session: AsyncSession, moment: datetime) -> list[int]:
    """Return the guilds that the bot was removed from at that moment or earlier."""
    query = select(Departure.guild_id).where(col(Departure.left_at) <= moment)
    return list((await session.exec(query)).all())


async def guilds_with_heroes(session: AsyncSession) -> set[int]:
    """Return the guilds whose heroes are stored, removed heroes included."""
    return set((await session.exec(select(Hero.guild_id).distinct())).all())


async def _repeat(database: Database, delete_some: Callable[[AsyncSession], Awaitable[int]]) -> int:
    """Delete in one short transaction after another; return how many heroes were deleted."""
    deleted = 0
    while True:
        async with database.write() as session:
            count = await delete_some(session)
        deleted += count
        if count < MAX_DELETED:
            return deleted


async def _purge_some(session: AsyncSession, before: datetime) -> int:
    due = (
        select(Hero.id)
        .where(col(Hero.removed_at) <= before)
        .order_by(col(Hero.removed_at))
        .limit(MAX_DELETED)
    )
    # The database deletes their history and portraits along with them.
    return (await session.exec(delete(Hero).where(col(Hero.id).in_(due)))).rowcount


async def _erase_some(session: AsyncSession, guild_id: int) -> int:
    some = select(Hero.id).where(Hero.guild_id == guild_id).limit(MAX_DELETED)
    return (await session.exec(delete(Hero).where(col(Hero.id).in_(some)))).rowcount
