"""Adding heroes, one or several at once."""

from collections.abc import Sequence
from datetime import datetime

from sqlmodel.ext.asyncio.session import AsyncSession

from bot.db.models import Hero, new_seal, utcnow
from bot.roster.errors import NameTakenError
from bot.roster.heroes import hero_named
from bot.roster.insertion import NewHero, insert_heroes
from bot.roster.quota import Quota, TooManyChangesError, TooManyHeroesError
from bot.roster.rules import clean_age, clean_description, clean_name, clean_secret_name, name_key
from bot.vault import Vault


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
    try:
        await quota.check_pace(session, owner_id, hero["created_at"])
        await quota.check_room(session, guild_id=guild_id, owner_id=owner_id)
    except (TooManyChangesError, TooManyHeroesError):
        same = await hero_named(session, guild_id=guild_id, name=hero["name"])
        if same is None or same.secret_seal != hero["secret_seal"]:
            raise
        # See below; what is counted against it is the hero itself.
        return same
    while True:
        added = await insert_heroes(session, [hero])
        if added:
            return added[hero["secret_seal"]]
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
    now = min(hero["created_at"] for hero in heroes)
    near = set[int]()
    while True:
        added = await insert_heroes(session, [hero for hero in heroes if hero["owner_id"] not in near])
        exceeded = await quota.exceeded(session, list(added.values()), now) if added else set[int]()
        if not exceeded:
            return [added.get(hero["secret_seal"]) for hero in heroes]
        # Once more without them; the one who is told why is whoever asked for too many.
        near |= exceeded
        await session.rollback()
