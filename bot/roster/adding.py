"""Adding a hero."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final, TypedDict

from sqlmodel import insert
from sqlmodel.ext.asyncio.session import AsyncSession

from bot.db.batch import LEFT_OUT, Batch, LeftOut
from bot.db.models import Action, Hero, SealedSecret, new_binding
from bot.roster.asker import Asker
from bot.roster.errors import RosterError
from bot.roster.heroes import flush_name, hero_named, heroes_by_keys
from bot.roster.history import record, record_added
from bot.roster.quota import check_pace, check_room, lock_members, members_with_room
from bot.roster.rules import clean_age, clean_description, clean_name, clean_secret_name, name_key
from bot.roster.vault import Vault


class NewHero(TypedDict):
    """The columns of a hero that has no number yet. As a model it would take a third of an add's time."""

    guild_id: int
    owner_id: int
    name: str
    name_key: str
    sealed_secret: SealedSecret
    secret_key: str | None
    secret_binding: str
    age: int | None
    description: str | None
    created_at: datetime
    updated_at: datetime


async def add_hero(
    session: AsyncSession,
    asker: Asker,
    vault: Vault,
    *,
    name: str,
    secret_name: str,
    age: int | None = None,
    description: str | None = None,
) -> Hero:
    """Add a hero of the asker's to the roster, in a session that writes.

    `bot.roster.rules` says what each field may hold. The vault encrypts the secret identity.

    The hero may be stored and committed before the caller's block ends, along with others' heroes: change it
    in another session.

    Raises:
        InvalidHeroError: a field holds what it may not.
        NameTakenError: a hero of the guild has that name already.
        TooManyChangesError, TooManyHeroesError: the asker is at a limit.
    """
    clean, binding = clean_name(name), new_binding()
    new: NewHero = {
        "guild_id": asker.guild_id,
        "owner_id": asker.id,
        "name": clean,
        "name_key": name_key(clean),
        "sealed_secret": vault.sealed(clean_secret_name(secret_name), binding),
        "secret_key": vault.key_name,
        "secret_binding": binding,
        "age": clean_age(age),
        "description": clean_description(description),
        "created_at": asker.now,
        "updated_at": asker.now,
    }
    return await _store(session, (asker, new))


async def _store_alone(session: AsyncSession, asked: tuple[Asker, NewHero]) -> Hero:
    asker, new = asked
    try:
        await check_pace(session, asker)
        await check_room(session, asker.guild_id, asker.id)
        hero = Hero(**new)
        session.add(hero)
        await flush_name(session, hero)
    except RosterError:
        # A batch whose connection broke during the commit may have stored this very hero.
        stored = await hero_named(session, asker.guild_id, new["name"])
        if stored is None or stored.secret_binding != new["secret_binding"]:
            raise
        return stored
    record(session, hero, Action.ADDED, asker)
    return hero


async def _store_together(
    session: AsyncSession, asked: Sequence[tuple[Asker, NewHero]]
) -> Sequence[Hero | LeftOut]:
    """Store the heroes of several members; leave out those that `_store_alone` may refuse."""
    askers = [asker for asker, _ in asked]
    await lock_members(session, *(asker.id for asker in askers))
    with_room = await members_with_room(session, askers)
    keys = [(new["guild_id"], new["name_key"]) for _, new in asked]
    names = {key for key, taken in zip(keys, await heroes_by_keys(session, keys), strict=True) if taken}
    rows: dict[tuple[int, str], NewHero] = {}
    for (asker, new), key in zip(asked, keys, strict=True):
        if asker.id in with_room and key not in names:
            rows.setdefault(key, new)
    # Sort the rows: two batches that insert the same names in different orders deadlock.
    stored = await _insert(session, [rows[key] for key in sorted(rows)])
    await record_added(session, list(stored.values()))
    return [stored.get(new["secret_binding"], LEFT_OUT) for _, new in asked]


async def _insert(session: AsyncSession, rows: Sequence[NewHero]) -> dict[str, Hero]:
    """Insert heroes by one statement, which a flush would not do on SQLite; return them by their bindings."""
    if not rows:
        return {}
    # Without nulls, SQLAlchemy would make a statement for each set of fields that are there.
    statement = insert(Hero).returning(Hero).execution_options(render_nulls=True)
    heroes = (await session.exec(statement, params=rows)).scalars()
    return {hero.secret_binding: hero for hero in heroes}


_store: Final = Batch(together=_store_together, alone=_store_alone, writes=True)
"""Under load, members who add at the same time share one transaction."""
