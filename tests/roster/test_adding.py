"""Adding heroes, above all when several members do so at the same time."""

import asyncio
import re
from collections.abc import AsyncGenerator
from datetime import datetime, timedelta, timezone

import pytest
from pydantic import SecretStr
from sqlalchemy import event, text
from sqlalchemy.exc import InterfaceError
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from bot.db.batch import MAX_CALLS
from bot.db.engine import Database
from bot.db.models import Action, Hero, HistoryEntry, SealedSecret
from bot.roster.adding import add_hero
from bot.roster.asker import Asker
from bot.roster.errors import NameTakenError
from bot.roster.history import record
from bot.roster.quota import Quota, TooManyChangesError, TooManyHeroesError
from bot.roster.removal import remove_hero
from bot.roster.vault import Vault, new_key
from tests.support.databases import until_somebody_waits_for_a_turn
from tests.support.heroes import stored_hero

FEW = Quota(changes_per_minute=3, heroes_per_member=2)


@pytest.fixture
async def few(db: Database) -> AsyncGenerator[Database]:
    """The same database, where each member is allowed little."""
    database = Database(db.engine.url, info={"quota": FEW})
    yield database
    await database.dispose()


async def add(
    db: Database,
    name: str,
    owner_id: int,
    *,
    guild_id: int = 1,
    vault: Vault | None = None,
    age: int | None = None,
    description: str | None = None,
) -> Hero:
    async with db.write() as session:
        return await add_hero(
            session,
            Asker(owner_id, guild_id),
            vault or Vault(),
            name=name,
            secret_name=f"{name} of {owner_id}",
            age=age,
            description=description,
        )


async def add_together(db: Database, *wanted: tuple[str, int] | tuple[str, int, int]) -> list[str | int]:
    """Add heroes by name, owner and maybe guild at once; returns who owns each, or why it was refused."""
    adding = (add(db, name, owner_id, guild_id=where[0] if where else 1) for name, owner_id, *where in wanted)
    results = await asyncio.gather(*adding, return_exceptions=True)
    return [each.owner_id if isinstance(each, Hero) else type(each).__name__ for each in results]


async def names(db: Database) -> list[str]:
    async with db.read() as session:
        return list((await session.exec(select(Hero.name).order_by(col(Hero.id)))).all())


async def test_heroes_added_together_are_each_as_if_added_alone(db: Database) -> None:
    vault = Vault([SecretStr(new_key())])
    inserts: list[str] = []

    def executed(_connection: object, _cursor: object, statement: str, *_rest: object) -> None:
        inserts.extend(re.findall(r"INSERT INTO (\w+)", statement))

    event.listen(db.engine.sync_engine, "before_cursor_execute", executed)
    event.listen(db.engine.sync_engine, "commit", lambda *_: inserts.append("commit"))
    added = await asyncio.gather(
        *(
            # Some lack an age, some a description, some both.
            add(
                db,
                f"Hero {number}",
                number,
                guild_id=number % 3 + 1,
                vault=vault,
                age=number if number % 2 else None,
                description=f"Number {number}" if number % 3 else None,
            )
            for number in range(20)
        )
    )

    async with db.read() as session:
        stored = {hero.id: hero for hero in (await session.exec(select(Hero))).all()}
        history = {entry.hero_id: entry for entry in (await session.exec(select(HistoryEntry))).all()}
    assert inserts == ["hero", "history", "commit"]
    assert len(stored) == len(history) == 20
    for number, hero in enumerate(added):
        kept, entry = stored[hero.id], history[hero.id]
        for seen in hero, kept:
            assert (seen.name, seen.owner_id, seen.guild_id) == (f"Hero {number}", number, number % 3 + 1)
            assert vault.unseal(seen) == f"Hero {number} of {number}"
            assert (seen.version, seen.removed_at, seen.has_portrait) == (1, None, False)
            assert seen.age == (number if number % 2 else None)
            assert seen.description == (f"Number {number}" if number % 3 else None)
        assert (entry.action, entry.actor_id, entry.guild_id) == (Action.ADDED, number, kept.guild_id)
        assert (entry.at, entry.changes, entry.other_id) == (kept.created_at, {}, None)


