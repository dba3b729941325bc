"""Reading secret identities, and the members whom their owners trust with them."""

from typing import Final

from sqlmodel import col, delete, select
from sqlmodel.ext.asyncio.session import AsyncSession

from bot.db.models import Action, Confidant, Hero
from bot.roster.asker import Asker, Right
from bot.roster.errors import NotYoursError, Refusal, RosterError
from bot.roster.heroes import hero_by_id
from bot.roster.history import record
from bot.roster.quota import check_pace
from bot.roster.vault import Vault

MAX_CONFIDANTS: Final = 50
"""Members that can be trusted with one secret identity."""


async def may_read_secret(session: AsyncSession, asker: Asker, hero: Hero) -> bool:
    """Return whether the asker may read a secret identity: its owner and the owner's confidants may.

    Keepers as such may not.
    """
    if asker.id == hero.owner_id:
        return True
    of_asker = select(Confidant).where(Confidant.hero_id == hero.id, Confidant.user_id == asker.id)
    return (await session.exec(of_asker)).first() is not None


async def read_secret(session: AsyncSession, asker: Asker, vault: Vault, hero_id: int) -> tuple[Hero, str]:
    """Return a hero and its secret identity, and write down that a confidant looked.

    Args:
        session: one that writes.
        asker: the member who reads.
        vault: unseals the secret identity.
        hero_id: the hero's number.

    Raises:
        HeroGoneError: the hero is not in the roster.
        NotYoursError: the asker is neither its owner nor a confidant.
        VaultError: it is unreadable.
    """
    hero = await hero_by_id(session, asker, hero_id)
    if not await may_read_secret(session, asker, hero):
        raise NotYoursError(Refusal.SECRET_NOT_FOR_YOU, owner=hero.owner_id)
    secret_name = vault.unseal(hero)
    if asker.id != hero.owner_id:
        record(session, hero, Action.LOOKED, asker)
    return hero, secret_name


async def confide(session: AsyncSession, asker: Asker, hero_id: int, member_id: int) -> Hero:
    """Trust a member with a secret identity.

    Args:
        session: one that writes.
        asker: the hero's owner.
        hero_id: the hero's number.
        member_id: the snowflake of the member to be trusted.

    Raises:
        HeroGoneError: the hero is not in the roster.
        NotYoursError: the asker is not its owner.
        RosterError: that member is trusted already, or too many are.
    """
    await check_pace(session, asker)
    hero = await hero_by_id(session, asker, hero_id, Right.OWNER, lock=True)
    if member_id == hero.owner_id:
        raise RosterError(Refusal.KNOWS_OWN_SECRET, name=hero.name)
    trusted = [confidant.user_id for confidant in await confidants_of(session, hero)]
    if member_id in trusted:
        raise RosterError(Refusal.TRUSTED_ALREADY, member=member_id, name=hero.name)
    if len(trusted) >= MAX_CONFIDANTS:
        raise RosterError(Refusal.TOO_MANY_CONFIDANTS, most=MAX_CONFIDANTS)
    session.add(Confidant(hero_id=hero.id, user_id=member_id, guild_id=hero.guild_id, since=asker.now))
    record(session, hero, Action.CONFIDED, asker, other_id=member_id)
    return hero


async def unconfide(session: AsyncSession, asker: Asker, hero_id: int, member_id: int) -> Hero:
    """Trust a member with a secret identity no longer; see `confide`.

    Raises:
        HeroGoneError: the hero is not in the roster.
        NotYoursError: the asker is not its owner.
        RosterError: that member was not trusted.
    """
    await check_pace(session, asker)
    hero = await hero_by_id(session, asker, hero_id, Right.OWNER, lock=True)
    of_both = col(Confidant.hero_id) == hero.id, col(Confidant.user_id) == member_id
    if (await session.exec(delete(Confidant).where(*of_both))).rowcount == 0:
        raise RosterError(Refusal.NOT_TRUSTED, member=member_id, name=hero.name)
    record(session, hero, Action.UNCONFIDED, asker, other_id=member_id)
    return hero


async def confidants_of(session: AsyncSession, hero: Hero) -> list[Confidant]:
    """Return the members that the owner trusts with a hero's secret, the longest trusted first."""
    query = select(Confidant).where(Confidant.hero_id == hero.id).order_by(col(Confidant.since))
    return list((await session.exec(query)).all())
