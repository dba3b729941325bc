"""Portraits in the roster: who gives them, and what is stored."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlmodel import col, delete, func, select

from bot.db.engine import Database
from bot.db.models import Action, Hero, HistoryEntry, Portrait
from bot.roster.asker import Asker
from bot.roster.errors import HeroGoneError, NotYoursError
from bot.roster.heroes import hero_by_id
from bot.roster.portraits import portrait_of, set_portrait
from bot.roster.removal import remove_hero
from tests.support.heroes import stored_hero

GUILD, OTHER_GUILD = 7, 8
NOON = datetime(2030, 1, 1, 12, tzinfo=UTC)
OWNER, KEEPER = Asker(1, GUILD, NOON), Asker(2, GUILD, NOON, keeper=True)
STRANGER = Asker(3, GUILD, NOON)


async def added(db: Database, name: str = "Deadpond") -> Hero:
    return await stored_hero(db, name, guild_id=GUILD, owner_id=OWNER.id, created_at=NOON)


async def give(
    db: Database,
    hero: Hero,
    image: bytes | None,
    asker: Asker = OWNER,
    *,
    after: timedelta = timedelta(hours=1),
) -> Hero:
    async with db.write() as session:
        return await set_portrait(session, replace(asker, now=NOON + after), hero.id, image)


async def kept(db: Database, hero: Hero) -> tuple[Hero, bytes | None]:
    """The hero as the database has it, and its portrait."""
    async with db.read() as session:
        now = await hero_by_id(session, OWNER, hero.id)
        return now, await portrait_of(session, now)


async def portraits(db: Database) -> int:
    async with db.read() as session:
        return (await session.exec(select(func.count()).select_from(Portrait))).one()


async def history(db: Database) -> list[tuple[Action, int | None, dict[str, list[Any]]]]:
    async with db.read() as session:
        entries = (await session.exec(select(HistoryEntry).order_by(col(HistoryEntry.id)))).all()
    return [
        (entry.action, entry.actor_id, entry.changes) for entry in entries if entry.action != Action.ADDED
    ]


async def test_a_hero_has_no_portrait_and_none_is_looked_for(db: Database) -> None:
    hero = await added(db)

    async with db.read() as session:
        assert await portrait_of(session, hero) is None
        assert not session.in_transaction(), "nothing was asked of the database"


@pytest.mark.parametrize("asker", [OWNER, KEEPER], ids=["owner", "keeper"])
async def test_owner_and_keepers_give_a_portrait(db: Database, asker: Asker) -> None:
    hero, other = await added(db), await added(db, "Rusty-Man")

    given_to = await give(db, hero, b"picture", asker)

    stored, image = await kept(db, hero)
    assert image == b"picture"
    for seen in (given_to, stored):
        assert (seen.has_portrait, seen.version, seen.updated_at) == (True, 2, NOON + timedelta(hours=1))
    assert (await kept(db, other))[1] is None
    assert await history(db) == [(Action.PORTRAYED, asker.id, {"has_portrait": [False, True]})]


async def test_a_stranger_gives_and_takes_none(db: Database) -> None:
    hero = await added(db)
    await give(db, hero, b"picture")

    for image in (b"another", None):
        with pytest.raises(NotYoursError):
            await give(db, hero, image, STRANGER)

    stored, image = await kept(db, hero)
    assert (image, stored.version) == (b"picture", 2)
    assert len(await history(db)) == 1


async def test_a_portrait_is_replaced(db: Database) -> None:
    hero, other = await added(db), await added(db, "Rusty-Man")
    await give(db, hero, b"picture")
    await give(db, other, b"of another")

    await give(db, hero, b"another", KEEPER, after=timedelta(hours=2))

    stored, image = await kept(db, hero)
    assert image == b"another"
    assert (stored.has_portrait, stored.version, stored.updated_at) == (True, 3, NOON + timedelta(hours=2))
    assert (await kept(db, other))[1] == b"of another"
    assert await portraits(db) == 2
    assert (await history(db))[-1:] == [(Action.PORTRAYED, KEEPER.id, {"has_portrait": [True, True]})]


async def test_a_portrait_is_taken_away(db: Database) -> None:
    hero, other = await added(db), await added(db, "Rusty-Man")
    await give(db, hero, b"picture")
    await give(db, other, b"of another")

    await give(db, hero, None, after=timedelta(hours=2))

    stored, image = await kept(db, hero)
    assert image is None
    assert (stored.has_portrait, stored.version, stored.updated_at) == (False, 3, NOON + timedelta(hours=2))
    assert (await kept(db, other))[1] == b"of another"
    assert await portraits(db) == 1
    assert (await history(db))[-1:] == [(Action.PORTRAYED, OWNER.id, {"has_portrait": [True, False]})]


async def test_where_there_is_none_nothing_is_taken_away(db: Database) -> None:
    hero = await added(db)

    unchanged = await give(db, hero, None)

    assert (unchanged.version, unchanged.updated_at) == (1, NOON)
    assert (await kept(db, hero))[0].version == 1
    assert await history(db) == []


async def test_another_guild_neither_gives_takes_nor_sees_it(db: Database) -> None:
    hero = await added(db)
    await give(db, hero, b"picture")

    for image in (b"another", None):
        with pytest.raises(HeroGoneError):
            await give(db, hero, image, replace(KEEPER, guild_id=OTHER_GUILD))
    foreign = hero.model_copy(update={"guild_id": OTHER_GUILD, "has_portrait": True})
    async with db.read() as session:
        assert await portrait_of(session, foreign) is None

    assert (await kept(db, hero))[1] == b"picture"


async def test_a_removed_hero_keeps_its_portrait_and_gets_no_other(db: Database) -> None:
    hero = await added(db)
    await give(db, hero, b"picture")
    async with db.write() as session:
        await remove_hero(session, OWNER, hero.id)

    for image in (b"another", None):
        with pytest.raises(HeroGoneError):
            await give(db, hero, image)

    async with db.read() as session:
        assert (await session.exec(select(Portrait.image))).one() == b"picture"


async def test_all_of_it_is_stored_or_nothing(db: Database) -> None:
    hero = await added(db)

    async def fail() -> None:
        async with db.write() as session:
            await set_portrait(session, OWNER, hero.id, b"picture")
            await session.flush()
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await fail()

    stored, image = await kept(db, hero)
    assert (stored.has_portrait, stored.version, image) == (False, 1, None)
    assert await portraits(db) == 0
    assert await history(db) == []


async def test_of_several_at_once_the_last_one_stays(db: Database) -> None:
    hero = await added(db)
    images = [b"%d" % number for number in range(5)]

    await asyncio.gather(*(give(db, hero, image) for image in images))

    stored, image = await kept(db, hero)
    assert image in images
    assert stored.version == 6
    assert await portraits(db) == 1
    changes = [entry[2]["has_portrait"] for entry in await history(db)]
    assert changes == [[False, True], *[[True, True]] * 4]


async def test_a_deleted_hero_takes_its_portrait_along(db: Database) -> None:
    hero, other = await added(db), await added(db, "Rusty-Man")
    await give(db, hero, b"picture")
    await give(db, other, b"another")

    async with db.write() as session:
        await session.exec(delete(Hero).where(col(Hero.id) == hero.id))

    assert await portraits(db) == 1
    assert (await kept(db, other))[1] == b"another"
