"""The data that is kept about a member: counted, exported, erased."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement
from sqlmodel import col, delete, func, or_, select, update
from sqlmodel.ext.asyncio.session import AsyncSession

from bot.db.models import Confidant, Hero, HistoryEntry
from bot.roster.vault import Vault


@dataclass(frozen=True, slots=True)
class Kept:
    """The number of things that are kept about a member.

    Args:
        heroes: in rosters.
        removed: heroes that can still be brought back.
        trusted_with: secret identities of others that they may read.
        deeds: entries in histories that name them.
    """

    heroes: int
    removed: int
    trusted_with: int
    deeds: int


async def what_is_kept(session: AsyncSession, user_id: int, guild_id: int | None = None) -> Kept:
    """Count what is kept about a member, in one guild or in all."""

    async def count(table: Any, *conditions: ColumnElement[bool]) -> int:
        query = select(func.count()).select_from(table).where(*conditions, *_in(table, guild_id))
        return (await session.exec(query)).one()

    owned = col(Hero.owner_id) == user_id
    return Kept(
        heroes=await count(Hero, owned, col(Hero.removed_at).is_(None)),
        removed=await count(Hero, owned, col(Hero.removed_at).is_not(None)),
        trusted_with=await count(Confidant, col(Confidant.user_id) == user_id),
        deeds=await count(HistoryEntry, _names(user_id)),
    )


async def everything_about(session: AsyncSession, user_id: int, vault: Vault) -> dict[str, Any]:
    """Return all that is kept about a member in all guilds, as JSON can hold it, with their heroes' secrets.

    Raises:
        VaultError: a secret identity is unreadable.
    """
    trusted = await session.exec(select(Confidant, Hero.name).join(Hero).where(Confidant.user_id == user_id))
    deeds = await session.exec(
        select(HistoryEntry, Hero.name).join(Hero).where(_names(user_id)).order_by(col(HistoryEntry.id))
    )
    return {
        "user": str(user_id),
        "heroes": await _heroes_of(session, user_id, vault),
        "trusted_with": [
            {"server": str(entry.guild_id), "hero": name, "since": entry.since.isoformat()}
            for entry, name in trusted
        ],
        "history": [
            {
                "server": str(entry.guild_id),
                "hero": name,
                "action": entry.action,
                "by_you": entry.actor_id == user_id,
                "at": entry.at.isoformat(),
            }
            for entry, name in deeds
        ],
    }


async def _heroes_of(session: AsyncSession, user_id: int, vault: Vault) -> list[dict[str, Any]]:
    heroes = await session.exec(select(Hero).where(Hero.owner_id == user_id).order_by(col(Hero.id)))
    trusting = await session.exec(select(Confidant).join(Hero).where(Hero.owner_id == user_id))
    confidants: dict[int, list[str]] = {}
    for confidant in trusting:
        confidants.setdefault(confidant.hero_id, []).append(str(confidant.user_id))
    return [
        {
            "server": str(hero.guild_id),
            "name": hero.name,
            "secret_name": vault.unseal(hero),
            "age": hero.age,
            "description": hero.description,
            "has_portrait": hero.has_portrait,
            "confidants": confidants.get(hero.id, []),
            "created_at": hero.created_at.isoformat(),
            "updated_at": hero.updated_at.isoformat(),
            "removed_at": None if hero.removed_at is None else hero.removed_at.isoformat(),
        }
        for hero in heroes
    ]


async def erase_member(session: AsyncSession, user_id: int, guild_id: int | None = None) -> int:
    """Delete a member's heroes with all that belongs to them, confidences and traces.

    Entries in others' histories stay, without the member's name.

    Args:
        session: one that writes.
        user_id: the member's snowflake.
        guild_id: in this guild alone; None for all guilds.

    Returns:
        How many heroes were deleted.
    """
    of_member = col(Hero.owner_id) == user_id, *_in(Hero, guild_id)
    erased = (await session.exec(delete(Hero).where(*of_member))).rowcount
    trusted = col(Confidant.user_id) == user_id, *_in(Confidant, guild_id)
    await session.exec(delete(Confidant).where(*trusted))
    for column in ("actor_id", "other_id"):
        named = col(getattr(HistoryEntry, column)) == user_id, *_in(HistoryEntry, guild_id)
        await session.exec(update(HistoryEntry).where(*named).values({column: None}))
    return erased


def _in(table: Any, guild_id: int | None) -> tuple[ColumnElement[bool], ...]:
    return () if guild_id is None else (col(table.guild_id) == guild_id,)


def _names(user_id: int) -> ColumnElement[bool]:
    return or_(col(HistoryEntry.actor_id) == user_id, col(HistoryEntry.other_id) == user_id)
