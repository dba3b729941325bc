"""Adding a hero."""

from collections.abc import Sequence
from typing import Any, Final

from sqlalchemy.exc import IntegrityError
from sqlmodel import insert
from sqlmodel.ext.asyncio.session import AsyncSession

from bot.db.batch import LEFT_OUT, Batch, LeftOut
from bot.db.models import Action, Hero, SealedSecret, new_binding
from bot.roster.asker import Asker
from bot.roster.errors import RosterError
from bot.roster.heroes import hero_named, heroes_by_keys, name_taken
from bot.roster.history import record, record_added
from bot.roster.quota import check_pace, check_room, lock_members, members_with_room
from bot.roster.rules import clean_age, clean_description, clean_name, clean_secret_name, name_key
from bot.roster.vault import Vault


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
    """Add a hero of the asker's to the roster.

    Args:
        session: one that writes.
        asker: who plays it.
        vault: what encrypts the secret identity.
        name: see `clean_name`.
        secret_name: see `clean_secret_name`.
        age: see `clean_age`.
        description: see `clean_description`.

    Raises:
        InvalidHeroError: a field holds what it may not.
        NameTakenError: a hero of the guild has that name already.
        TooManyChangesError, TooManyHeroesError: the asker is at a limit.
    """
    clean = clean_name(name)
    hero = Hero(
        guild_id=asker.guild_id,
        owner_id=asker.id,
        name=clean,
        name_key=name_key(clean),
        sealed_secret=SealedSecret(""),
        secret_binding=new_binding(),
        age=clean_age(age),
        description=clean_description(description),
        created_at=asker.now,
        updated_at=asker.now,
    )
    vault.seal(hero, clean_secret_name(secret_name))
    return await _store(session, (asker, hero))


async def _store_alone(session: AsyncSession, new: tuple[Asker, Hero]) -> Hero:
    asker, hero = new
    try:
        await check_pace(session, asker)
        await check_room(session, asker.guild_id, asker.id)
        session.add(hero)
        try:
            await session.flush()
        except IntegrityError as error:
            raise await name_taken(session, hero.guild_id, hero.name, error) from None
    except RosterError:
        # A batch whose connection broke during the commit may have stored this very hero.
        stored = await hero_named(session, hero.guild_id, hero.name)
        if stored is None or stored.secret_binding != hero.secret_binding:
            raise
        return stored
    record(session, hero, Action.ADDED, asker)
    return hero


async def _store_together(
    session: AsyncSession, new: Sequence[tuple[Asker, Hero]]
) -> Sequence[Hero | LeftOut]:
    """Store the heroes of several members; leave out those that `_store_alone` may refuse."""
    await lock_members(session, *(asker.id for asker, _ in new))
    with_room = await members_with_room(session, [asker for asker, _ in new])
    keys = [(hero.guild_id, hero.name_key) for _, hero in new]
    names = {key for key, taken in zip(keys, await heroes_by_keys(session, keys), strict=True) if taken}
    rows: dict[tuple[int, str], dict[str, Any]] = {}
    for (asker, hero), key in zip(new, keys, strict=True):
        if asker.id in with_room and key not in names and key not in rows:
            rows[key] = hero.model_dump(exclude={"id"})
    # In the same order everywhere: two batches with the same names would be a deadlock otherwise.
    stored = await _insert(session, [rows[key] for key in sorted(rows)])
    await record_added(session, list(stored.values()))
    return [stored.get(hero.secret_binding, LEFT_OUT) for _, hero in new]


async def _insert(session: AsyncSession, rows: Sequence[dict[str, Any]]) -> dict[str, Hero]:
    """Insert heroes by one statement, which a flush would not do on SQLite; return them by their bindings."""
    if not rows:
        return {}
    # Without nulls, SQLAlchemy would make a statement for each set of fields that are there.
    statement = insert(Hero).returning(Hero).execution_options(render_nulls=True)
    heroes = (await session.exec(statement, params=rows)).scalars()
    return {hero.secret_binding: hero for hero in heroes}


_store: Final = Batch(together=_store_together, alone=_store_alone, writes=True)
"""Under load, members who add at the same time share one transaction."""
