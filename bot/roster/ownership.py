"""Handing a hero to another member."""

from datetime import datetime, timedelta
from typing import Final

from sqlmodel import col, delete
from sqlmodel.ext.asyncio.session import AsyncSession

from bot.db.models import Action, Confidant, Hero
from bot.roster.asker import Asker
from bot.roster.errors import NotYoursError, Refusal, RosterError
from bot.roster.heroes import hero_by_id
from bot.roster.history import record
from bot.roster.quota import check_pace, check_room, lock_members

OFFER_LASTS: Final = timedelta(days=1)
"""The time that the receiver of a transfer has to accept it."""


async def accept_offer(
    session: AsyncSession,
    asker: Asker,
    hero_id: int,
    *,
    owner_id: int,
    receiver_id: int,
    offered_at: datetime,
) -> Hero:
    """Hand a hero to the member it was offered to.

    Args:
        session: one that writes.
        asker: the member who accepts.
        hero_id: the hero's number.
        owner_id: the member who offered it.
        receiver_id: the member it was offered to.
        offered_at: the time of the offer.

    Raises:
        NotYoursError: it was offered to somebody else.
        HeroGoneError: the hero is not in the roster any more.
        RosterError: the offer has lapsed, or the hero has changed hands meanwhile.
    """
    if asker.id != receiver_id:
        raise NotYoursError(Refusal.OFFER_FOR_SOMEBODY_ELSE, owner=owner_id, receiver=receiver_id)
    if asker.now >= offered_at + OFFER_LASTS:
        raise RosterError(Refusal.OFFER_LAPSED, owner=owner_id)
    await lock_members(session, asker.id)
    hero = await hero_by_id(session, asker, hero_id, lock=True)
    if hero.owner_id != owner_id:
        raise RosterError(Refusal.CHANGED_HANDS, name=hero.name)
    await _hand_over(session, asker, hero, Action.TRANSFERRED)
    return hero


async def claim_hero(session: AsyncSession, asker: Asker, hero_id: int, *, owner_id: int) -> Hero:
    """Take over a hero whose owner has left the guild.

    Args:
        session: one that writes.
        asker: the member who takes it over.
        hero_id: the hero's number.
        owner_id: the owner, who has left, as Discord has just said.

    Raises:
        HeroGoneError: the hero is not in the roster any more.
        RosterError: somebody else was faster.
    """
    await lock_members(session, asker.id)
    hero = await hero_by_id(session, asker, hero_id, lock=True)
    if hero.owner_id != owner_id:
        raise RosterError(Refusal.CLAIMED_BY_ANOTHER, name=hero.name, owner=hero.owner_id)
    await _hand_over(session, asker, hero, Action.CLAIMED)
    return hero


async def _hand_over(session: AsyncSession, asker: Asker, hero: Hero, action: Action) -> None:
    await check_pace(session, asker)
    await check_room(session, hero.guild_id, asker.id)
    # The new owner has not chosen to trust them.
    await session.exec(delete(Confidant).where(col(Confidant.hero_id) == hero.id))
    record(session, hero, action, asker, other_id=hero.owner_id)
    hero.owner_id = asker.id
    hero.version += 1
    hero.updated_at = asker.now