async def test_a_hero_is_stored_as_any_row_is(db: Database) -> None:
    asker = Asker(2**63 - 2, 2**63 - 1, datetime(2026, 1, 2, 3, 4, 5, tzinfo=timezone(timedelta(hours=2))))
    name, secret = 'Łóż "the \\ Hero" {🦸}', "O'Neil \\u0041"
    description = 'Two\nlines, a "quote", a \\ and 🎭'
    async with db.write() as session:
        added = await add_hero(
            session, asker, Vault(), name=name, secret_name=secret, description=description
        )
    async with db.write() as session:
        other = Hero(
            guild_id=asker.guild_id,
            owner_id=asker.id,
            name="Other",
            name_key="other",
            sealed_secret=SealedSecret(secret),
            secret_binding=added.secret_binding,
            description=description,
            created_at=asker.now,
            updated_at=asker.now,
        )
        session.add(other)
        await session.flush()
        record(session, other, Action.ADDED, asker)

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
    assert (added.name, added.created_at) == (name, asker.now)


@pytest.mark.parametrize("quota", [Quota(), Quota(heroes_per_member=1), Quota(changes_per_minute=1)])
async def test_an_add_tried_again_finds_its_own_hero(
    db: Database, quota: Quota, monkeypatch: pytest.MonkeyPatch
) -> None:
    breaking = Database(db.engine.url, info={"quota": quota})
    commit = AsyncSession.commit

    async def commit_and_break(session: AsyncSession) -> None:
        """As when the connection breaks between the commit and its confirmation."""
        await commit(session)
        monkeypatch.undo()
        raise InterfaceError("COMMIT", None, ConnectionResetError())

    monkeypatch.setattr(AsyncSession, "commit", commit_and_break)
    added = await add(breaking, "Deadpond", 1)
    await breaking.dispose()

    async with db.read() as session:
        assert (await session.exec(select(Hero.id))).all() == [added.id]
        assert len((await session.exec(select(HistoryEntry))).all()) == 1


async def test_of_one_name_twice_in_a_batch_the_first_gets_it(db: Database) -> None:
    await add(db, "Taken", 1)

    owners = await add_together(
        db, ("Deadpond", 3), ("DEADPOND", 2), ("taken", 4), ("Other", 5), ("Taken", 6, 2)
    )

    assert owners == [3, "NameTakenError", "NameTakenError", 5, 6]
    assert sorted(await names(db)) == ["Deadpond", "Other", "Taken", "Taken"]
    async with db.read() as session:
        hero = (await session.exec(select(Hero).where(Hero.name == "Deadpond"))).one()
    assert (hero.owner_id, hero.sealed_secret) == (3, "Deadpond of 3")
    with pytest.raises(NameTakenError) as refused:
        await add(db, "DEADPOND", 2)
    assert refused.value.facts == {"name": "Deadpond", "owner": 3}


async def have_history(few: Database) -> None:
    """Ann, member 1, has a hero; Bob, member 2, had one."""
    await add(few, "Ann 0", 1)
    gone = await add(few, "Bob 0", 2)
    async with few.write() as session:
        await remove_hero(session, Asker(2, 1), gone.id)


async def test_a_batch_lets_nobody_past_a_limit(few: Database) -> None:
    await have_history(few)

    owners = await add_together(
        few, ("Ann 1", 1), ("Ann 2", 1), ("Ann 3", 1, 2), ("Bob 1", 2), ("Bob 2", 2), ("Cid 1", 3)
    )

    # Ann has room for one more here; Bob has made two changes, his removal included.
    assert (owners.count(1), owners.count(2), owners.count(3)) == (2, 1, 1)
    assert {each for each in owners if isinstance(each, str)} <= {"TooManyHeroesError", "TooManyChangesError"}
    # The others were left out of the batch.
    assert (await names(few))[:3] == ["Ann 0", "Bob 0", "Cid 1"]


