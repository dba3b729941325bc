"""Finding heroes by what a member types."""

import asyncio
from typing import Any, Final

from rapidfuzz import fuzz, process
from sqlalchemy import bindparam, union_all
from sqlmodel import col, desc, or_, select
from sqlmodel.ext.asyncio.session import AsyncSession
from sqlmodel.sql.expression import SelectOfScalar

from bot.db.models import Hero
from bot.roster.errors import HeroNotFoundError
from bot.roster.heroes import hero_named, present
from bot.roster.rules import NAME_MAX, name_key

NEAR_MOST: Final = 10
"""How many near misses are offered."""
SUGGESTIONS_MOST: Final = 25
"""Discord shows no more choices than this: https://discord.com/developers/docs/interactions/application-commands"""

_LAST: Final = "\U0010ffff"
_ESCAPED: Final = str.maketrans({"/": "//", "%": "/%", "_": "/_"})
_RANKED_MOST: Final = 100
"""How many names that hold what was typed are ranked: a large roster is not read to its end."""
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
    key = name_key(typed)[:NAME_MAX]
    pattern = key.translate(_ESCAPED)
    wanted: dict[str, Any] = {
        "guild_id": guild_id,
        "first": key,
        "last": key + _LAST,
        "inside": f"%{pattern}%",
        "after_space": f"% {pattern}%",
        "after_hyphen": f"%-{pattern}%",
    }
    if owner_id is not None:
        wanted["owner_id"] = owner_id
    return list((await session.exec(_SUGGESTIONS[owner_id is not None], params=wanted)).all())


def _suggestions(*, own: bool) -> SelectOfScalar[str]:
    """Names by how they start, then names that hold something elsewhere, best first.

    In one statement: both databases look for the second kind only while the first leaves room.
    """
    key = col(Hero.name_key)
    wanted = [present(bindparam("guild_id"))]
    if own:
        wanted.append(col(Hero.owner_id) == bindparam("owner_id"))
    starts = key.between(bindparam("first"), bindparam("last"))
    first = select(Hero.name).where(*wanted, starts).order_by(key).limit(SUGGESTIONS_MOST).subquery()
    # By their keys alone, which the index holds: with the names, each hero would be looked at.
    found = (
        select(Hero.name_key)
        .where(*wanted, ~starts, key.like(bindparam("inside"), escape="/"))
        .order_by(key)
        .limit(_RANKED_MOST)
        .subquery()
    )
    word_starts = or_(
        found.c.name_key.like(bindparam("after_space"), escape="/"),
        found.c.name_key.like(bindparam("after_hyphen"), escape="/"),
    )
    # The names of the best alone are looked up: for each, its row has to be fetched.
    best = (
        select(found.c.name_key, word_starts.label("word_starts"))
        .order_by(desc(word_starts), found.c.name_key)
        .limit(SUGGESTIONS_MOST)
        .subquery()
    )
    named = (
        select(Hero.name)
        .join(best, key == best.c.name_key)
        .where(*wanted)
        .order_by(best.c.word_starts.desc(), key)
        .subquery()
    )
    both = union_all(select(first.c.name), select(named.c.name)).limit(SUGGESTIONS_MOST).subquery()
    return select(both.c.name)


# Built once: to build a statement takes longer than to run it.
_SUGGESTIONS: Final = {own: _suggestions(own=own) for own in (False, True)}
