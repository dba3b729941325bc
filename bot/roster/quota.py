"""How much one member may change and own."""

import math
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import Integer, bindparam, text
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
        await take_turns(session, member_id)
        latest = (await session.exec(select(_LATEST), params=self._pace(member_id, now))).one()
        self._require_pace(latest, now)

    async def check_room(self, session: AsyncSession, *, guild_id: int, owner_id: int) -> None:
        """Let pass a member who may have one more hero in a guild.

        Raises:
            TooManyHeroesError: with what to do.
        """
        await take_turns(session, owner_id)
        self._require_room(
            (await session.exec(select(_OWNED), params=_room(guild_id, owner_id))).one(), owner_id
        )

    async def check_addition(
        self, session: AsyncSession, *, guild_id: int, member_id: int, now: datetime
    ) -> None:
        """Both at once, for a member who adds a hero.

        Raises:
            TooManyChangesError: see `check_pace`.
            TooManyHeroesError: see `check_room`.
        """
        await take_turns(session, member_id)
        wanted = self._pace(member_id, now) | _room(guild_id, member_id)
        latest, owned = (await session.exec(_BOTH, params=wanted)).one()
        self._require_pace(latest, now)
        self._require_room(owned, member_id)

    def _pace(self, member_id: int, now: datetime) -> dict[str, Any]:
        return {"actor_id": member_id, "after": now - WINDOW, "before_last": self.changes_per_minute - 1}

    def _require_pace(self, latest: datetime | None, now: datetime) -> None:
        if latest is not None:
            wait = math.ceil((latest + WINDOW - now).total_seconds())
            raise TooManyChangesError(
                f"That is a lot at once. Please go on in {wait} second{'' if wait == 1 else 's'}."
            )

    def _require_room(self, owned: int, owner_id: int) -> None:
        if owned >= self.heroes_per_member:
            raise TooManyHeroesError(
                f"<@{owner_id}> has {self.heroes_per_member} heroes here, which is as many as one member may "
                "have. `/hero remove` or `/hero transfer` makes room."
            )


def _room(guild_id: int, owner_id: int) -> dict[str, Any]:
    return {"guild_id": guild_id, "owner_id": owner_id}


# Built once: to build a statement takes longer than to run it.
_LATEST: Final = (
    select(HistoryEntry.at)
    .where(
        col(HistoryEntry.actor_id) == bindparam("actor_id"),
        col(HistoryEntry.at) > bindparam("after"),
        HistoryEntry.action != Action.LOOKED,
    )
    .order_by(col(HistoryEntry.at).desc())
    .offset(bindparam("before_last", type_=Integer))
    .limit(1)
    .scalar_subquery()
)
"""When a member made the last change but so many, if that is not long ago."""
_OWNED: Final = (
    select(func.count())
    .select_from(Hero)
    .where(
        col(Hero.guild_id) == bindparam("guild_id"),
        col(Hero.owner_id) == bindparam("owner_id"),
        col(Hero.removed_at).is_(None),
    )
    .scalar_subquery()
)
"""How many heroes a member has in a guild."""
_BOTH: Final = select(_LATEST, _OWNED)


async def take_turns(session: AsyncSession, *member_ids: int) -> None:
    """Let the changes that count for a member happen one after the other, so that none is counted too late.

    Whoever also locks a hero's row calls this first, and for all members at once: two transactions that
    lock the same things in another order would wait for each other. SQLite has one writer at a time anyway.
    """
    if session.get_bind().dialect.name == "postgresql":
        connection = await session.connection()
        for member_id in sorted(set(member_ids)):
            await connection.execute(
                text("SELECT pg_advisory_xact_lock(:member)").bindparams(member=member_id)
            )
