"""Removing a hero, bringing it back, and purging what nobody brought back."""

from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import ColumnElement
from sqlalchemy.exc import IntegrityError
from sqlmodel import and_, col, delete, select
from sqlmodel.ext.asyncio.session import AsyncSession

from bot.db.models import Action, Hero
from bot.roster.asker import Asker
from bot.roster.errors import HeroGoneError, RosterError
from bot.roster.heroes import hero_by_id, hero_named, name_taken
from bot.roster.history import Changes, record
from bot.roster.quota import take_turns
from bot.roster.rules import clean_name, name_key
from bot.roster.search import SUGGESTIONS_MOST
from bot.text import quote

KEPT_FOR: Final = timedelta(days=30)
"""How long a removed hero can be brought back."""

PURGE_BATCH: Final = 500
"""How many heroes one transaction purges at most, so that others need not wait for long."""


async def remove_hero(
    session: AsyncSession, *, guild_id: int, hero_id: int, asker: Asker, now: datetime
) -> Hero:
    """Take a hero from the roster; it can be brought back for 30 days.

    Raises:
        HeroGoneError: it is not in the roster.
        NotYoursError: the asker is neither its owner nor a keeper.
    """
    await asker.quota.check_pace(session, asker.id, now)
    hero = await hero_by_id(session, guild_id=guild_id, hero_id=hero_id, lock=True)
    asker.require_care_of(hero)
    hero.removed_at = now
    hero.version += 1
    record(session, hero, Action.REMOVED, actor_id=asker.id, at=now)
    return hero


async def restore_hero(
    session: AsyncSession,
    *,
    guild_id: int,
    hero_id: int,
    asker: Asker,
    now: datetime,
    new_name: str | None = None,
) -> Hero:
    """Bring a removed hero back.

    Args:
        session: one that writes.
        guild_id: the hero's guild.
        hero_id: the hero's number.
        asker: its owner or a keeper.
        now: the present moment.
        new_name: another name for it; None for its own.

    Raises:
        HeroGoneError: it is not among the removed, or was removed more than 30 days ago.
        NotYoursError: the asker may not.
        NameTakenError: another hero has the name by now; a new one helps.
    """
    query = select(Hero).where(Hero.guild_id == guild_id, Hero.id == hero_id)
    hero = (await session.exec(query)).one_or_none()
    if hero is None:
        raise HeroGoneError
    await take_turns(session, asker.id, hero.owner_id)
    await asker.quota.check_pace(session, asker.id, now)
    await session.refresh(hero, with_for_update=True)
    asker.require_care_of(hero)
    if hero.removed_at is None:
        raise RosterError(f"{quote(hero.name)} is in the roster already. `/hero find` shows its card.")
    if hero.removed_at <= now - KEPT_FOR:
        raise HeroGoneError
    await asker.quota.check_room(session, guild_id=guild_id, owner_id=hero.owner_id)
    hero.removed_at = None
    hero.version += 1
    hero.updated_at = now
    changes: Changes = {}
    if new_name is not None:
        old, hero.name = hero.name, clean_name(new_name)
        hero.name_key = name_key(hero.name)
        changes = {"name": [old, hero.name]}
    record(session, hero, Action.RESTORED, actor_id=asker.id, at=now, changes=changes)
    name = hero.name
    try:
        await session.flush()
    except IntegrityError as error:
        raise await name_taken(session, guild_id, name, error) from None
    return hero


async def find_removed(
    session: AsyncSession, *, guild_id: int, name: str, asker: Asker, now: datetime
) -> Hero:
    """The hero that was removed last under that name, among those the asker may bring back.

    Raises:
        RosterError: there is none.
    """
    query = (
        select(Hero)
        .where(_restorable(guild_id, asker, now), Hero.name_key == name_key(name))
        .order_by(col(Hero.removed_at).desc())
        .limit(1)
    )
    hero = (await session.exec(query)).first()
    if hero is not None:
        return hero
    if await hero_named(session, guild_id=guild_id, name=name) is not None:
        raise RosterError(f"{quote(name)} is in the roster already. `/hero find` shows its card.")
    raise RosterError(
        f"No hero called {quote(name)} was removed in the last {KEPT_FOR.days} days that you could restore."
    )


async def suggest_removed(
    session: AsyncSession, *, guild_id: int, typed: str, asker: Asker, now: datetime
) -> list[str]:
    """Up to 25 names of removed heroes that hold what was typed, among those the asker may bring back."""
    query = (
        select(Hero.name)
        .where(
            _restorable(guild_id, asker, now),
            col(Hero.name_key).contains(name_key(typed), autoescape=True),
        )
        .group_by(Hero.name)
        .order_by(Hero.name)
        .limit(SUGGESTIONS_MOST)
    )
    return list((await session.exec(query)).all())


async def purge_batch(session: AsyncSession, *, now: datetime) -> int:
    """Delete for good some of the heroes that were removed more than 30 days ago, with all that is theirs.

    Returns:
        How many; fewer than `PURGE_BATCH` when none are left.
    """
    due = (
        select(Hero.id)
        .where(col(Hero.removed_at) <= now - KEPT_FOR)
        .order_by(col(Hero.removed_at))
        .limit(PURGE_BATCH)
    )
    # The database takes their history and portraits along.
    return (await session.exec(delete(Hero).where(col(Hero.id).in_(due)))).rowcount


def _restorable(guild_id: int, asker: Asker, now: datetime) -> ColumnElement[bool]:
    wanted = [col(Hero.guild_id) == guild_id, col(Hero.removed_at) > now - KEPT_FOR]
    if not asker.keeper:
        wanted.append(col(Hero.owner_id) == asker.id)
    return and_(*wanted)
