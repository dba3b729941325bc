"""A hero's picture. Every query names its guild."""

from datetime import datetime

from sqlmodel import col, delete, select
from sqlmodel.ext.asyncio.session import AsyncSession

from bot.db.models import Action, Hero, Portrait
from bot.roster.asker import Asker
from bot.roster.heroes import hero_by_id
from bot.roster.history import record


async def set_portrait(
    session: AsyncSession,
    *,
    guild_id: int,
    hero_id: int,
    image: bytes | None,
    asker: Asker,
    now: datetime,
) -> Hero:
    """Give a hero a portrait in place of the one it has, or take that away.

    Args:
        session: one that writes.
        guild_id: the hero's guild.
        hero_id: the hero's number.
        image: what `bot.images.portrait.shrink` made; None for no portrait.
        asker: its owner or a keeper.
        now: the present moment.

    Returns:
        The hero as it is then; unchanged if there was no portrait to take away.

    Raises:
        HeroGoneError: the hero is not in the roster.
        NotYoursError: the asker may not.
    """
    await asker.quota.check_pace(session, asker.id, now)
    hero = await hero_by_id(session, guild_id=guild_id, hero_id=hero_id, lock=True)
    asker.require_care_of(hero)
    had, has = hero.has_portrait, image is not None
    if not had and not has:
        return hero
    hero.has_portrait = has
    hero.version += 1
    hero.updated_at = now
    record(session, hero, Action.PORTRAYED, actor_id=asker.id, at=now, changes={"has_portrait": [had, has]})
    if had:
        of_hero = col(Portrait.guild_id) == guild_id, col(Portrait.hero_id) == hero.id
        await session.exec(delete(Portrait).where(*of_hero))
    if image is not None:
        session.add(Portrait(hero_id=hero.id, guild_id=guild_id, image=image))
    return hero


async def portrait_of(session: AsyncSession, hero: Hero) -> bytes | None:
    """The portrait of a hero, a WebP of at most 512 x 512 pixels; None, unasked, if it has none."""
    if not hero.has_portrait:
        return None
    of_hero = Portrait.guild_id == hero.guild_id, Portrait.hero_id == hero.id
    return (await session.exec(select(Portrait.image).where(*of_hero))).one_or_none()
