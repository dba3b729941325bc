"""Simultaneous calls that share one session."""

import asyncio
import sqlite3
from collections.abc import AsyncGenerator, Sequence

import pytest
from sqlalchemy import URL
from sqlalchemy.exc import OperationalError
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from bot.db.batch import LEFT_OUT, MAX_CALLS, Batch, LeftOut
from bot.db.engine import Database
from bot.db.models import DailyTask, utcnow


class Doubling:
    """Doubles numbers when told to go on; -1 fails, 0 can't be doubled along with others, -2 finds a lock."""

    def __init__(self) -> None:
        self.batches: list[list[int]] = []
        self.alone: list[tuple[AsyncSession, int]] = []
        self.going_on = asyncio.Event()

    async def do_together(self, _session: AsyncSession, numbers: Sequence[int]) -> list[int | LeftOut]:
        self.batches.append(list(numbers))
        await self.going_on.wait()
        if -1 in numbers:
            raise ZeroDivisionError
        if -2 in numbers:
            raise OperationalError("INSERT", None, sqlite3.OperationalError("database is locked"))
        if -3 in numbers:
            raise TimeoutError
        return [2 * number if number else LEFT_OUT for number in numbers]

    async def do_alone(self, session: AsyncSession, number: int) -> int:
        self.alone.append((session, number))
        if number == -1:
            raise ZeroDivisionError
        return 2 * number


class Asking:
    """Members who ask for doubled numbers, each in a session of their own."""

    def __init__(self, database: Database, work: Doubling) -> None:
        self.database = database
        self.double = Batch(together=work.do_together, alone=work.do_alone, writes=False)
        self.sessions: dict[int, AsyncSession] = {}

    async def __call__(self, number: int) -> int:
        async with self.database.read() as session:
            self.sessions[number] = session
            return await self.double(session, number)

    async def start(self, *numbers: int) -> list["asyncio.Task[int]"]:
        """Ask for some at once, and come back when all are waiting."""
        asking = [asyncio.create_task(self(number)) for number in numbers]
        for _ in range(4):
            await asyncio.sleep(0)
        return asking


@pytest.fixture
def work() -> Doubling:
    return Doubling()


@pytest.fixture
async def database(tmp_path_url: URL) -> AsyncGenerator[Database]:
    """One whose sessions are never used: nothing here depends on what they do."""
    found = Database(tmp_path_url)
    yield found
    await found.dispose()


@pytest.fixture
def ask(database: Database, work: Doubling) -> Asking:
    return Asking(database, work)


async def test_who_comes_at_once_or_meanwhile_is_done_together(work: Doubling, ask: Asking) -> None:
    first = await ask.start(1, 5)
    then = await ask.start(2, 0, 3)
    work.going_on.set()

    assert await asyncio.gather(*first, *then) == [2, 10, 4, 0, 6]
    assert work.batches == [[1, 5], [2, 0, 3]]
    assert await ask(4) == 8


