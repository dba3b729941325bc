"""Removing a hero, and bringing it back."""

from datetime import timedelta
from typing import Final

from sqlalchemy import ColumnElement
from sqlmodel import and_, col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from bot.db.models import Action, Hero
from bot.roster.asker import Asker, Right
from bot.roster.errors import HeroGoneError, Refusal, RosterError
from bot.roster.heroes import flush_name, hero_by_id, hero_named
from bot.roster.history import Changes, record
from bot.roster.lookup import MAX_SUGGESTIONS
from bot.roster.quota import check_pace, check_room, lock_members
from bot.roster.rules import clean_name, name_key

KEPT_FOR: Final = timedelta(days=30)
"""The time in which a removed hero can be brought back."""


async def remove_hero(session: AsyncSession, asker: Asker, hero_id: int) -> Hero:
    """Take a hero from the roster; it can be brought back for 30 days.

    Raises:
        HeroGoneError: it is not in the roster.
        NotYoursError: the asker is neither its owner nor a keeper.
    """
    await check_pace(session, asker)
    hero = await hero_by_id(session, asker, hero_id, Right.OWNER_OR_KEEPER, lock=True)
    hero.removed_at = asker.now
    hero.version += 1
    record(session, hero, Action.REMOVED, asker)
    return hero


async def restore_hero(
    session: AsyncSession, asker: Asker, hero_id: int, *, new_name: str | None = None
) -> Hero:
    """Bring a removed hero back.

    Args:
        session: one that writes.
        asker: its owner or a keeper.
        hero_id: the hero's number.
        new_name: another name for it; None for its own.

    Raises:
        HeroGoneError: it is not among the removed, or was removed more than 30 days ago.
        NotYoursError: the asker lacks the right.
        NameTakenError: another hero has the name by now; a new one helps.
    """
    query = select(Hero).where(Hero.guild_id == asker.guild_id, Hero.id == hero_id)
    hero = (await session.exec(query)).one_or_none()
    if hero is None:
        raise HeroGoneError
    await lock_members(session, asker.id, hero.owner_id)
    await check_pace(session, asker)
    await session.refresh(hero, with_for_update=True)
    asker.require(Right.OWNER_OR_KEEPER, hero)
    if hero.removed_at is None:
        raise RosterError(Refusal.IN_THE_ROSTER, name=hero.name)
    if hero.removed_at <= asker.now - KEPT_FOR:
        raise HeroGoneError
    await check_room(session, asker.guild_id, hero.owner_id)
    hero.removed_at = None
    hero.version += 1
    hero.updated_at = asker.now
    changes: Changes = {}
    if new_name is not None:
        old, hero.name = hero.name, clean_name(new_name)
        hero.name_key = name_key(hero.name)
        changes = {"name": [old, hero.name]}
    record(session, hero, Action.RESTORED, asker, changes=changes)
    await flush_name(session, hero)
    return hero


async def find_removed(session: AsyncSession, asker: Asker, name: str) -> Hero:
    """Return the hero that was removed last under that name, among those the asker may bring back.

    Raises:
        RosterError: there is none.
    """
    query = (
        select(Hero)
        .where(_restorable(asker), Hero.name_key == name_key(name))
        .order_by(col(Hero.removed_at).desc())
        .limit(1)
    )
    hero = (await session.exec(query)).first()
    if hero is not None:
        return hero
    if await hero_named(session, asker.guild_id, name) is not None:
        raise RosterError(Refusal.IN_THE_ROSTER, name=name)
    raise RosterError(Refusal.NOT_REMOVED, name=name, days=KEPT_FOR.days)


async def suggest_removed(session: AsyncSession, asker: Asker, typed: str) -> list[str]:
    """Return up to 25 names of removed heroes that hold what was typed and that the asker may bring back."""
    query = (
        select(Hero.name)
        .where(_restorable(asker), col(Hero.name_key).contains(name_key(typed), autoescape=True))
        .group_by(Hero.name)
        .order_by(Hero.name)
        .limit(MAX_SUGGESTIONS)
    )
    return list((await session.exec(query)).all())


def _restorable(asker: Asker) -> ColumnElement[bool]:
    conditions = [col(Hero.guild_id) == asker.guild_id, col(Hero.removed_at) > asker.now - KEPT_FOR]
    if not asker.keeper:
        conditions.append(col(Hero.owner_id) == asker.id)
    return and_(*conditions)
