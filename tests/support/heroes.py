"""Heroes in the database, for tests of what comes after adding one."""

from typing import Any

from bot.db.engine import Database
from bot.db.models import Action, Hero, SealedSecret
from bot.roster.asker import Asker
from bot.roster.history import record
from bot.roster.rules import name_key
from bot.roster.vault import Vault


async def stored_heroes(
    db: Database, *names: str, secret_name: str = "x", vault: Vault | None = None, **fields: Any
) -> list[Hero]:
    """Store heroes in one transaction as adding them does, history included, whatever the limits are.

    Args:
        db: where to.
        names: their names.
        secret_name: the secret identity of each, in plain text.
        vault: what seals the secret identity; by default nothing does.
        fields: other fields of `Hero`. By default they are member 2's, in guild 1.
    """
    heroes = [_hero(name, vault or Vault(), secret_name, fields) for name in names]
    async with db.write() as session:
        session.add_all(heroes)
        await session.flush()
        for hero in heroes:
            record(session, hero, Action.ADDED, Asker(hero.owner_id, hero.guild_id, hero.created_at))
    return heroes


async def stored_hero(db: Database, name: str = "Deadpond", **fields: Any) -> Hero:
    """Store one hero; see `stored_heroes`."""
    return (await stored_heroes(db, name, **fields))[0]


def _hero(name: str, vault: Vault, secret_name: str, fields: dict[str, Any]) -> Hero:
    values: dict[str, Any] = {"guild_id": 1, "owner_id": 2, "name": name, "name_key": name_key(name)}
    hero = Hero(**(values | fields), sealed_secret=SealedSecret(""))
    if "updated_at" not in fields:
        hero.updated_at = hero.created_at
    vault.seal(hero, secret_name)
    return hero
