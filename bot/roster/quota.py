"""How much one member may change and own."""

import math
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import text
from sqlmodel import col, func, select
from sqlmodel.ext.asyncio.session import AsyncSession

from bot.db.models import Action, Hero, HistoryEntry
from bot.roster.errors import RosterError

WINDOW: Final = timedelta(minutes=1)
"""In which changes are counted."""


class TooManyChangesError(RosterError):
    """A member changes things faster than allowed."""


class TooManyHeroesError(RosterError):
    """A member has as many heroes in a guild as allowed."""


@dataclass(frozen=True, slots=True)
class Quota:
    """What the operator allows each member.

    Args:
        changes_per_minute: in all guilds together.
        heroes_per_member: in one guild; removed ones do not count.
    """

    changes_per_minute: int = 60
    heroes_per_member: int = 50

    async def check_pace(self, session: AsyncSession, member_id: int, now: datetime) -> None:
        """Let pass a member who may change something now.

        Changes are counted by the history that each of them writes, so the count holds for all processes.

        Raises:
            TooManyChangesError: with how long to wait.
        """
        await _take_turns(session, member_id)
        latest = (
            select(HistoryEntry.at)
            .where(
                HistoryEntry.actor_id == member_id,
                HistoryEntry.at > now - WINDOW,
                HistoryEntry.action != Action.LOOKED,
            )
            .order_by(col(HistoryEntry.at).desc())
            .offset(self.changes_per_minute - 1)
            .limit(1)
        )
        since = (await session.exec(latest)).first()
        if since is not None:
            wait = math.ceil((since + WINDOW - now).total_seconds())
            raise TooManyChangesError(
                f"That is a lot at once. Please go on in {wait} second{'' if wait == 1 else 's'}."
            )

    async def check_room(self, session: AsyncSession, *, guild_id: int, owner_id: int) -> None:
        """Let pass a member who may have one more hero in a guild.

        Raises:
            TooManyHeroesError: with what to do.
        """
        await _take_turns(session, owner_id)
        owned = select(func.count()).where(
            Hero.guild_id == guild_id, Hero.owner_id == owner_id, col(Hero.removed_at).is_(None)
        )
        if (await session.exec(owned)).one() >= self.heroes_per_member:
            raise TooManyHeroesError(
                f"<@{owner_id}> has {self.heroes_per_member} heroes here, which is as many as one member may "
                "have. `/hero remove` or `/hero transfer` makes room."
            )


async def _take_turns(session: AsyncSession, member_id: int) -> None:
    """Let one member's changes happen one after the other, so that none is counted too late.

    SQLite has one writer at a time anyway.
    """
    if session.get_bind().dialect.name == "postgresql":
        lock = text("SELECT pg_advisory_xact_lock(:member)").bindparams(member=member_id)
        await (await session.connection()).execute(lock)
