"""What the tables hold, and what they refuse."""

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from sqlalchemy.exc import IntegrityError, StatementError
from sqlmodel import select

from bot.db.engine import Database
from bot.db.models import Hero
from tests.support.heroes import stored_hero

SNOWFLAKE = 2**63 - 1


@pytest.mark.parametrize(
    "wrong",
    [
        {"name": ""},
        {"name": "x" * 81},
        {"age": -1},
        {"age": 1_000_001},
        {"description": ""},
        {"description": "x" * 1_001},
        {"sealed_secret": ""},
        {"version": 0},
        {"owner_id": None},
    ],
    ids=str,
)
async def test_the_database_itself_refuses_what_the_rules_forbid(db: Database, wrong: dict[str, Any]) -> None:
    values: dict[str, Any] = {
        "guild_id": SNOWFLAKE,
        "owner_id": SNOWFLAKE,
        "name": "Deadpond",
        "name_key": "deadpond",
        "sealed_secret": "x",
        "version": 1,
    }
    hero = Hero(**(values | wrong))
    # The length of a VARCHAR is PostgreSQL's own error, not a constraint's.
    with pytest.raises((IntegrityError, StatementError)):
        async with db.write() as session:
            session.add(hero)
            await session.flush()


async def test_moments_and_snowflakes_come_back_as_they_went(db: Database) -> None:
    moment = datetime(2026, 3, 1, 12, 30, 15, 123456, timezone(timedelta(hours=-5)))
    await stored_hero(db, guild_id=SNOWFLAKE, owner_id=SNOWFLAKE, created_at=moment)
    async with db.read() as session:
        read = (await session.exec(select(Hero))).one()

    assert (read.guild_id, read.owner_id) == (SNOWFLAKE, SNOWFLAKE)
    assert read.created_at == moment
    assert read.created_at.tzinfo is UTC


async def test_a_number_is_never_used_twice(db: Database) -> None:
    await stored_hero(db, "First")
    last = await stored_hero(db, "Last")
    async with db.write() as session:
        await session.delete(await session.get_one(Hero, last.id))

    assert (await stored_hero(db, "Next")).id > last.id
