"""Many at the same time, done in one go."""

import asyncio
import re
import sqlite3
from collections.abc import Sequence
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest
from pydantic import SecretStr
from sqlalchemy import event, text
from sqlalchemy.exc import OperationalError
from sqlmodel import col, select

from bot.db.batch import MOST, Batch
from bot.db.engine import Database
from bot.db.models import Action, Hero, HistoryEntry
from bot.roster.adding import NewHero, add_hero, add_heroes, new_hero
from bot.roster.asker import Asker
from bot.roster.errors import NameTakenError, RosterError
from bot.roster.heroes import heroes_named
from bot.roster.history import record
from bot.roster.quota import Quota, TooManyChangesError, TooManyHeroesError
from bot.roster.removal import remove_hero
from bot.roster.vault import Vault, new_key
from tests.support.databases import until_somebody_waits_for_a_turn


class Doubling:
    """Doubles numbers when told to go on; -1 fails, 0 can't be doubled along with others, -2 finds a lock."""

    def __init__(self) -> None:
        self.batches: list[list[int]] = []
        self.going_on = asyncio.Event()

    async def __call__(self, numbers: Sequence[int]) -> list[int | None]:
        self.batches.append(list(numbers))
        await self.going_on.wait()
        if -1 in numbers:
            raise ZeroDivisionError
        if -2 in numbers:
            raise OperationalError("INSERT", None, sqlite3.OperationalError("database is locked"))
        return [2 * number or None for number in numbers]


async def start(double: Batch[int, int], *numbers: int) -> list["asyncio.Task[int | None]"]:
    """Ask for some at once, and come back when all are waiting."""
    asking = [asyncio.create_task(double(number)) for number in numbers]
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    return asking


async def test_who_comes_meanwhile_is_done_together() -> None:
    work = Doubling()
    double = Batch(work)

    first = await start(double, 1)
    then = await start(double, 2, 0, 3)
    work.going_on.set()

    assert await asyncio.gather(*first, *then) == [2, 4, None, 6]
    assert work.batches == [[1], [2, 0, 3]]
    assert await double(4) == 8


async def test_as_many_batches_are_under_way_as_may_be() -> None:
    work = Doubling()
    double = Batch(work, at_once=2)

    asking = [
        *await start(double, 1),
        *await start(double, 2, 3),
        *await start(double, 4),
        *await start(double, 5),
    ]
    under_way = list(work.batches)
    work.going_on.set()

    assert await asyncio.gather(*asking) == [2, 4, 6, 8, 10]
    assert under_way == [[1], [2, 3]]
    assert work.batches == [[1], [2, 3], [4, 5]]
    assert await double(6) == 12


async def test_a_batch_has_an_end() -> None:
    work = Doubling()

    asking = await start(Batch(work), 1, *range(1, MOST + 2))
    work.going_on.set()
    await asyncio.gather(*asking)

    assert [len(batch) for batch in work.batches] == [MOST, 2]


async def test_what_fails_together_is_left_to_each(caplog: pytest.LogCaptureFixture) -> None:
    work = Doubling()
    double = Batch(work)

    before = await start(double, 1)
    failing = await start(double, 2, -1)
    work.going_on.set()

    assert await asyncio.gather(*before) == [2]
    assert await asyncio.gather(*failing) == [None, None]
    assert "2 calls failed together" in caplog.text
    with pytest.raises(ZeroDivisionError):
        await double(-1)
    assert await double(3) == 6


async def test_what_would_strike_each_of_them_is_told_to_all_at_once() -> None:
    work = Doubling()
    double = Batch(work)

    failing = await start(double, 2, -2, 3)
    work.going_on.set()

    failures = await asyncio.gather(*failing, return_exceptions=True)
    assert [type(failure) for failure in failures] == [OperationalError] * 3
    assert work.batches == [[2, -2, 3]]
    assert await double(3) == 6


async def test_nobody_waits_for_ever_for_those_before(monkeypatch: pytest.MonkeyPatch) -> None:
    work = Doubling()
    double = Batch(work)

    first = await start(double, 1)
    waiting = await start(double, *range(2, 2 * MOST))
    monkeypatch.setattr("bot.db.batch.WAIT", 0.0)
    work.going_on.set()

    assert await asyncio.gather(*first) == [2]
    failures = await asyncio.gather(*waiting, return_exceptions=True)
    assert [type(failure) for failure in failures] == [TimeoutError] * len(waiting)
    assert work.batches == [[1]]
    monkeypatch.undo()
    assert await double(3) == 6


async def test_nobody_is_left_waiting_where_the_work_itself_is_cancelled() -> None:
    async def end(_numbers: Sequence[int]) -> list[int | None]:
        raise asyncio.CancelledError

    with pytest.raises(asyncio.CancelledError):
        await Batch(end)(1)