async def test_a_batch_waits_for_as_many_as_the_one_before_had(
    work: Doubling, ask: Asking, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.db.batch.MAX_GATHER_SECONDS", 60.0)
    work.going_on.set()
    await asyncio.gather(*await ask.start(1, 2, 3))

    # One comes sooner than the others; nobody is done in turns.
    again = [*await ask.start(4), *await ask.start(5), *await ask.start(6)]
    async with asyncio.timeout(30):
        await asyncio.gather(*again)

    assert work.batches == [[1, 2, 3], [4, 5, 6]]
    monkeypatch.setattr("bot.db.batch.MAX_GATHER_SECONDS", 0.0)
    await asyncio.gather(*await ask.start(7))
    assert work.batches[-1] == [7]


async def test_who_is_left_out_is_done_alone_in_their_own_session(work: Doubling, ask: Asking) -> None:
    asking = await ask.start(2, 0)
    work.going_on.set()

    assert await asyncio.gather(*asking) == [4, 0]
    assert work.alone == [(ask.sessions[0], 0)]


async def test_one_batch_of_each_database_is_under_way(
    work: Doubling, ask: Asking, database: Database
) -> None:
    other = Asking(Database(database.engine.url), work)
    other.double = ask.double

    asking = [*await ask.start(1), *await ask.start(2, 3), *await ask.start(4), *await other.start(5)]
    under_way = list(work.batches)
    work.going_on.set()

    assert await asyncio.gather(*asking) == [2, 4, 6, 8, 10]
    assert under_way == [[1], [5]]
    assert work.batches == [[1], [5], [2, 3, 4]]
    await other.database.dispose()


async def test_a_batch_has_an_end(work: Doubling, ask: Asking) -> None:
    asking = await ask.start(1, *range(1, MAX_CALLS + 2))
    work.going_on.set()
    await asyncio.gather(*asking)

    assert [len(batch) for batch in work.batches] == [MAX_CALLS, 2]


async def test_what_fails_together_is_left_to_each(
    work: Doubling, ask: Asking, caplog: pytest.LogCaptureFixture
) -> None:
    before = await ask.start(1)
    failing = await ask.start(2, -1)
    work.going_on.set()

    assert await asyncio.gather(*before) == [2]
    succeeded, failed = await asyncio.gather(*failing, return_exceptions=True)
    assert succeeded == 4
    assert isinstance(failed, ZeroDivisionError)
    assert work.alone == [(ask.sessions[2], 2), (ask.sessions[-1], -1)]
    assert "2 calls failed together" in caplog.text
    caplog.clear()
    with pytest.raises(ZeroDivisionError):
        await ask(-1)
    assert caplog.text == ""
    assert await ask(3) == 6


@pytest.mark.parametrize(("number", "error"), [(-2, OperationalError), (-3, TimeoutError)])
async def test_what_would_strike_each_of_them_is_told_to_all_at_once(
    work: Doubling, ask: Asking, number: int, error: type[Exception]
) -> None:
    failing = await ask.start(2, number, 3)
    work.going_on.set()

    failures = await asyncio.gather(*failing, return_exceptions=True)
    assert [type(failure) for failure in failures] == [error] * 3
    assert work.batches == [[2, number, 3]]
    assert work.alone == []
    assert await ask(3) == 6


async def test_nobody_waits_for_ever_for_those_before(
    work: Doubling, ask: Asking, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = await ask.start(1)
    waiting = await ask.start(*range(2, 2 * MAX_CALLS))
    monkeypatch.setattr("bot.db.engine.MAX_WAIT_SECONDS", 0.0)
    work.going_on.set()

    assert await asyncio.gather(*first) == [2]
    failures = await asyncio.gather(*waiting, return_exceptions=True)
    assert [type(failure) for failure in failures] == [TimeoutError] * len(waiting)
    assert work.batches == [[1]]
    monkeypatch.undo()
    assert await ask(3) == 6


async def test_nobody_is_left_waiting_where_the_work_itself_is_cancelled(
    database: Database, work: Doubling
) -> None:
    async def end(_session: AsyncSession, _numbers: Sequence[int]) -> list[int | LeftOut]:
        raise asyncio.CancelledError

    double = Batch(together=end, alone=work.do_alone, writes=False)
    async with database.read() as session:
        with pytest.raises(asyncio.CancelledError):
            await double(session, 1)


async def test_who_has_gone_is_left_out(work: Doubling, ask: Asking) -> None:
    first = await ask.start(1)
    gone, stays = await ask.start(2, 3)
    gone.cancel()
    await asyncio.sleep(0)
    first[0].cancel()
    await asyncio.sleep(0)
    work.going_on.set()

    assert await stays == 6
    assert work.batches == [[1], [3]]


async def test_a_session_in_use_or_of_the_other_kind_is_not_shared(db: Database, work: Doubling) -> None:
    reading = Batch(together=work.do_together, alone=work.do_alone, writes=False)
    writing = Batch(together=work.do_together, alone=work.do_alone, writes=True)
    work.going_on.set()

    async with db.read() as reads, db.write() as writes:
        assert await reading(writes, 1) == await writing(reads, 1) == 2
        assert work.alone == [(writes, 1), (reads, 1)]
        assert await reading(reads, 2) == await writing(writes, 2) == 4
        assert work.batches == [[2], [2]]
        await reads.exec(select(1))
        await writes.exec(select(1))
        assert await reading(reads, 3) == await writing(writes, 3) == 6

    assert work.alone[2:] == [(reads, 3), (writes, 3)]
    assert work.batches == [[2], [2]]


async def names(db: Database) -> list[str]:
    async with db.read() as session:
        return list((await session.exec(select(DailyTask.name).order_by(col(DailyTask.name)))).all())


async def note(session: AsyncSession, name: str) -> str:
    session.add(DailyTask(name=name, started_at=utcnow()))
    await session.flush()
    return name


async def note_all(session: AsyncSession, names: Sequence[str]) -> list[str | LeftOut]:
    noted: list[str | LeftOut] = [await note(session, name) for name in names]
    if "fails" in names:
        raise ZeroDivisionError
    return noted


async def test_what_was_written_together_is_committed_when_the_call_returns(db: Database) -> None:
    writing = Batch(together=note_all, alone=note, writes=True)

    async def write(name: str) -> None:
        async with db.write() as session:
            assert await writing(session, name) == name
            assert name in await names(db)

    await asyncio.gather(write("a"), write("b"))


async def test_what_failed_together_leaves_nothing_behind(db: Database) -> None:
    writing = Batch(together=note_all, alone=note, writes=True)

    async def write(name: str) -> None:
        async with db.write() as session:
            await writing(session, name)
            # What is done alone shares the fate of its caller's block.
            if name == "fails":
                raise ZeroDivisionError

    results = await asyncio.gather(write("a"), write("fails"), write("b"), return_exceptions=True)

    assert [type(result) for result in results] == [type(None), ZeroDivisionError, type(None)]
    assert await names(db) == ["a", "b"]
