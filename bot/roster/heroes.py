"""Adding heroes and reading them back. Every query names its guild."""

from datetime import datetime
from typing import Final

from sqlalchemy import BindParameter, ColumnElement, bindparam
from sqlalchemy.exc import IntegrityError
from sqlmodel import and_, col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from bot.db.models import Action, Hero, utcnow
from bot.roster.asker import Asker
from bot.roster.errors import HeroGoneError, NameTakenError
from bot.roster.history import record
from bot.roster.rules import clean_age, clean_description, clean_name, clean_secret_name, name_key
from bot.vault import Vault


def present(guild_id: int | BindParameter[int]) -> ColumnElement[bool]:
    """Which heroes are in the guild's roster. A statement that is built once takes a parameter."""
    return and_(col(Hero.guild_id) == guild_id, col(Hero.removed_at).is_(None))


# Built once: to build a statement takes longer than to run it.
_NAMED: Final = select(Hero).where(
    present(bindparam("guild_id")), col(Hero.name_key) == bindparam("name_key")
)


async def add_hero(
    session: AsyncSession,
    *,
    guild_id: int,
    asker: Asker,
    vault: Vault,
    name: str,
    secret_name: str,
    age: int | None = None,
    description: str | None = None,
    now: datetime | None = None,
) -> Hero:
    """Add a hero to the roster of a guild.

    Args:
        session: one that writes.
        guild_id: the guild's snowflake.
        asker: the member who is to play the hero.
        vault: what encrypts the secret identity.
        name: see `clean_name`.
        secret_name: see `clean_secret_name`.
        age: see `clean_age`.
        description: see `clean_description`.
        now: the present moment; None reads the computer's clock.

    Raises:
        InvalidHeroError: a field holds what it may not.
        NameTakenError: a hero of the guild has that name already; it stays as it is.
        TooManyChangesError: the asker has to wait a little.
        TooManyHeroesError: the asker has enough.
    """
    clean = clean_name(name)
    now = now or utcnow()
    hero = Hero(
        guild_id=guild_id,
        owner_id=asker.id,
        name=clean,
        name_key=name_key(clean),
        secret_name="",
        age=clean_age(age),
        description=clean_description(description),
        created_at=now,
        updated_at=now,
    )
    vault.put(hero, clean_secret_name(secret_name))
    await asker.quota.check_addition(session, guild_id=guild_id, member_id=asker.id, now=now)
    session.add(hero)
    try:
        await session.flush()
    except IntegrityError as error:
        raise await name_taken(session, guild_id, clean, error) from None
    record(session, hero, Action.ADDED, actor_id=asker.id, at=now)
    return hero


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
