"""Finding heroes by what a member types."""

import asyncio
from typing import Final

from rapidfuzz import fuzz, process
from sqlmodel import and_, col, desc, or_, select
from sqlmodel.ext.asyncio.session import AsyncSession

from bot.db.models import Hero
from bot.roster.errors import HeroNotFoundError
from bot.roster.heroes import hero_named, present
from bot.roster.rules import NAME_MAX, name_key

NEAR_MOST: Final = 10
"""How many near misses are offered."""
SUGGESTIONS_MOST: Final = 25
"""Discord shows no more choices than this: https://discord.com/developers/docs/interactions/application-commands"""

_LAST: Final = "\U0010ffff"
_NEAR_SCORE: Final = 70
"""Of 100, by RapidFuzz's weighted ratio: a slip or two in a word, or one word of several."""


async def find_hero(session: AsyncSession, *, guild_id: int, name: str) -> Hero:
    """The hero of the guild that a member means by `name`.

    Raises:
        HeroNotFoundError: none is called that; the error holds up to ten names that come close.
    """
    hero = await hero_named(session, guild_id=guild_id, name=name)
    if hero is None:
        raise HeroNotFoundError(name, await _near(session, guild_id, name_key(name)[:NAME_MAX]))
    return hero


async def _near(session: AsyncSession, guild_id: int, key: str) -> list[str]:
    rows = (await session.exec(select(Hero.name_key, Hero.name).where(present(guild_id)))).all()
    names = dict(rows)
    # A large roster takes a while to compare; other members' commands go on meanwhile.
    close = await asyncio.to_thread(
        process.extract, key, list(names), scorer=fuzz.WRatio, limit=NEAR_MOST, score_cutoff=_NEAR_SCORE
    )
    return [names[near] for near, _score, _index in close]


async def suggest_names(
    session: AsyncSession, *, guild_id: int, typed: str, owner_id: int | None = None
) -> list[str]:
    """Up to 25 names for what a member has typed so far, which may be anything.

    Names that start with it come first, then names with a word that starts with it, then names that
    hold it elsewhere; alphabetically within each.

    Args:
        session: one that reads.
        guild_id: the guild's snowflake.
        typed: anything.
        owner_id: only the heroes of this member; None for everybody's.
    """
    wanted = present(guild_id)
    if owner_id is not None:
        wanted = and_(wanted, col(Hero.owner_id) == owner_id)
    key = name_key(typed)[:NAME_MAX]
    key_column = col(Hero.name_key)
    starts = key_column.between(key, key + _LAST)
    by_prefix = select(Hero.name).where(wanted, starts).order_by(key_column).limit(SUGGESTIONS_MOST)
    names = list((await session.exec(by_prefix)).all())
    if key and len(names) < SUGGESTIONS_MOST:
        word_starts = or_(
            key_column.contains(f" {key}", autoescape=True), key_column.contains(f"-{key}", autoescape=True)
        )
        inside = (
            select(Hero.name)
            .where(wanted, ~starts, key_column.contains(key, autoescape=True))
            .order_by(desc(word_starts), key_column)
            .limit(SUGGESTIONS_MOST - len(names))
        )
        names += (await session.exec(inside)).all()
    return names