async def test_who_has_gone_is_left_out() -> None:
    work = Doubling()
    double = Batch(work)

    first = await start(double, 1)
    gone, stays = await start(double, 2, 3)
    gone.cancel()
    await asyncio.sleep(0)
    first[0].cancel()
    await asyncio.sleep(0)
    work.going_on.set()

    assert await stays == 6
    assert work.batches == [[1], [3]]


FEW = Quota(changes_per_minute=3, heroes_per_member=2)


def wanted(name: str, owner_id: int, *, guild_id: int = 1, vault: Vault | None = None) -> NewHero:
    return new_hero(
        guild_id=guild_id,
        owner_id=owner_id,
        vault=vault or Vault(),
        name=name,
        secret_name=f"{name} of {owner_id}",
    )


async def names(db: Database) -> list[str]:
    async with db.read() as session:
        return list((await session.exec(select(Hero.name).order_by(col(Hero.id)))).all())


async def test_heroes_added_together_are_each_as_if_added_alone(db: Database) -> None:
    vault = Vault([SecretStr(new_key())])
    inserts: list[str] = []

    def executed(_connection: object, _cursor: object, statement: str, *_rest: object) -> None:
        inserts.extend(re.findall(r"INSERT INTO (\w+)", statement))

    async with db.write() as session:
        new = [wanted(f"Hero {number}", number, guild_id=number % 3 + 1, vault=vault) for number in range(20)]
        for number, hero in enumerate(new):
            # Some lack an age, some a description, some both.
            hero["age"] = number if number % 2 else None
            hero["description"] = f"Number {number}" if number % 3 else None
        event.listen(db.engine.sync_engine, "before_cursor_execute", executed)
        added = await add_heroes(session, new, Quota())

    async with db.read() as session:
        stored = {hero.id: hero for hero in (await session.exec(select(Hero))).all()}
        history = {entry.hero_id: entry for entry in (await session.exec(select(HistoryEntry))).all()}
    assert inserts == ["hero", "history"]
    assert len(stored) == 20
    for number, hero in enumerate(added):
        assert hero is not None
        kept, entry = stored[hero.id], history[hero.id]
        assert (kept.name, kept.owner_id, kept.guild_id) == (f"Hero {number}", number, number % 3 + 1)
        assert vault.read(kept) == f"Hero {number} of {number}"
        assert (kept.version, kept.removed_at, kept.has_portrait) == (1, None, False)
        assert kept.age == (number if number % 2 else None)
        assert kept.description == (f"Number {number}" if number % 3 else None)
        assert (entry.action, entry.actor_id, entry.guild_id) == (Action.ADDED, number, kept.guild_id)
        assert (entry.at, entry.changes, entry.other_id) == (kept.created_at, {}, None)


async def test_a_hero_is_stored_as_any_row_is(db: Database) -> None:
    hard = new_hero(
        guild_id=2**63 - 1,
        owner_id=2**63 - 2,
        vault=Vault(),
        name='Łóż "the \\ Hero" {🦸}',
        secret_name="O'Neil \\u0041",
        description='Two\nlines, a "quote", a \\ and 🎭',
        now=datetime(2026, 1, 2, 3, 4, 5, tzinfo=timezone(timedelta(hours=2))),
    )
    values: dict[str, Any] = {**hard, "name": "Other", "name_key": "other"}
    async with db.write() as session:
        (added,) = await add_heroes(session, [hard], Quota())
        other = Hero(**values)
        session.add(other)
        await session.flush()
        record(session, other, Action.ADDED, actor_id=other.owner_id, at=other.created_at)

    async def rows(query: str) -> list[tuple[object, ...]]:
        async with db.read() as session:
            return [tuple(row) for row in (await (await session.connection()).execute(text(query))).all()]

    # As text: what is compared in the database has to be written alike.
    heroes = await rows(
        "SELECT guild_id, owner_id, secret_name, secret_key, secret_seal, age, description, version,"
        " CAST(created_at AS text), CAST(updated_at AS text), has_portrait, removed_at FROM hero ORDER BY id"
    )
    history = await rows(
        "SELECT guild_id, actor_id, action, CAST(changes AS text), CAST(at AS text), other_id"
        " FROM history ORDER BY hero_id"
    )
    assert len(heroes) == len(history) == 2
    assert heroes[0] == heroes[1]
    assert history[0] == history[1]
    assert added is not None
    assert (added.name, added.created_at) == (hard["name"], hard["created_at"])


@pytest.mark.parametrize("quota", [Quota(), Quota(heroes_per_member=1), Quota(changes_per_minute=1)])
async def test_an_add_tried_again_finds_its_own_hero(db: Database, quota: Quota) -> None:
    hero = wanted("Deadpond", 1)
    async with db.write() as session:
        # As when the connection breaks between the commit and its confirmation.
        (added,) = await add_heroes(session, [hero], quota)

    async with db.write() as session:
        again = await add_hero(session, hero, quota)

    assert added is not None
    assert again.id == added.id
    async with db.read() as session:
        assert len((await session.exec(select(HistoryEntry))).all()) == 1


