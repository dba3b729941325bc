"""A hero changes hands."""

from datetime import datetime, timedelta
from typing import Final

from sqlmodel import col, delete
from sqlmodel.ext.asyncio.session import AsyncSession

from bot.db.models import Action, Confidant, Hero
from bot.roster.asker import Asker
from bot.roster.errors import NotYoursError, RosterError
from bot.roster.heroes import hero_by_id
from bot.roster.history import record
from bot.roster.quota import take_turns
from bot.text import quote

OFFER_STANDS_FOR: Final = timedelta(days=1)
"""How long the receiver of a transfer has to accept it."""


async def accept_offer(
    session: AsyncSession,
    *,
    guild_id: int,
    hero_id: int,
    owner_id: int,
    receiver_id: int,
    offered_at: datetime,
    asker: Asker,
    now: datetime,
) -> Hero:
    """Hand a hero to the member it was offered to.

    Args:
        session: one that writes.
        guild_id: the hero's guild.
        hero_id: the hero's number.
        owner_id: who offered it.
        receiver_id: to whom.
        offered_at: when.
        asker: who accepts.
        now: the present moment.

    Raises:
        NotYoursError: it was offered to somebody else.
        HeroGoneError: the hero is not in the roster any more.
        RosterError: the offer has lapsed, or the hero has changed hands meanwhile.
    """
    if asker.id != receiver_id:
        raise NotYoursError(
            f"This offer is for <@{receiver_id}> to accept. <@{owner_id}> can withdraw it with Decline."
        )
    if now >= offered_at + OFFER_STANDS_FOR:
        raise RosterError(f"This offer has lapsed. <@{owner_id}> can make it again with `/hero transfer`.")
    await take_turns(session, asker.id)
    hero = await hero_by_id(session, guild_id=guild_id, hero_id=hero_id, lock=True)
    if hero.owner_id != owner_id:
        raise RosterError(f"{quote(hero.name)} has changed hands since this offer was made.")
    await _hand_over(session, hero, asker, Action.TRANSFERRED, now)
    return hero


async def claim_hero(
    session: AsyncSession, *, guild_id: int, hero_id: int, owner_id: int, asker: Asker, now: datetime
) -> Hero:
    """Take over a hero whose owner has left the guild.

    Args:
        session: one that writes.
        guild_id: the hero's guild.
        hero_id: the hero's number.
        owner_id: the owner of whom Discord has just said that they left.
        asker: who takes it over.
        now: the present moment.

    Raises:
        HeroGoneError: the hero is not in the roster any more.
        RosterError: somebody else was faster.
    """
    await take_turns(session, asker.id)
    hero = await hero_by_id(session, guild_id=guild_id, hero_id=hero_id, lock=True)
    if hero.owner_id != owner_id:
        raise RosterError(f"Somebody was faster: <@{hero.owner_id}> plays {quote(hero.name)} now.")
    await _hand_over(session, hero, asker, Action.CLAIMED, now)
    return hero


async def _hand_over(session: AsyncSession, hero: Hero, asker: Asker, action: Action, now: datetime) -> None:
    await asker.quota.check_pace(session, asker.id, now)
    await asker.quota.check_room(session, guild_id=hero.guild_id, owner_id=asker.id)
    # The new owner has not chosen to trust them.
    await session.exec(delete(Confidant).where(col(Confidant.hero_id) == hero.id))
    record(session, hero, action, actor_id=asker.id, other_id=hero.owner_id, at=now)
    hero.owner_id = asker.id
    hero.version += 1
    hero.updated_at = now
