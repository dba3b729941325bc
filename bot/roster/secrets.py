"""Reading secret identities, and whom their owners trust with them."""

from datetime import datetime
from typing import Final

from sqlalchemy import ColumnElement
from sqlmodel import col, delete, func, select
from sqlmodel.ext.asyncio.session import AsyncSession

from bot.db.models import Action, Confidant, Hero
from bot.roster.asker import Asker
from bot.roster.errors import NotYoursError, RosterError
from bot.roster.heroes import hero_by_id
from bot.roster.history import record
from bot.roster.vault import Vault
from bot.text import quote

CONFIDANTS_MOST: Final = 50
"""How many members can be trusted with one secret identity."""


async def may_read_secret(session: AsyncSession, hero: Hero, asker: Asker) -> bool:
    """Whether a member is entitled to a secret identity: its owner and the owner's confidants are.

    Keepers as such are not.
    """
    if asker.id == hero.owner_id:
        return True
    of_asker = select(Confidant).where(Confidant.hero_id == hero.id, Confidant.user_id == asker.id)
    return (await session.exec(of_asker)).first() is not None


async def read_secret(
    session: AsyncSession, *, guild_id: int, hero_id: int, asker: Asker, vault: Vault, now: datetime
) -> tuple[Hero, str]:
    """A hero and its secret identity, for a member entitled to it. That a confidant looked is kept.

    Args:
        session: one that writes.
        guild_id: the hero's guild.
        hero_id: the hero's number.
        asker: who wants to know.
        vault: what can decrypt it.
        now: the present moment.

    Raises:
        HeroGoneError: the hero is not in the roster.
        NotYoursError: the asker is neither its owner nor a confidant.
        VaultError: it can't be decrypted.
    """
    hero = await hero_by_id(session, guild_id=guild_id, hero_id=hero_id)
    if not await may_read_secret(session, hero, asker):
        raise NotYoursError(
            f"This secret identity is known to <@{hero.owner_id}>, the hero's owner, and whom they trust. "
            "You could ask them nicely."
        )
    secret_name = vault.read(hero)
    if asker.id != hero.owner_id:
        record(session, hero, Action.LOOKED, actor_id=asker.id, at=now)
    return hero, secret_name


async def confide(
    session: AsyncSession, *, guild_id: int, hero_id: int, user_id: int, asker: Asker, now: datetime
) -> Hero:
    """Trust a member with a secret identity.

    Args:
        session: one that writes.
        guild_id: the hero's guild.
        hero_id: the hero's number.
        user_id: the member to be trusted.
        asker: the hero's owner.
        now: the present moment.

    Raises:
        HeroGoneError: the hero is not in the roster.
        NotYoursError: the asker is not its owner.
        RosterError: that member is trusted already, or too many are.
    """
    hero = await _own(session, guild_id, hero_id, asker, now)
    if user_id == hero.owner_id:
        raise RosterError(f"{quote(hero.name)} is yours: you know its secret identity anyway.")
    trusted = [confidant.user_id for confidant in await confidants(session, hero)]
    if user_id in trusted:
        raise RosterError(f"<@{user_id}> is trusted with {quote(hero.name)} already.")
    if len(trusted) >= CONFIDANTS_MOST:
        raise RosterError(
            f"{CONFIDANTS_MOST} members know this secret already, which is as many as can. "
            "`/hero unconfide` makes room."
        )
    session.add(Confidant(hero_id=hero.id, user_id=user_id, guild_id=guild_id, since=now))
    record(session, hero, Action.CONFIDED, actor_id=asker.id, other_id=user_id, at=now)
    return hero


async def unconfide(
    session: AsyncSession, *, guild_id: int, hero_id: int, user_id: int, asker: Asker, now: datetime
) -> Hero:
    """Trust a member with a secret identity no longer; see `confide`.

    Raises:
        HeroGoneError: the hero is not in the roster.
        NotYoursError: the asker is not its owner.
        RosterError: that member was not trusted.
    """
    hero = await _own(session, guild_id, hero_id, asker, now)
    of_both = col(Confidant.hero_id) == hero.id, col(Confidant.user_id) == user_id
    if (await session.exec(delete(Confidant).where(*of_both))).rowcount == 0:
        raise RosterError(f"<@{user_id}> is not among those you trust with {quote(hero.name)}.")
    record(session, hero, Action.UNCONFIDED, actor_id=asker.id, other_id=user_id, at=now)
    return hero


async def confidants(session: AsyncSession, hero: Hero) -> list[Confidant]:
    """Whom the owner trusts with a hero's secret identity, the longest trusted first."""
    query = select(Confidant).where(Confidant.hero_id == hero.id).order_by(col(Confidant.since))
    return list((await session.exec(query)).all())


async def _own(session: AsyncSession, guild_id: int, hero_id: int, asker: Asker, now: datetime) -> Hero:
    await asker.quota.check_pace(session, asker.id, now)
    hero = await hero_by_id(session, guild_id=guild_id, hero_id=hero_id, lock=True)
    asker.require_ownership_of(hero)
    return hero


async def keys_in_use(session: AsyncSession) -> set[str]:
    """The names of the keys that stored secret identities are encrypted with."""
    query = select(Hero.secret_key).where(col(Hero.secret_key).is_not(None)).group_by(col(Hero.secret_key))
    return {name for name in (await session.exec(query)).all() if name is not None}


async def rotate_batch(
    session: AsyncSession, *, vault: Vault, after_id: int, size: int
) -> tuple[int, int | None]:
    """Encrypt some secret identities anew with the first key, removed heroes' too.

    Args:
        session: one that writes.
        vault: with the old keys and, first, the new one.
        after_id: the hero's number after which to go on; 0 at the beginning.
        size: how many at most.

    Returns:
        How many were encrypted, and the number to go on after; None when all is done.

    Raises:
        VaultError: one can't be decrypted.
    """
    old = (
        select(Hero)
        .where(col(Hero.id) > after_id, _is_old(vault))
        .order_by(col(Hero.id))
        .limit(size)
        .with_for_update()
    )
    heroes = (await session.exec(old)).all()
    for hero in heroes:
        vault.put(hero, vault.read(hero))
    return len(heroes), heroes[-1].id if len(heroes) == size else None


async def count_old(session: AsyncSession, vault: Vault) -> int:
    """How many secret identities a rotation has left to do."""
    return (await session.exec(select(func.count()).select_from(Hero).where(_is_old(vault)))).one()


def _is_old(vault: Vault) -> ColumnElement[bool]:
    return (col(Hero.secret_key) != vault.key_name) | col(Hero.secret_key).is_(None)
