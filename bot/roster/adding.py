"""Adding heroes, one or several at once."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final, TypedDict

from sqlalchemy import text
from sqlalchemy.dialects import postgresql, sqlite
from sqlmodel import col
from sqlmodel.ext.asyncio.session import AsyncSession

from bot.db.models import Hero, new_seal, utcnow
from bot.roster.errors import NameTakenError
from bot.roster.heroes import hero_named
from bot.roster.history import record_additions
from bot.roster.quota import Quota
from bot.roster.rules import clean_age, clean_description, clean_name, clean_secret_name, name_key
from bot.vault import Vault


class NewHero(TypedDict):
    """What `new_hero` has checked and encrypted: the columns of a hero that has no number yet."""

    guild_id: int
    owner_id: int
    name: str
    name_key: str
    secret_name: str
    secret_key: str | None
    secret_seal: str
    age: int | None
    description: str | None
    created_at: datetime
    updated_at: datetime


def new_hero(
    *,
    guild_id: int,
    owner_id: int,
    vault: Vault,
    name: str,
    secret_name: str,
    age: int | None = None,
    description: str | None = None,
    now: datetime | None = None,
) -> NewHero:
    """A hero to be added.

    Args:
        guild_id: the guild's snowflake.
        owner_id: the snowflake of the member who adds the hero, and plays it.
        vault: what encrypts the secret identity.
        name: see `clean_name`.
        secret_name: see `clean_secret_name`.
        age: see `clean_age`.
        description: see `clean_description`.
        now: the present moment; None reads the computer's clock.

    Raises:
        InvalidHeroError: a field holds what it may not.
    """
    clean, seal, now = clean_name(name), new_seal(), now or utcnow()
    return {
        "guild_id": guild_id,
        "owner_id": owner_id,
        "name": clean,
        "name_key": name_key(clean),
        "secret_name": vault.encrypt(clean_secret_name(secret_name), seal),
        "secret_key": vault.key_name,
        "secret_seal": seal,
        "age": clean_age(age),
        "description": clean_description(description),
        "created_at": now,
        "updated_at": now,
    }


async def add_hero(session: AsyncSession, hero: NewHero, quota: Quota) -> Hero:
    """Add a hero to the roster of its guild.

    Raises:
        NameTakenError: a hero of the guild has that name already; it stays as it is.
        TooManyChangesError: the owner has to wait a little.
        TooManyHeroesError: the owner has enough.
    """
    guild_id, owner_id = hero["guild_id"], hero["owner_id"]
    await quota.check_pace(session, owner_id, hero["created_at"])
    await quota.check_room(session, guild_id=guild_id, owner_id=owner_id)
    while True:
        (added,) = await _insert(session, [hero])
        if added is not None:
            return added
        other = await hero_named(session, guild_id=guild_id, name=hero["name"])
        if other is not None and other.secret_seal == hero["secret_seal"]:
            # It was added by the batch before, and the connection broke before the database could say so.
            return other
        # None: it was removed just now.
        if other is not None:
            raise NameTakenError(other.name, other.owner_id)


async def add_heroes(session: AsyncSession, heroes: Sequence[NewHero], quota: Quota) -> list[Hero | None]:
    """Add heroes of any guilds and owners together.

    Returns:
        Each hero as it was added, or None: its name is taken, or its owner near a limit. `add_hero` says
        which, or adds it after all.
    """
    owners = [(hero["guild_id"], hero["owner_id"]) for hero in heroes]
    allowed = await quota.sure_additions(session, owners, min(hero["created_at"] for hero in heroes))
    added = iter(await _insert(session, [hero for hero, sure in zip(heroes, allowed, strict=True) if sure]))
    return [next(added) if sure else None for sure in allowed]


# The database decides who gets a name; to look first would let two members pass at once.
_NAME: Final[dict[str, Any]] = {
    "index_elements": ["guild_id", "name_key"],
    "index_where": text("removed_at IS NULL"),
}
_NUMBER: Final = (col(Hero.secret_seal), col(Hero.id))
_INSERT: Final = {
    "sqlite": sqlite.insert(Hero).on_conflict_do_nothing(**_NAME).returning(*_NUMBER),
    "postgresql": postgresql.insert(Hero).on_conflict_do_nothing(**_NAME).returning(*_NUMBER),
}


async def _insert(session: AsyncSession, heroes: Sequence[NewHero]) -> list[Hero | None]:
    """Insert heroes and the fact that they were added; None for one whose name is taken."""
    # Always in the same order: two batches with the same names could wait for each other otherwise.
    ordered = sorted(heroes, key=lambda hero: (hero["guild_id"], hero["name_key"]))
    if not ordered:
        return []
    # By the connection: what the database makes of a new hero is known but for its number, so the
    # session need not load it back.
    connection = await session.connection()
    inserted = await connection.execute(_INSERT[connection.dialect.name], ordered)
    # By their seals, since names do not tell them apart: a batch may hold one name twice.
    numbers = {row.secret_seal: row.id for row in inserted}
    added = [
        Hero(id=numbers[hero["secret_seal"]], **hero) if hero["secret_seal"] in numbers else None
        for hero in heroes
    ]
    await record_additions(session, [hero for hero in added if hero is not None])
    return added
