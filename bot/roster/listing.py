"""The roster as a list, and a hero at random."""

import random
from enum import StrEnum
from typing import Any, Final

from sqlalchemy import ColumnElement, Integer, bindparam
from sqlmodel import col, func, select
from sqlmodel.ext.asyncio.session import AsyncSession

from bot.db.models import Hero
from bot.roster.errors import Refusal, RosterError
from bot.roster.heroes import present
from bot.roster.page import Page, page_of

PAGE_SIZE: Final = 10
"""Heroes on a page."""


class Sort(StrEnum):
    """The order in which heroes are listed."""

    NAME = "name"
    NEWEST = "newest"
    AGE = "age"


async def list_heroes(
    session: AsyncSession,
    guild_id: int,
    *,
    owner_id: int | None = None,
    sort: Sort = Sort.NAME,
    page: int = 1,
) -> Page[Hero]:
    """Return a page of the guild's roster.

    Args:
        session: one that reads.
        guild_id: the guild's snowflake.
        owner_id: only the heroes of this member; None for everybody's.
        sort: by name, newest first, or oldest in years first.
        page: from 1; the nearest one there is.
    """
    params = {"guild_id": guild_id} if owner_id is None else {"guild_id": guild_id, "owner_id": owner_id}
    own = owner_id is not None
    total = (await session.exec(_COUNT[own], params=params)).one()
    page, pages, offset = page_of(total, page, PAGE_SIZE)
    heroes = (await session.exec(_LIST[own, sort], params=params | {"before": offset})).all()
    return Page(list(heroes), page, pages, total)


_ORDER: Final[dict[Sort, tuple[Any, ...]]] = {
    Sort.NAME: (col(Hero.name_key),),
    Sort.NEWEST: (col(Hero.id).desc(),),
    # Those of unknown age last, on both databases.
    Sort.AGE: (col(Hero.age).desc().nulls_last(), col(Hero.name_key)),
}


def _conditions(*, own: bool) -> list[ColumnElement[bool]]:
    owned = [col(Hero.owner_id) == bindparam("owner_id")] if own else []
    return [present(bindparam("guild_id")), *owned]


# Statements built once: building them takes longer than running them.
_COUNT: Final = {
    own: select(func.count()).select_from(Hero).where(*_conditions(own=own)) for own in (False, True)
}
_LIST: Final = {
    (own, sort): select(Hero)
    .where(*_conditions(own=own))
    .order_by(*order)
    .offset(bindparam("before", type_=Integer))
    .limit(PAGE_SIZE)
    for own in (False, True)
    for sort, order in _ORDER.items()
}


async def random_hero(session: AsyncSession, guild_id: int) -> Hero:
    """Return any hero of the guild, each as likely as the others.

    Raises:
        RosterError: the roster is empty.
    """
    total = (await session.exec(_COUNT[False], params={"guild_id": guild_id})).one()
    if total == 0:
        raise RosterError(Refusal.EMPTY_ROSTER)
    chosen = random.randrange(total)  # noqa: S311 - a game, not a secret
    params = {"guild_id": guild_id, "before": chosen}
    hero = (await session.exec(_LIST[False, Sort.NAME], params=params)).first()
    # The last one may just have been removed.
    return hero or await random_hero(session, guild_id)
