"""The limits on what one member may change and own."""

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from sqlalchemy import BigInteger, Integer, and_, bindparam, literal, union_all
from sqlmodel import col, func, select
from sqlmodel.ext.asyncio.session import AsyncSession

from bot.db.locks import lock_until_commit
from bot.db.models import Action, Hero, HistoryEntry
from bot.roster.asker import Asker
from bot.roster.errors import Refusal, RosterError
from bot.roster.heroes import present

WINDOW: Final = timedelta(minutes=1)
"""The time in which changes are counted."""


class TooManyChangesError(RosterError):
    """A member changes things faster than allowed."""


class TooManyHeroesError(RosterError):
    """A member has as many heroes in a guild as allowed."""


@dataclass(frozen=True, slots=True)
class Quota:
    """The limits that the operator sets for each member.

    Args:
        changes_per_minute: in all guilds together.
        heroes_per_member: in one guild, without the removed ones.
    """

    changes_per_minute: int = 60
    heroes_per_member: int = 50


def quota_of(session: AsyncSession) -> Quota:
    """Return the quota that the operator has set, which every session carries."""
    return session.info.get("quota", Quota())


async def check_pace(session: AsyncSession, asker: Asker) -> None:
    """Lock the asker, and refuse one who has changed too much in the last minute.

    Each change writes an entry of history, and these are counted: the limit holds for all processes.

    Raises:
        TooManyChangesError: with the seconds to wait.
    """
    await lock_members(session, asker.id)
    most = quota_of(session).changes_per_minute
    params = {"actor_id": asker.id, "after": asker.now - WINDOW, "offset": most - 1}
    nth_latest = (await session.exec(_NTH_LATEST, params=params)).one_or_none()
    if nth_latest is not None:
        seconds = math.ceil((nth_latest + WINDOW - asker.now).total_seconds())
        raise TooManyChangesError(Refusal.TOO_MANY_CHANGES, seconds=seconds)


async def check_room(session: AsyncSession, guild_id: int, owner_id: int) -> None:
    """Refuse one more hero for a member who has as many as allowed.

    Call `lock_members` for the owner before, or two heroes may be counted as one.

    Raises:
        TooManyHeroesError: the member has no room.
    """
    most = quota_of(session).heroes_per_member
    params = {"guild_id": guild_id, "owner_id": owner_id}
    if (await session.exec(_OWNED, params=params)).one() >= most:
        raise TooManyHeroesError(Refusal.TOO_MANY_HEROES, owner=owner_id, heroes=most)


async def members_with_room(session: AsyncSession, askers: Sequence[Asker]) -> set[int]:
    """Return the members who may add so many heroes at once: one for each time they are in `askers`.

    Call `lock_members` for them before.
    """
    quota = quota_of(session)
    changes = Counter(asker.id for asker in askers)
    heroes = Counter((asker.guild_id, asker.id) for asker in askers)
    params = {
        "members": list(changes),
        "guilds": list({guild_id for guild_id, _ in heroes}),
        "after": min(asker.now for asker in askers) - WINDOW,
    }
    for guild_id, member_id, count in (await session.exec(_COUNTS, params=params)).all():
        if guild_id == _EVERYWHERE:
            changes[member_id] += count
        else:
            heroes[guild_id, member_id] += count
    crowded = {owner_id for (_, owner_id), count in heroes.items() if count > quota.heroes_per_member}
    return {member for member, count in changes.items() if count <= quota.changes_per_minute} - crowded


async def lock_members(session: AsyncSession, *member_ids: int) -> None:
    """Wait until no other transaction changes what counts for these members, and keep others waiting.

    Call this before a hero's row is locked, and for all members at once: two transactions that lock the same
    things in different orders deadlock.
    """
    await lock_until_commit(session, *member_ids)


_EVERYWHERE: Final = 0
"""No guild's snowflake."""

# Statements built once: building them takes longer than running them.
_RECENT: Final = and_(col(HistoryEntry.at) > bindparam("after"), col(HistoryEntry.action) != Action.LOOKED)
_NTH_LATEST: Final = (
    select(HistoryEntry.at)
    .where(col(HistoryEntry.actor_id) == bindparam("actor_id"), _RECENT)
    .order_by(col(HistoryEntry.at).desc())
    .offset(bindparam("offset", type_=Integer))
    .limit(1)
)
"""Time of the member's Nth latest change within the window, N being the limit; no row if there were fewer."""
_OWNED: Final = (
    select(func.count())
    .select_from(Hero)
    .where(present(bindparam("guild_id")), col(Hero.owner_id) == bindparam("owner_id"))
)
"""The number of heroes that a member has in a guild."""
_BY_MEMBER: Final = union_all(
    select(
        literal(_EVERYWHERE, BigInteger).label("guild_id"),
        col(HistoryEntry.actor_id),
        func.count().label("count"),
    )
    .where(col(HistoryEntry.actor_id).in_(bindparam("members", expanding=True)), _RECENT)
    .group_by(col(HistoryEntry.actor_id)),
    select(col(Hero.guild_id), col(Hero.owner_id), func.count())
    .where(
        col(Hero.guild_id).in_(bindparam("guilds", expanding=True)),
        col(Hero.owner_id).in_(bindparam("members", expanding=True)),
        col(Hero.removed_at).is_(None),
    )
    .group_by(col(Hero.guild_id), col(Hero.owner_id)),
).subquery()
"""Members' recent changes everywhere, and their heroes in each guild: one round trip for both."""
_COUNTS: Final = select(_BY_MEMBER.c.guild_id, _BY_MEMBER.c.actor_id, _BY_MEMBER.c.count)
