"""Adding heroes, one or several at once."""

from collections.abc import Sequence
from datetime import datetime

from sqlmodel.ext.asyncio.session import AsyncSession

from bot.db.models import Hero, new_seal, utcnow
from bot.roster.errors import NameTakenError
from bot.roster.heroes import hero_named
from bot.roster.insertion import NewHero, insert_heroes
from bot.roster.quota import Quota, take_turns
from bot.roster.rules import clean_age, clean_description, clean_name, clean_secret_name, name_key
from bot.roster.vault import Vault


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
    guild_id, owner_id, now = hero["guild_id"], hero["owner_id"], hero["created_at"]
    await take_turns(session, owner_id)
    while True:
        added = await insert_heroes(session, [hero], quota.bounds(now))
        if added:
            return added[hero["secret_seal"]]
        other = await hero_named(session, guild_id=guild_id, name=hero["name"])
        if other is not None and other.secret_seal == hero["secret_seal"]:
            # It was added by the batch before, and the connection broke before the database could say so.
            return other
        await quota.check_pace(session, owner_id, now)
        await quota.check_room(session, guild_id=guild_id, owner_id=owner_id)
        # None: it was removed just now.
        if other is not None:
            raise NameTakenError(other.name, other.owner_id)


async def add_heroes(session: AsyncSession, heroes: Sequence[NewHero], quota: Quota) -> list[Hero | None]:
    """Add heroes of any guilds and owners together.

    Returns:
        Each hero as it was added, or None: its name is taken, or its owner near a limit. `add_hero` says
        which, or adds it after all.
    """
    await take_turns(session, *(hero["owner_id"] for hero in heroes))
    bounds = quota.bounds(min(hero["created_at"] for hero in heroes))
    added = await insert_heroes(session, heroes, bounds)
    return [added.get(hero["secret_seal"]) for hero in heroes]
