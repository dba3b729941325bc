"""The history of a hero: written with each change, read by its owner and keepers."""

from collections.abc import Sequence
from typing import Any, Final, TypeAlias

from sqlmodel import col, func, insert, select
from sqlmodel.ext.asyncio.session import AsyncSession

from bot.db.models import Action, Hero, HistoryEntry
from bot.roster.asker import Asker
from bot.roster.page import Page, page_of

PAGE_SIZE: Final = 10
"""Entries on a page."""

_FOR_THE_OWNER: Final = (Action.CONFIDED, Action.UNCONFIDED, Action.LOOKED)

Changes: TypeAlias = dict[str, list[str | int | None]]
"""Old and new value by the name of the field; no values where only the fact is kept."""


def record(
    session: AsyncSession,
    hero: Hero,
    action: Action,
    asker: Asker,
    *,
    changes: Changes | None = None,
    other_id: int | None = None,
) -> None:
    """Write down what the asker does with a hero, in the transaction that does it.

    Args:
        session: the one that changes the hero.
        hero: a hero that the database has numbered.
        action: the event.
        asker: the member who acts.
        changes: the fields that change; for a secret identity only that it does.
        other_id: the owner before, or a confidant.
    """
    session.add(
        HistoryEntry(
            guild_id=hero.guild_id,
            hero_id=hero.id,
            actor_id=asker.id,
            other_id=other_id,
            action=action,
            changes=changes or {},
            at=asker.now,
        )
    )


async def record_added(session: AsyncSession, heroes: Sequence[Hero]) -> None:
    """Write down that their owners added these heroes, by one statement."""
    entries: list[dict[str, Any]] = [
        {
            "guild_id": hero.guild_id,
            "hero_id": hero.id,
            "actor_id": hero.owner_id,
            "action": Action.ADDED,
            "changes": {},
            "at": hero.created_at,
        }
        for hero in heroes
    ]
    if entries:
        await session.exec(insert(HistoryEntry), params=entries)


async def history_page(session: AsyncSession, asker: Asker, hero: Hero, page: int) -> Page[HistoryEntry]:
    """Return a page of a hero's history, newest first.

    Args:
        session: one that reads.
        asker: who asks, whose right to it was checked before. Only the owner sees who is trusted with the
            secret identity, and who looked at it.
        hero: the hero.
        page: from 1; the nearest page there is.
    """
    of_hero = [col(HistoryEntry.guild_id) == hero.guild_id, col(HistoryEntry.hero_id) == hero.id]
    if asker.id != hero.owner_id:
        of_hero.append(col(HistoryEntry.action).not_in(_FOR_THE_OWNER))
    total = (await session.exec(select(func.count()).select_from(HistoryEntry).where(*of_hero))).one()
    page, pages, offset = page_of(total, page, PAGE_SIZE)
    newest_first = select(HistoryEntry).where(*of_hero).order_by(col(HistoryEntry.id).desc())
    entries = (await session.exec(newest_first.offset(offset).limit(PAGE_SIZE))).all()
    return Page(list(entries), page, pages, total)
