"""Reading heroes, above all when several members do so at the same time."""

import asyncio

from sqlalchemy import event

from bot.db.engine import Database
from bot.db.models import Hero
from bot.roster.heroes import hero_named
from tests.support.heroes import stored_hero


async def test_several_are_found_together_each_in_its_own_guild(db: Database) -> None:
    for name, guild_id in [("Deadpond", 1), ("Deadpond", 2), ("Spider-Boy", 1), ("Rusty-Man", 2)]:
        await stored_hero(db, name, guild_id=guild_id, owner_id=guild_id)
    statements: list[str] = []

    def executed(_connection: object, _cursor: object, statement: str, *_rest: object) -> None:
        statements.append(statement)

    event.listen(db.engine.sync_engine, "before_cursor_execute", executed)

    async def find(guild_id: int, name: str) -> Hero | None:
        async with db.read() as session:
            return await hero_named(session, guild_id, name)

    asked = [(1, "deadpond"), (2, "DEADPOND"), (2, "Spider-Boy"), (1, "Rusty-Man"), (1, "Spider-Boy")]
    found = await asyncio.gather(*(find(*each) for each in [*asked, (1, "Deadpond"), (3, "Deadpond")]))

    assert [hero and (hero.guild_id, hero.name) for hero in found] == [
        (1, "Deadpond"),
        (2, "Deadpond"),
        None,
        None,
        (1, "Spider-Boy"),
        (1, "Deadpond"),
        None,
    ]
    assert len(statements) == 1


async def test_a_removed_hero_is_not_found_by_its_name(db: Database) -> None:
    gone = await stored_hero(db, "Deadpond")
    async with db.write() as session:
        hero = await session.get_one(Hero, gone.id)
        hero.removed_at = hero.created_at
    kept = await stored_hero(db, "Rusty-Man")

    async def find(name: str) -> Hero | None:
        async with db.read() as session:
            return await hero_named(session, 1, name)

    assert await find("Deadpond") is None
    together = await asyncio.gather(find("Deadpond"), find("Rusty-Man"))
    assert [hero and hero.id for hero in together] == [None, kept.id]


async def test_who_has_changed_a_hero_finds_it_changed(db: Database) -> None:
    await stored_hero(db, "Deadpond")

    async with db.write() as session:
        hero = await hero_named(session, 1, "Deadpond")
        assert hero is not None
        hero.name, hero.name_key = "Deadpool", "deadpool"
        assert await hero_named(session, 1, "Deadpool") is hero
        assert await hero_named(session, 1, "Deadpond") is None
