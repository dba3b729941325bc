"""What happened to a hero: written with each change, read by its owner and keepers."""

from datetime import datetime
from typing import Final, TypeAlias

from sqlmodel import col, func, select
from sqlmodel.ext.asyncio.session import AsyncSession

from bot.db.models import Action, Hero, HistoryEntry
from bot.roster.page import Page, page_of

PAGE: Final = 10
"""Entries on a page."""

Changes: TypeAlias = dict[str, list[str | int | None]]
"""Old and new value by the name of the field; no values where only the fact is kept."""


def record(
    session: AsyncSession,
    hero: Hero,
    action: Action,
    *,
    actor_id: int,
    at: datetime,
    changes: Changes | None = None,
) -> None:
    """Write down what somebody does with a hero, in the transaction that does it.

    Args:
        session: the one that changes the hero.
        hero: a hero that the database has numbered.
        action: what happens.
        actor_id: the snowflake of whoever does it.
        at: when.
        changes: which fields change; of a secret identity only that it does.
    """
    session.add(
        HistoryEntry(
            guild_id=hero.guild_id,
            hero_id=hero.id,
            actor_id=actor_id,
            action=action,
            changes=changes or {},
            at=at,
        )
    )


async def history_page(
    session: AsyncSession, *, guild_id: int, hero_id: int, page: int
) -> Page[HistoryEntry]:
    """A page of a hero's history, newest first.

    Args:
        session: one that reads.
        guild_id: the hero's guild.
        hero_id: the hero's number; whoever asks was let pass before.
        page: from 1; the nearest one there is.
    """
    of_hero = (col(HistoryEntry.guild_id) == guild_id, col(HistoryEntry.hero_id) == hero_id)
    total = (await session.exec(select(func.count()).select_from(HistoryEntry).where(*of_hero))).one()
    page, pages, offset = page_of(total, page, PAGE)
    newest_first = select(HistoryEntry).where(*of_hero).order_by(col(HistoryEntry.id).desc())
    entries = (await session.exec(newest_first.offset(offset).limit(PAGE))).all()
    return Page(list(entries), page, pages, total)
