"""How much one member may change and own."""

import math
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import ColumnElement, Integer, SQLColumnExpression, and_, bindparam, text
from sqlmodel import col, func, select
from sqlmodel.ext.asyncio.session import AsyncSession
from sqlmodel.sql.expression import SelectOfScalar

from bot.db.drivers.postgres import begin_with
from bot.db.models import Action, Hero, HistoryEntry
from bot.roster.errors import RosterError
from bot.roster.heroes import present

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
        wanted = {"actor_id": member_id, "after": now - WINDOW, "before_last": self.changes_per_minute - 1}
        latest = (await session.exec(_LATEST, params=wanted)).one_or_none()
        if latest is not None:
            wait = math.ceil((latest + WINDOW - now).total_seconds())
            raise TooManyChangesError(
                f"That is a lot at once. Please go on in {wait} second{'' if wait == 1 else 's'}."
            )

    async def check_room(self, session: AsyncSession, *, guild_id: int, owner_id: int) -> None:
        """Let pass a member who may have one more hero in a guild.

        Raises:
            TooManyHeroesError: with what to do.
        """
        await take_turns(session, owner_id)
        wanted = {"guild_id": guild_id, "owner_id": owner_id}
        if (await session.exec(_OWNED, params=wanted)).one() >= self.heroes_per_member:
            raise TooManyHeroesError(
                f"<@{owner_id}> has {self.heroes_per_member} heroes here, which is as many as one member may "
                "have. `/hero remove` or `/hero transfer` makes room."
            )

    def bounds(self, now: datetime) -> dict[str, object]:
        """The parameters of a statement with `has_room` in it, at that moment."""
        return {
            "after": now - WINDOW,
            "changes": self.changes_per_minute,
            "heroes": self.heroes_per_member,
        }


_RECENT: Final = and_(col(HistoryEntry.at) > bindparam("after"), col(HistoryEntry.action) != Action.LOOKED)
# Built once: to build a statement takes longer than to run it.
_LATEST: Final = (
    select(HistoryEntry.at)
    .where(col(HistoryEntry.actor_id) == bindparam("actor_id"), _RECENT)
    .order_by(col(HistoryEntry.at).desc())
    .offset(bindparam("before_last", type_=Integer))
    .limit(1)
)
"""When a member made the last change but so many, if that is not long ago."""


def _owned(guild_id: SQLColumnExpression[int], owner_id: SQLColumnExpression[int]) -> SelectOfScalar[int]:
    """How many heroes a member has in a guild."""
    return select(func.count()).select_from(Hero).where(present(guild_id), col(Hero.owner_id) == owner_id)


_OWNED: Final = _owned(bindparam("guild_id"), bindparam("owner_id"))


def has_room(
    guild_id: SQLColumnExpression[int], owner_id: SQLColumnExpression[int], more: SQLColumnExpression[int]
) -> ColumnElement[bool]:
    """Whether a member may have, and add at once, so many more heroes in a guild.

    Where not, the two checks of `Quota` say why. Its `bounds` are the parameters.
    """
    changes = select(func.count()).select_from(HistoryEntry)
    changes = changes.where(col(HistoryEntry.actor_id) == owner_id, _RECENT)
    return and_(
        _owned(guild_id, owner_id).scalar_subquery() + more <= bindparam("heroes", type_=Integer),
        changes.scalar_subquery() + more <= bindparam("changes", type_=Integer),
    )


async def take_turns(session: AsyncSession, *member_ids: int) -> None:
    """Let the changes that count for a member happen one after the other, so that none is counted too late.

    Whoever also locks a hero's row calls this first, and for all members at once: two transactions that
    lock the same things in another order would wait for each other. SQLite has one writer at a time anyway.

    Where this begins the transaction, the turns come with its first statement, which fails if they do not.
    """
    if session.get_bind().dialect.name == "postgresql":
        members = sorted(set(member_ids))
        if not await begin_with(session, _TAKE_TURNS.format(f"ARRAY{members}")):
            await (await session.connection()).execute(_TAKE_TURNS_NOW, {"members": members})


_TAKE_TURNS: Final = (
    "SELECT pg_advisory_xact_lock(member)"
    " FROM (SELECT unnest(CAST({} AS bigint[])) AS member ORDER BY 1) AS members"
)
_TAKE_TURNS_NOW: Final = text(_TAKE_TURNS.format(":members"))
