"""The roster as a list, and a hero at random."""

import random
from enum import StrEnum
from typing import Any, Final

from sqlmodel import col, func, select
from sqlmodel.ext.asyncio.session import AsyncSession

from bot.db.models import Hero
from bot.roster.errors import RosterError
from bot.roster.heroes import present
from bot.roster.page import Page, page_of

PAGE: Final = 10
"""Heroes on a page."""


class Sort(StrEnum):
    """In which order heroes are listed."""

    NAME = "name"
    NEWEST = "newest"
    AGE = "age"


def _order(sort: Sort) -> tuple[Any, ...]:
    match sort:
        case Sort.NAME:
            return (col(Hero.name_key),)
        case Sort.NEWEST:
            return (col(Hero.id).desc(),)
        case Sort.AGE:
            # Those of unknown age last, on both databases.
            return (col(Hero.age).desc().nulls_last(), col(Hero.name_key))


async def list_heroes(
    session: AsyncSession,
    *,
    guild_id: int,
    owner_id: int | None = None,
    sort: Sort = Sort.NAME,
    page: int = 1,
) -> Page[Hero]:
    """A page of the guild's roster.

    Args:
        session: one that reads.
        guild_id: the guild's snowflake.
        owner_id: only the heroes of this member; None for everybody's.
        sort: by name, newest first, or oldest in years first.
        page: from 1; the nearest one there is.
    """
    wanted = [present(guild_id)] if owner_id is None else [present(guild_id), col(Hero.owner_id) == owner_id]
    total = (await session.exec(select(func.count()).select_from(Hero).where(*wanted))).one()
    page, pages, offset = page_of(total, page, PAGE)
    query = select(Hero).where(*wanted).order_by(*_order(sort)).offset(offset).limit(PAGE)
    return Page(list((await session.exec(query)).all()), page, pages, total)


async def random_hero(session: AsyncSession, *, guild_id: int) -> Hero:
    """Any hero of the guild, each as likely as the others.

    Raises:
        RosterError: there is none.
    """
    total = (await session.exec(select(func.count()).select_from(Hero).where(present(guild_id)))).one()
    if total == 0:
        raise RosterError("There are no heroes here yet. Add the first one with `/hero add`.")
    chosen = random.randrange(total)  # noqa: S311 - a game, not a secret
    query = select(Hero).where(present(guild_id)).order_by(col(Hero.name_key)).offset(chosen).limit(1)
    hero = (await session.exec(query)).first()
    # The last one may just have been removed.
    return hero or await random_hero(session, guild_id=guild_id)
