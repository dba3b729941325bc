"""Locks that are no rows: what counts for a member happens in one process at a time."""

import asyncio

import pytest
from sqlalchemy.exc import DBAPIError
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from bot.db.engine import Database, GivenUp
from bot.db.models import DailyTask, utcnow
from bot.roster.quota import lock_members
from tests.support.databases import turns, until_somebody_waits_for_a_turn


async def names(session: AsyncSession) -> list[str]:
    return list((await session.exec(select(DailyTask.name).order_by(col(DailyTask.name)))).all())


def note(name: str) -> DailyTask:
    return DailyTask(name=name, started_at=utcnow())


@pytest.mark.parametrize("url", ["postgresql"], indirect=True)
async def test_turns_last_as_long_as_the_transaction(db: Database, other: Database) -> None:
    big = 2**62 + 1

    async with db.write() as session:
        await lock_members(session, 7, big)
        await names(session)
        assert await turns(other) == [7, big]
        await lock_members(session, 8)
        assert await turns(other) == [7, 8, big]
    assert await turns(other) == []

    # Before anything is executed, too, none takes the place of another.
    async with db.write() as session:
        await lock_members(session, 3, 2)
        await lock_members(session, 2, 1)
        await names(session)
        assert await turns(other) == [1, 2, 3]
        await session.rollback()
        assert await turns(other) == []
        await names(session)
        assert await turns(other) == []

    # Those of a transaction in which nothing happened are not taken by the next one.
    async with db.write() as session:
        await lock_members(session, 5)
    async with db.write() as session:
        await names(session)
        assert await turns(other) == []


async def test_who_gets_no_turn_in_time_leaves_nothing(db: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bot.db.engine.MAX_WAIT_SECONDS", 1.0)
    hasty = Database(db.engine.url)
    async with hasty.write() as session:
        session.add(note("first"))

    async with db.write() as session:
        await lock_members(session, 1)
        session.add(note("second"))
        await session.flush()
        with pytest.raises((DBAPIError, TimeoutError)):
            async with hasty.write() as late:
                await lock_members(late, 1)
                late.add(note("late"))

    # On the same connection; there is nothing left of the transaction that failed.
    async with hasty.write() as session:
        await lock_members(session, 1)
        session.add(note("third"))
    async with db.read() as session:
        assert await names(session) == ["first", "second", "third"]
    await hasty.dispose()


@pytest.mark.parametrize("url", ["postgresql"], indirect=True)
async def test_who_waits_for_a_turn_can_be_told_to_give_up(db: Database, other: Database) -> None:
    async def wait() -> None:
        async with other.write() as session:
            await lock_members(session, 1)
            session.add(note("late"))

    async with db.write() as session:
        await lock_members(session, 1)
        await names(session)
        waiting = asyncio.create_task(wait())
        await until_somebody_waits_for_a_turn(db)
        other.give_up()
        with pytest.raises(GivenUp):
            await waiting
        async with asyncio.timeout(10):
            while await turns(db, granted=False):
                pass

    # It does not get its turn after all.
    assert await turns(db) == []
