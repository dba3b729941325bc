"""What happened to a hero: written with each change, read by its owner and keepers."""

from datetime import datetime
from typing import Final, TypeAlias

from sqlmodel import col, func, select
from sqlmodel.ext.asyncio.session import AsyncSession

from bot.db.models import Action, Hero, HistoryEntry
from bot.roster.page import Page, page_of

PAGE: Final = 10
"""Entries on a page."""

_FOR_THE_OWNER: Final = (Action.CONFIDED, Action.UNCONFIDED, Action.LOOKED)

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
    other_id: int | None = None,
) -> None:
    """Write down what somebody does with a hero, in the transaction that does it.

    Args:
        session: the one that changes the hero.
        hero: a hero that the database has numbered.
        action: what happens.
        actor_id: the snowflake of whoever does it.
        at: when.
        changes: which fields change; of a secret identity only that it does.
        other_id: whom it also concerns: the owner before, or a confidant.
    """
    session.add(
        HistoryEntry(
            guild_id=hero.guild_id,
            hero_id=hero.id,
            actor_id=actor_id,
            other_id=other_id,
            action=action,
            changes=changes or {},
            at=at,
        )
    )


async def history_page(session: AsyncSession, hero: Hero, *, page: int, asker_id: int) -> Page[HistoryEntry]:
    """A page of a hero's history, newest first.

    Args:
        session: one that reads.
        hero: the hero; whoever asks was let pass before.
        page: from 1; the nearest one there is.
        asker_id: who asks; only the owner sees who is trusted with the secret identity, and who looked.
    """
    of_hero = [col(HistoryEntry.guild_id) == hero.guild_id, col(HistoryEntry.hero_id) == hero.id]
    if asker_id != hero.owner_id:
        of_hero.append(col(HistoryEntry.action).not_in(_FOR_THE_OWNER))
    total = (await session.exec(select(func.count()).select_from(HistoryEntry).where(*of_hero))).one()
    page, pages, offset = page_of(total, page, PAGE)
    newest_first = select(HistoryEntry).where(*of_hero).order_by(col(HistoryEntry.id).desc())
    entries = (await session.exec(newest_first.offset(offset).limit(PAGE))).all()
    return Page(list(entries), page, pages, total)
