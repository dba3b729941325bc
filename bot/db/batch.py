"""Doing in one go what many ask for at the same time."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Final, Generic, TypeVar, cast

from sqlalchemy.exc import OperationalError

from bot.db.engine import WAIT

log = logging.getLogger(__name__)

MOST: Final = 30
"""How many are done in one go."""

T = TypeVar("T")
R = TypeVar("R")


@dataclass(slots=True)
class _Call(Generic[T, R]):
    wanted: T
    done: asyncio.Future[R | None]
    since: float


class Batch(Generic[T, R]):
    """Collects the calls that come while others are running, and then does them together.

    A session, its transaction and its statements make up most of a short command, and cost little more for
    ten commands than for one. No call waits for others that may not come, nor longer than `WAIT` seconds for
    those before it.

    Args:
        together: does it for up to `MOST` calls, all or nothing, and returns a result for each: None for
            one that is to be done by itself.
        at_once: how often that may be under way at the same time. More fill the time in which one waits for
            the database, and are each for fewer.
    """

    def __init__(
        self, together: Callable[[Sequence[T]], Awaitable[Sequence[R | None]]], *, at_once: int = 1
    ) -> None:
        self._together = together
        self._at_once = at_once
        self._waiting: list[_Call[T, R]] = []
        self._tasks = set[asyncio.Task[None]]()

    async def __call__(self, wanted: T) -> R | None:
        """Have it done, and return the result.

        None says that the caller is to do it by itself, which is also so when several failed together: one
        of them may have spoiled it for the others.

        Raises:
            TimeoutError: those before it took more than `WAIT` seconds.
            Exception: what `together` raises for this call alone, or what would strike each of them alone.
        """
        loop = asyncio.get_running_loop()
        call = _Call[T, R](wanted, loop.create_future(), loop.time())
        self._waiting.append(call)
        if len(self._tasks) < self._at_once:
            task = asyncio.create_task(self._run())
            self._tasks.add(task)
        return await call.done

    async def _run(self) -> None:
        try:
            while self._waiting:
                await self._gather()
                self._send_away(asyncio.get_running_loop().time() - WAIT)
                batch, self._waiting = self._waiting[:MOST], self._waiting[MOST:]
                if here := [call for call in batch if not call.done.done()]:
                    await self._do(here)
        finally:
            self._tasks.discard(cast("asyncio.Task[None]", asyncio.current_task()))

    def _send_away(self, before: float) -> None:
        """Let those give up who came before that moment, as whoever waits for a writer does."""
        for call in self._waiting:
            if call.since < before and not call.done.done():
                call.done.set_exception(TimeoutError())

    async def _gather(self) -> None:
        """Let tasks that are ready to run make their calls, for as long as more calls come of it."""
        before = 0
        while before < len(self._waiting) < MOST:
            before = len(self._waiting)
            await asyncio.sleep(0)

    async def _do(self, batch: Sequence["_Call[T, R]"]) -> None:
        try:
            results = await self._together([call.wanted for call in batch])
            for call, result in zip(batch, results, strict=True):
                if not call.done.done():
                    call.done.set_result(result)
        except Exception as error:
            # A file that is locked or full, or no connection in time, would keep each of them waiting again.
            for_all = len(batch) == 1 or isinstance(error, (TimeoutError, OperationalError))
            if not for_all:
                log.warning("%d calls failed together; each is tried by itself", len(batch), exc_info=error)
            for call in batch:
                if call.done.done():
                    continue
                if for_all:
                    call.done.set_exception(error)
                else:
                    call.done.set_result(None)
        finally:
            # Where the bot ends in the middle of it.
            for call in batch:
                call.done.cancel()