async def test_of_one_name_twice_in_a_batch_the_first_gets_it(db: Database) -> None:
    async with db.write() as session:
        await add_hero(session, wanted("Taken", 1), Quota())
    heroes = [wanted("Deadpond", 3), wanted("DEADPOND", 2), wanted("taken", 4), wanted("Other", 5)]
    elsewhere = wanted("Taken", 6, guild_id=2)

    async with db.write() as session:
        first, second, taken, other, there = await add_heroes(session, [*heroes, elsewhere], Quota())

    assert second is None
    assert taken is None
    assert first is not None
    assert (first.owner_id, first.secret_name) == (3, "Deadpond of 3")
    assert other is not None
    assert there is not None
    assert sorted(await names(db)) == ["Deadpond", "Other", "Taken", "Taken"]
    with pytest.raises(NameTakenError, match="<@3>"):
        async with db.write() as session:
            await add_hero(session, heroes[1], Quota())


async def test_a_batch_lets_nobody_past_a_limit(db: Database) -> None:
    async with db.write() as session:
        await add_hero(session, wanted("Ann 0", 1), FEW)
        gone = await add_hero(session, wanted("Bob 0", 2), FEW)
    async with db.write() as session:
        await remove_hero(
            session, guild_id=1, hero_id=gone.id, asker=Asker(2, quota=FEW), now=gone.created_at
        )

    asked = [
        wanted("Ann 1", 1),
        wanted("Ann 2", 1),
        wanted("Ann 3", 1, guild_id=2),
        wanted("Bob 1", 2),
        wanted("Bob 2", 2),
        wanted("Cid 1", 3),
    ]
    async with db.write() as session:
        added = await add_heroes(session, asked, FEW)

    # Ann has room for one more here; Bob has made two changes, his removal included.
    assert [hero and hero.name for hero in added] == [None, None, None, None, None, "Cid 1"]
    assert await names(db) == ["Ann 0", "Bob 0", "Cid 1"]
    refused: dict[str, type[Exception]] = {}
    for hero in asked[:5]:
        try:
            async with db.write() as session:
                await add_hero(session, hero, FEW)
        except RosterError as error:
            refused[hero["name"]] = type(error)
    assert refused == {"Ann 2": TooManyHeroesError, "Bob 2": TooManyChangesError}


async def test_several_are_found_each_in_its_own_guild(db: Database) -> None:
    async with db.write() as session:
        for name, guild_id in [("Deadpond", 1), ("Deadpond", 2), ("Spider-Boy", 1), ("Rusty-Man", 2)]:
            await add_hero(session, wanted(name, guild_id, guild_id=guild_id), Quota())
        asked = [(1, "deadpond"), (2, "DEADPOND"), (2, "Spider-Boy"), (1, "Rusty-Man"), (1, "Spider-Boy")]

        found = await heroes_named(session, [*asked, (1, "Deadpond"), (3, "Deadpond")])

    assert [hero and (hero.guild_id, hero.name) for hero in found] == [
        (1, "Deadpond"),
        (2, "Deadpond"),
        None,
        None,
        (1, "Spider-Boy"),
        (1, "Deadpond"),
        None,
    ]


async def test_batches_of_two_processes_share_names_and_limits(db: Database, other: Database) -> None:
    async def add(database: Database, heroes: list[NewHero]) -> list[Hero | None]:
        async with database.write() as session:
            return await add_heroes(session, heroes, FEW)

    numbers = range(200)
    mine = [wanted(f"Hero {number}", number) for number in numbers]
    # In the other order: each would wait for the other if they were not sorted.
    theirs = [wanted(f"Hero {number}", 1_000 + number) for number in reversed(numbers)]
    # Connected already, so that the two meet.
    await asyncio.gather(names(db), names(other))
    added = await asyncio.gather(add(db, mine), add(other, theirs))
    assert sum(hero is not None for hero in [*added[0], *added[1]]) == 200
    assert len(set(await names(db))) == 200

    # The same member in both, who may have two heroes.
    added = await asyncio.gather(
        *(add(each, [wanted(f"{n} of {k}", 500) for n in range(2)]) for k, each in enumerate((db, other)))
    )
    assert sum(hero is not None for hero in [*added[0], *added[1]]) == 2


async def test_a_batch_waits_for_the_turns_of_its_members(db: Database, other: Database) -> None:
    async def add_one_more() -> list[Hero | None]:
        async with other.write() as session:
            return await add_heroes(session, [wanted("Third", 1), wanted("Fourth", 2)], FEW)

    async with db.write() as session:
        await add_heroes(session, [wanted("First", 1), wanted("Second", 1)], FEW)
        waiting = asyncio.create_task(add_one_more())
        if not db.is_sqlite:
            await until_somebody_waits_for_a_turn(db)
    third, fourth = await waiting

    # Member 1 may have two; what the other transaction added counts, though it ended only meanwhile.
    assert third is None
    assert fourth is not None
