"""Finding heroes by what a member types."""

import asyncio
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import bindparam, union_all
from sqlmodel import col, desc, or_, select
from sqlmodel.ext.asyncio.session import AsyncSession
from sqlmodel.sql.expression import SelectOfScalar

from bot.db.models import Hero
from bot.roster.asker import Asker, Right
from bot.roster.errors import HeroNotFoundError
from bot.roster.heroes import hero_named, present
from bot.roster.rules import MAX_NAME, name_key

MAX_NEAR: Final = 10
"""Near misses that are offered."""
MAX_SUGGESTIONS: Final = 25
"""Names that are suggested."""

_LAST: Final = "\U0010ffff"
_ESCAPED: Final = str.maketrans({"/": "//", "%": "/%", "_": "/_"})
_MAX_RANKED: Final = 100
"""Names that hold what was typed and are ranked: a large roster is not read to its end."""
_MIN_NEAR_SCORE: Final = 70
"""The least RapidFuzz WRatio, from 0 to 100, of a near miss. It admits one or two typing errors."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """A hero as a member names it.

    Args:
        name: the typed text.
        right: the relation that the asker must have to it.
    """

    name: str
    right: Right = Right.ANYONE


async def find_hero(session: AsyncSession, asker: Asker, wanted: Wanted) -> Hero:
    """Return the hero of the asker's guild that is wanted.

    Raises:
        HeroNotFoundError: no hero has that name; the error holds up to ten names that come close.
        NotYoursError: the asker lacks the right.
    """
    hero = await hero_named(session, asker.guild_id, wanted.name)
    if hero is None:
        raise HeroNotFoundError(wanted.name, await _near(session, asker.guild_id, name_key(wanted.name)))
    asker.require(wanted.right, hero)
    return hero


async def _near(session: AsyncSession, guild_id: int, key: str) -> list[str]:
    # Only a name that is nowhere needs this library, which takes 3 MB.
    from rapidfuzz import fuzz, process  # noqa: PLC0415

    rows = (await session.exec(select(Hero.name_key, Hero.name).where(present(guild_id)))).all()
    names = dict(rows)
    # A large roster takes a while to compare; other members' commands run meanwhile.
    close = await asyncio.to_thread(
        process.extract,
        key[:MAX_NAME],
        list(names),
        scorer=fuzz.WRatio,
        limit=MAX_NEAR,
        score_cutoff=_MIN_NEAR_SCORE,
    )
    return [names[near] for near, _score, _index in close]


async def suggest_names(
    session: AsyncSession, asker: Asker, typed: str, right: Right = Right.ANYONE
) -> list[str]:
    """Return up to 25 names for what a member has typed so far, which may be anything.

    Names that start with it come first, then names with a word that starts with it, then names that hold it
    elsewhere; each of these by the alphabet.

    Args:
        session: one that reads.
        asker: the member who types.
        typed: the typed text.
        right: only heroes to which the asker has this right.
    """
    own = right is Right.OWNER or (right is Right.OWNER_OR_KEEPER and not asker.keeper)
    key = name_key(typed)[:MAX_NAME]
    pattern = key.translate(_ESCAPED)
    params: dict[str, Any] = {
        "guild_id": asker.guild_id,
        "first": key,
        "last": key + _LAST,
        "inside": f"%{pattern}%",
        "after_space": f"% {pattern}%",
        "after_hyphen": f"%-{pattern}%",
    }
    if own:
        params["owner_id"] = asker.id
    return list((await session.exec(_SUGGESTIONS[own], params=params)).all())


def _suggestions(*, own: bool) -> SelectOfScalar[str]:
    """Build the statement for names by how they start, then names that hold something elsewhere, best first.

    One statement: both databases look for the second kind only while the first leaves room.
    """
    key = col(Hero.name_key)
    conditions = [present(bindparam("guild_id"))]
    if own:
        conditions.append(col(Hero.owner_id) == bindparam("owner_id"))
    starts = key.between(bindparam("first"), bindparam("last"))
    first = select(Hero.name).where(*conditions, starts).order_by(key).limit(MAX_SUGGESTIONS).subquery()
    # Only keys, which the index holds: for names, the database would read each hero.
    found = (
        select(Hero.name_key)
        .where(*conditions, ~starts, key.like(bindparam("inside"), escape="/"))
        .order_by(key)
        .limit(_MAX_RANKED)
        .subquery()
    )
    word_starts = or_(
        found.c.name_key.like(bindparam("after_space"), escape="/"),
        found.c.name_key.like(bindparam("after_hyphen"), escape="/"),
    )
    # Only the best names are looked up: each costs a row.
    best = (
        select(found.c.name_key, word_starts.label("word_starts"))
        .order_by(desc(word_starts), found.c.name_key)
        .limit(MAX_SUGGESTIONS)
        .subquery()
    )
    named = (
        select(Hero.name)
        .join(best, key == best.c.name_key)
        .where(*conditions)
        .order_by(best.c.word_starts.desc(), key)
        .subquery()
    )
    both = union_all(select(first.c.name), select(named.c.name)).limit(MAX_SUGGESTIONS).subquery()
    return select(both.c.name)


# Statements built once: building them takes longer than running them.
_SUGGESTIONS: Final = {own: _suggestions(own=own) for own in (False, True)}
