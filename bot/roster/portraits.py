"""A hero's picture. Every query names its guild."""

from sqlmodel import col, delete, select
from sqlmodel.ext.asyncio.session import AsyncSession

from bot.db.models import Action, Hero, Portrait
from bot.roster.asker import Asker, Right
from bot.roster.heroes import hero_by_id
from bot.roster.history import record
from bot.roster.quota import check_pace


async def set_portrait(session: AsyncSession, asker: Asker, hero_id: int, image: bytes | None) -> Hero:
    """Set, replace or delete a hero's portrait.

    Args:
        session: one that writes.
        asker: its owner or a keeper.
        hero_id: the hero's number.
        image: a WebP that `bot.images.portrait` made; None for no portrait.

    Returns:
        The hero as it is then; unchanged if there was no portrait to delete.

    Raises:
        HeroGoneError: the hero is not in the roster.
        NotYoursError: the asker lacks the right.
    """
    await check_pace(session, asker)
    hero = await hero_by_id(session, asker, hero_id, Right.OWNER_OR_KEEPER, lock=True)
    had, has = hero.has_portrait, image is not None
    if not had and not has:
        return hero
    hero.has_portrait = has
    hero.version += 1
    hero.updated_at = asker.now
    record(session, hero, Action.PORTRAYED, asker, changes={"has_portrait": [had, has]})
    if had:
        of_hero = col(Portrait.guild_id) == hero.guild_id, col(Portrait.hero_id) == hero.id
        await session.exec(delete(Portrait).where(*of_hero))
    if image is not None:
        session.add(Portrait(hero_id=hero.id, guild_id=hero.guild_id, image=image))
    return hero


async def portrait_of(session: AsyncSession, hero: Hero) -> bytes | None:
    """Return a hero's portrait, a WebP of at most 512 x 512 pixels; None, without a query, if it has none."""
    if not hero.has_portrait:
        return None
    of_hero = Portrait.guild_id == hero.guild_id, Portrait.hero_id == hero.id
    return (await session.exec(select(Portrait.image).where(*of_hero))).one_or_none()
