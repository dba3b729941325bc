"""Coalescing: calls that several members make at the same time share one session.

A session, its transaction and its statements make up most of a short command, and cost little more for ten
commands than for one. `docs/performance.md` has the figures. A roster function that is used this much has two
forms, `alone` and `together`; its callers know neither.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, Final, Generic, Literal, TypeAlias, TypeVar
from weakref import WeakKeyDictionary

from sqlalchemy.exc import OperationalError
from sqlmodel.ext.asyncio.session import AsyncSession

from bot.db import engine
from bot.db.engine import Database, database_of, is_untouched

log = logging.getLogger(__name__)

MAX_CALLS: Final = 30
"""Calls that share one session."""
MAX_GATHER_SECONDS: Final = 0.01
"""The time in which a batch waits for as many calls as the one before had. Without it, members who act again
and again would be done in turns: one alone, then all the others."""


class _LeftOut(Enum):
    LEFT_OUT = "left out"


LEFT_OUT: Final = _LeftOut.LEFT_OUT
"""The result of a call that `together` leaves to `alone`."""
LeftOut: TypeAlias = Literal[_LeftOut.LEFT_OUT]

T = TypeVar("T")
R = TypeVar("R")


@dataclass(slots=True)
class _Call(Generic[T]):
    wanted: T
    done: "asyncio.Future[Any]"
    since: float


@dataclass(slots=True)
class _Queue(Generic[T]):
    waiting: list[_Call[T]] = field(default_factory=list[_Call[T]])
    running: "asyncio.Task[None] | None" = None
    arrived: asyncio.Event = field(default_factory=asyncio.Event)
    latest: int = 1
    """Calls in the latest batch."""


class Batch(Generic[T, R]):
    """A roster function whose simultaneous calls are done together.

    A call waits up to `MAX_GATHER_SECONDS` for others, if the latest batch had several, and up to
    `MAX_WAIT_SECONDS` for those before it.

    Args:
        together: does it for up to `MAX_CALLS` calls in one session, all or nothing, and returns a result for
            each call, in order. `LEFT_OUT` leaves a call to `alone`.
        alone: does it for one call, in the caller's own session.
        writes: whether the session writes. What `together` has written is committed when the call returns.
    """

    def __init__(
        self,
        *,
        together: Callable[[AsyncSession, Sequence[T]], Awaitable[Sequence[R | LeftOut]]],
        alone: Callable[[AsyncSession, T], Awaitable[R]],
        writes: bool,
    ) -> None:
        self._together = together
        self._alone = alone
        self._writes = writes
        self._queues = WeakKeyDictionary[Database, _Queue[T]]()

    async def __call__(self, session: AsyncSession, wanted: T) -> R:
        """Do it together with others, or alone if the session is in use already or of the other kind.

        Raises:
            TimeoutError: the calls before took more than `MAX_WAIT_SECONDS`.
            Exception: what `alone` raises, or what `together` raises if it would strike every call alike.
        """
        if is_untouched(session, writes=self._writes):
            database = database_of(session)
            with database.left_to_a_batch(session):
                result = await self._join(database, wanted)
            if result is not LEFT_OUT:
                return result
        return await self._alone(session, wanted)

    async def _join(self, database: Database, wanted: T) -> R | LeftOut:
        loop = asyncio.get_running_loop()
        queue = self._queues.setdefault(database, _Queue())
        call = _Call(wanted, loop.create_future(), loop.time())
        queue.waiting.append(call)
        queue.arrived.set()
        if queue.running is None:
            queue.running = asyncio.create_task(self._run(database, queue))
        return await call.done

    async def _run(self, database: Database, queue: _Queue[T]) -> None:
        try:
            while queue.waiting:
                await self._gather(queue)
                self._expire(queue, asyncio.get_running_loop().time() - engine.MAX_WAIT_SECONDS)
                calls, queue.waiting = queue.waiting[:MAX_CALLS], queue.waiting[MAX_CALLS:]
                queue.latest = len(calls)
                if pending := [call for call in calls if not call.done.done()]:
                    await self._do(database, pending)
        finally:
            queue.running = None
            # If the bot ends in the middle of it.
            for call in queue.waiting:
                call.done.cancel()

    async def _gather(self, queue: _Queue[T]) -> None:
        """Wait for calls that are about to come: of tasks that are ready, and of as many as came before."""
        before = 0
        while before < len(queue.waiting) < MAX_CALLS:
            before = len(queue.waiting)
            await asyncio.sleep(0)
        with suppress(TimeoutError):
            async with asyncio.timeout(MAX_GATHER_SECONDS):
                while len(queue.waiting) < queue.latest:
                    queue.arrived.clear()
                    await queue.arrived.wait()

    def _expire(self, queue: _Queue[T], before: float) -> None:
        """Fail calls that have waited since before that time of the event loop."""
        for call in queue.waiting:
            if call.since < before and not call.done.done():
                call.done.set_exception(TimeoutError())

    async def _do(self, database: Database, calls: Sequence[_Call[T]]) -> None:
        try:
            async with database.write() if self._writes else database.read() as session:
                results = await self._together(session, [call.wanted for call in calls])
            for call, result in zip(calls, results, strict=True):
                if not call.done.done():
                    call.done.set_result(result)
        except Exception as error:
            # A locked or full file, or no connection in time, would strike each call again.
            strikes_all = isinstance(error, (TimeoutError, OperationalError))
            if not strikes_all and len(calls) > 1:
                log.warning("%d calls failed together; each is tried alone", len(calls), exc_info=error)
            for call in calls:
                if call.done.done():
                    continue
                if strikes_all:
                    call.done.set_exception(error)
                else:
                    call.done.set_result(LEFT_OUT)
        finally:
            # If the bot ends in the middle of it.
            for call in calls:
                call.done.cancel()
