"""A roster in numbers."""

import itertools
import statistics as python
from collections import Counter
from datetime import datetime, timedelta
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import event

from bot.db.engine import Database
from bot.roster.statistics import BANDS, MOMENTS, statistics
from tests.support.heroes import stored_hero
from tests.support.statistics import NOW, SNOWFLAKE

guild_numbers = itertools.count(1)


def band_of(age: int | None) -> str:
    """The band that says it holds this age."""
    if age is None:
        return "unknown"
    if age < 10:
        return "under 10"
    spans = [band.split("-") for band in BANDS if "-" in band]
    return next((f"{low}-{high}" for low, high in spans if int(low) <= age <= int(high)), "1,000 and more")


heroes = st.lists(
    st.tuples(
        st.sampled_from(["here", "here", "here", "elsewhere", "removed"]),
        st.integers(1, 7).map(lambda owner: SNOWFLAKE + owner),
        st.none()
        | st.integers(0, 120)
        | st.sampled_from([0, 9, 10, 19, 20, 59, 60, 99, 100, 999, 1000, 1_000_000]),
        st.timedeltas(timedelta(0), timedelta(days=900)),
    ),
    max_size=25,
)


@given(heroes)
@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
async def test_the_numbers_are_those_of_the_heroes_that_are_there(
    db: Database, heroes: list[tuple[str, int, int | None, timedelta]]
) -> None:
    guild_id, elsewhere = next(guild_numbers), next(guild_numbers)
    for number, (where, owner_id, age, before) in enumerate(heroes):
        await stored_hero(
            db,
            f"Hero {number}",
            guild_id=elsewhere if where == "elsewhere" else guild_id,
            owner_id=owner_id,
            age=age,
            created_at=NOW - before,
            removed_at=NOW if where == "removed" else None,
        )
    present = [(owner_id, age, NOW - before) for where, owner_id, age, before in heroes if where == "here"]

    async with db.read() as session:
        counted = await statistics(session, guild_id, NOW)

    owners = Counter(owner_id for owner_id, _age, _added in present)
    ages = [age for _owner, age, _added in present if age is not None]
    bands = Counter(band_of(age) for _owner, age, _added in present)
    added = sorted(moment for _owner, _age, moment in present)
    assert counted.total == len(present)
    assert counted.owners == len(owners)
    assert counted.aged == len(ages)
    assert counted.youngest == min(ages, default=None)
    assert counted.oldest == max(ages, default=None)
    assert counted.median == (python.median(ages) if ages else None)
    assert counted.bands == tuple(bands[band] for band in BANDS)
    assert list(counted.prolific) == sorted(owners.items(), key=lambda item: (-item[1], item[0]))[:5]
    moments = [moment for moment, _count in counted.growth]
    assert [count for _moment, count in counted.growth] == [
        sum(moment <= until for moment in added) for until in moments
    ]
    assert moments[:1] == added[:1]
    assert moments[-1:] == [NOW] * bool(present)
    steps = [later - earlier for earlier, later in itertools.pairwise(moments)]
    assert not steps or max(steps) - min(steps) <= timedelta(microseconds=2)


async def add(db: Database, *added: datetime) -> None:
    for number, moment in enumerate(added):
        await stored_hero(db, f"Hero {number}", created_at=moment)


async def test_a_time_without_new_heroes_shows_as_one(db: Database) -> None:
    start = NOW - timedelta(days=(MOMENTS - 1) * 10)
    await add(db, start, start + timedelta(days=10), NOW - timedelta(days=10, microseconds=-1), NOW)

    async with db.read() as session:
        counted = await statistics(session, 1, NOW)

    assert [count for _moment, count in counted.growth] == [1, *[2] * (MOMENTS - 2), 4]
    assert counted.growth[1][0] == start + timedelta(days=10)


async def test_a_clock_that_is_behind_loses_no_hero(db: Database) -> None:
    await add(db, NOW - timedelta(hours=2), NOW)

    async with db.read() as session:
        at_start = await statistics(session, 1, NOW - timedelta(hours=3))
        in_between = await statistics(session, 1, NOW - timedelta(hours=1))

    assert at_start.growth == ((NOW - timedelta(hours=2), 2),)
    assert [count for _moment, count in in_between.growth] == [*[1] * (MOMENTS - 1), 2]


async def test_a_few_statements_count_a_roster_of_any_size(db: Database) -> None:
    await add(db, *(NOW - timedelta(hours=number) for number in range(40)))
    statements: list[str] = []

    def noted(_connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        statements.append(statement)

    event.listen(db.engine.sync_engine, "before_cursor_execute", noted)
    async with db.read() as session:
        await statistics(session, 1, NOW)

    assert len(statements) == 5
    assert all("guild_id =" in statement for statement in statements)