async def test_who_is_refused_is_told_why(few: Database) -> None:
    await have_history(few)

    await add(few, "Ann 1", 1)
    with pytest.raises(TooManyHeroesError) as crowded:
        await add(few, "Ann 2", 1)
    await add(few, "Ann 3", 1, guild_id=2)
    await add(few, "Bob 1", 2)
    with pytest.raises(TooManyChangesError) as hasty:
        await add(few, "Bob 2", 2)

    assert crowded.value.facts == {"owner": 1, "heroes": 2}
    assert 0 < hasty.value.facts["seconds"] <= 60


async def test_batches_of_two_processes_share_names_and_limits(
    few: Database, other: Database, caplog: pytest.LogCaptureFixture
) -> None:
    other_few = Database(other.engine.url, info={"quota": FEW})
    # Connected already, so that the two meet.
    await asyncio.gather(names(few), names(other_few))
    for start in range(0, 5 * MAX_CALLS, MAX_CALLS):
        numbers = range(start, start + MAX_CALLS)
        ours = [(f"Hero {number}", number) for number in numbers]
        # In the other order: each would wait for the other if they were not sorted.
        theirs = [(f"Hero {number}", 1_000 + number) for number in reversed(numbers)]
        both = await asyncio.gather(add_together(few, *ours), add_together(other_few, *theirs))
        refused = [each for each in both[0] + both[1] if isinstance(each, str)]
        assert refused == ["NameTakenError"] * MAX_CALLS
    assert len(await names(few)) == len(set(await names(few))) == 5 * MAX_CALLS
    assert "deadlock" not in caplog.text.lower()

    # The same member in both, who may have two heroes.
    both = await asyncio.gather(
        *(
            add_together(each, *((f"{number} of {process}", 500) for number in range(2)))
            for process, each in enumerate((few, other_few))
        )
    )
    assert (both[0] + both[1]).count(500) == 2
    await other_few.dispose()


async def test_a_batch_waits_for_the_turns_of_its_members(few: Database, other: Database) -> None:
    other_few = Database(other.engine.url, info={"quota": FEW})
    asker = Asker(1, 1)
    async with few.write() as session:
        # In use, so that it is not shared.
        await session.exec(select(1))
        await add_hero(session, asker, Vault(), name="First", secret_name="x")
        await add_hero(session, asker, Vault(), name="Second", secret_name="x")
        waiting = asyncio.create_task(add_together(other_few, ("Third", 1), ("Fourth", 2)))
        if not few.is_sqlite:
            await until_somebody_waits_for_a_turn(few)

    # Member 1 may have two; what the other transaction added counts, though it ended only meanwhile.
    assert await waiting == ["TooManyHeroesError", 2]
    await other_few.dispose()


async def test_where_a_batch_fails_each_hero_is_stored_alone(
    db: Database, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    await stored_hero(db, "Taken", owner_id=9)

    async def nothing(_session: AsyncSession, wanted: list[object]) -> list[None]:
        """As when another process adds the same name right after the look."""
        return [None] * len(wanted)

    monkeypatch.setattr("bot.roster.adding.heroes_by_keys", nothing)

    owners = await add_together(db, ("First", 1), ("Taken", 2), ("Last", 3))

    assert owners == [1, "NameTakenError", 3]
    assert "3 calls failed together" in caplog.text
    assert sorted(await names(db)) == ["First", "Last", "Taken"]
    async with db.read() as session:
        entries = (await session.exec(select(HistoryEntry.actor_id))).all()
    assert sorted(entry or 0 for entry in entries) == [1, 3, 9]


async def test_what_becomes_of_a_stored_hero_in_the_same_block_is_stored_too(db: Database) -> None:
    async with db.write() as session:
        hero = await add_hero(session, Asker(1, 1), Vault(), name="Deadpond", secret_name="x")
        session.add(hero)
        hero.age = 7

    async with db.write() as session:
        assert (await session.exec(select(Hero.age))).all() == [7]

    async with db.write() as session:
        # Nothing else touches this session.
        await session.delete(hero)

    assert await names(db) == []
