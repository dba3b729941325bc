"""Reading heroes. Every query names its guild."""

from collections.abc import Sequence
from typing import Final

from sqlalchemy import ColumnElement, SQLColumnExpression, bindparam
from sqlalchemy.exc import IntegrityError
from sqlmodel import and_, col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from bot.db.models import Hero
from bot.roster.errors import HeroGoneError, NameTakenError
from bot.roster.rules import name_key


def present(guild_id: int | SQLColumnExpression[int]) -> ColumnElement[bool]:
    """Which heroes are in the guild's roster. A statement that is built once takes a parameter."""
    return and_(col(Hero.guild_id) == guild_id, col(Hero.removed_at).is_(None))


# Built once: to build a statement takes longer than to run it.
_NAMED: Final = select(Hero).where(
    present(bindparam("guild_id")), col(Hero.name_key) == bindparam("name_key")
)
_ALL_NAMED: Final = select(Hero).where(
    col(Hero.guild_id).in_(bindparam("guilds", expanding=True)),
    col(Hero.name_key).in_(bindparam("keys", expanding=True)),
    col(Hero.removed_at).is_(None),
)


async def name_taken(
    session: AsyncSession, guild_id: int, name: str, error: IntegrityError
) -> NameTakenError | IntegrityError:
    """What a failed change is to raise: who plays the hero of that name, where that is what failed it.

    The database decides the conflict; to look first would let two members pass at once.
    """
    await session.rollback()
    other = await hero_named(session, guild_id=guild_id, name=name)
    return error if other is None else NameTakenError(other.name, other.owner_id)


async def hero_named(session: AsyncSession, *, guild_id: int, name: str) -> Hero | None:
    """The hero of the guild whose name is `name`, however it is spelled; None if there is none."""
    wanted = {"guild_id": guild_id, "name_key": name_key(name)}
    return (await session.exec(_NAMED, params=wanted)).one_or_none()


async def heroes_named(session: AsyncSession, wanted: Sequence[tuple[int, str]]) -> list[Hero | None]:
    """For each guild and name what `hero_named` returns, with one look at the database."""
    if len(wanted) == 1:
        # A tenth less work than with lists.
        ((guild_id, name),) = wanted
        return [await hero_named(session, guild_id=guild_id, name=name)]
    keys = [(guild_id, name_key(name)) for guild_id, name in wanted]
    # Each name in each guild of these: to look for pairs, SQLite would go through all names there are.
    places = {"guilds": {guild_id for guild_id, _ in keys}, "keys": {key for _, key in keys}}
    found = (await session.exec(_ALL_NAMED, params=places)).all()
    named = {(hero.guild_id, hero.name_key): hero for hero in found}
    return [named.get(key) for key in keys]


async def hero_by_id(session: AsyncSession, *, guild_id: int, hero_id: int, lock: bool = False) -> Hero:
    """The hero with that number, if it is in the guild's roster.

    Args:
        session: one that reads, or writes.
        guild_id: the hero's guild.
        hero_id: the hero's number.
        lock: let nobody else change it before this transaction ends.

    Raises:
        HeroGoneError: it is not, or never was.
    """
    query = select(Hero).where(present(guild_id), Hero.id == hero_id)
    if lock:
        # On SQLite this says nothing: there a transaction that writes is alone.
        query = query.with_for_update()
    hero = (await session.exec(query)).one_or_none()
    if hero is None:
        raise HeroGoneError
    return hero
