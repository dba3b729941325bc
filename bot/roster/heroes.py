"""Reading heroes by name and by number. Every query names its guild."""

from collections.abc import Sequence
from typing import Final

from sqlalchemy import ColumnElement, SQLColumnExpression, bindparam
from sqlalchemy.exc import IntegrityError
from sqlmodel import and_, col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from bot.db.batch import Batch
from bot.db.models import Hero
from bot.roster.asker import Asker, Right
from bot.roster.errors import HeroGoneError, NameTakenError
from bot.roster.rules import name_key


def present(guild_id: int | SQLColumnExpression[int]) -> ColumnElement[bool]:
    """Return the condition for heroes in a guild's roster: neither removed nor another guild's."""
    return and_(col(Hero.guild_id) == guild_id, col(Hero.removed_at).is_(None))


# A statement built once: building it takes longer than running it.
_BY_KEY: Final = select(Hero).where(
    present(bindparam("guild_id")), col(Hero.name_key) == bindparam("name_key")
)
_BY_KEYS: Final = select(Hero).where(
    col(Hero.guild_id).in_(bindparam("guilds", expanding=True)),
    col(Hero.name_key).in_(bindparam("keys", expanding=True)),
    col(Hero.removed_at).is_(None),
)


async def hero_named(session: AsyncSession, guild_id: int, name: str) -> Hero | None:
    """Return the guild's hero of that name, however it is spelled; None if there is none.

    Change the returned hero in a session that writes only.
    """
    return await _look_up(session, (guild_id, name_key(name)))


async def _by_key(session: AsyncSession, asked: tuple[int, str]) -> Hero | None:
    guild_id, key = asked
    return (await session.exec(_BY_KEY, params={"guild_id": guild_id, "name_key": key})).one_or_none()


async def heroes_by_keys(session: AsyncSession, asked: Sequence[tuple[int, str]]) -> list[Hero | None]:
    """Return the hero of each guild and name key, or None, by one statement."""
    if len(asked) == 1:
        return [await _by_key(session, asked[0])]
    # Every key in every guild of these: to look for pairs, SQLite reads the whole index.
    both = {"guilds": {guild_id for guild_id, _ in asked}, "keys": {key for _, key in asked}}
    found = (await session.exec(_BY_KEYS, params=both)).all()
    heroes = {(hero.guild_id, hero.name_key): hero for hero in found}
    return [heroes.get(each) for each in asked]


_look_up: Final = Batch(together=heroes_by_keys, alone=_by_key, writes=False)


async def hero_by_id(
    session: AsyncSession, asker: Asker, hero_id: int, right: Right = Right.ANYONE, *, lock: bool = False
) -> Hero:
    """Return the hero with that number from the roster of the asker's guild.

    Args:
        session: one that reads, or writes.
        asker: the member who asks.
        hero_id: the hero's number.
        right: the relation that the asker must have to it.
        lock: keep others from changing it until this transaction ends.

    Raises:
        HeroGoneError: it is not there, or never was.
        NotYoursError: the asker lacks the right.
    """
    query = select(Hero).where(present(asker.guild_id), Hero.id == hero_id)
    if lock:
        # SQLite ignores this: there a transaction that writes is alone.
        query = query.with_for_update()
    hero = (await session.exec(query)).one_or_none()
    if hero is None:
        raise HeroGoneError
    asker.require(right, hero)
    return hero


async def flush_name(session: AsyncSession, hero: Hero) -> None:
    """Write a hero whose name may be new.

    The database decides the conflict. If the roster looked first, two members could pass at once.

    Raises:
        NameTakenError: another hero of the guild has that name; the transaction is rolled back.
    """
    guild_id, name = hero.guild_id, hero.name
    try:
        await session.flush()
    except IntegrityError:
        await session.rollback()
        other = await hero_named(session, guild_id, name)
        if other is None:
            raise
        raise NameTakenError(other.name, other.owner_id) from None
