"""How the databases go about finding and suggesting in a large roster."""

from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from sqlalchemy import event, insert, text
from sqlmodel.ext.asyncio.session import AsyncSession

from bot.db.engine import Database
from bot.db.models import Hero
from bot.roster.asker import Asker
from bot.roster.heroes import heroes_by_keys
from bot.roster.lookup import Wanted, find_hero, suggest_names

BOB = Asker(3, 1)


@pytest.fixture
async def crowded(db: Database) -> Database:
    """100,000 heroes in guild 1 and 1,000 in each of a few others."""
    rows = [
        {
            "guild_id": 1 if number < 100_000 else 2 + number % 10,
            "owner_id": number % 500,
            "name": f"Hero {number}",
            "name_key": f"hero {number}",
            "secret_name": "x",
        }
        for number in range(110_000)
    ]
    async with db.engine.begin() as connection:
        await connection.execute(insert(Hero), rows)
        await connection.execute(text("ANALYZE"))
    return db


async def plan(db: Database, work: Callable[[AsyncSession], Awaitable[object]], how: str) -> list[str]:
    """How the database goes about each statement of some work."""
    statements: list[tuple[str, Any]] = []

    def executed(_c: object, _cursor: object, statement: str, parameters: Any, *_rest: object) -> None:
        statements.append((statement, parameters))

    async with db.read() as session:
        # In use: what is asked of it is not asked together with what others ask.
        await session.connection()
        event.listen(db.engine.sync_engine, "before_cursor_execute", executed)
        await work(session)
        event.remove(db.engine.sync_engine, "before_cursor_execute", executed)
        connection = await session.connection()
        return [
            "\n".join(str(row) for row in await connection.exec_driver_sql(f"{how} {sql}", parameters))
            for sql, parameters in statements
        ]


async def test_finding_and_suggesting_among_100_000_use_the_index(crowded: Database) -> None:
    async def work(session: AsyncSession) -> None:
        hero = await find_hero(session, BOB, Wanted("HERO 99999"))
        several = await heroes_by_keys(session, [(1, "hero 99998"), (2, "hero 7"), (1, "hero 5")])
        names = await suggest_names(session, BOB, "hero 9999")
        assert [each and each.name for each in several] == ["Hero 99998", None, "Hero 5"]
        assert hero.name == "Hero 99999"
        assert names == ["Hero 9999", *(f"Hero 9999{digit}" for digit in range(10))]

    explain = "EXPLAIN QUERY PLAN" if crowded.is_sqlite else "EXPLAIN"
    exact, together, suggesting = await plan(crowded, work, explain)
    for found in (exact, together):
        assert "uq_hero_guild_id_name_key" in found, found
        assert "Seq Scan" not in found, found
        assert "SCAN hero" not in found, found
    assert not crowded.is_sqlite or "name_key=?" in together, together
    # What holds it elsewhere takes a look at the whole guild, by whichever way the planner finds shorter.
    starts = "name_key>? AND name_key<?" if crowded.is_sqlite else "name_key)::text >= 'hero 9999'"
    assert starts in suggesting, suggesting


async def test_nothing_is_looked_for_inside_names_where_enough_start_with_it(crowded: Database) -> None:
    async def work(session: AsyncSession) -> None:
        assert len(await suggest_names(session, BOB, "hero 9")) == 25

    if not crowded.is_sqlite:
        [ran] = await plan(crowded, work, "EXPLAIN ANALYZE")
        assert "never executed" in ran, ran
        return
    steps = 0

    def stepped() -> None:
        nonlocal steps
        steps += 1000

    async with crowded.read() as session:
        raw = await (await session.connection()).get_raw_connection()
        assert raw.driver_connection is not None
        await raw.driver_connection.set_progress_handler(stepped, 1000)
        await work(session)
    assert steps < 10_000, "a look at each name takes a step at least"
