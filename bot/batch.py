"""Doing in one go what many ask for at the same time."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from typing import Final, Generic, TypeVar

log = logging.getLogger(__name__)

MOST: Final = 30
"""How many are done in one go."""

T = TypeVar("T")
R = TypeVar("R")


class Batch(Generic[T, R]):
    """Collects the calls that come while others are running, and then does them together.

    A session, its transaction and its statements make up most of a short command, and cost little more for
    ten commands than for one. No call waits for others that may not come.

    Args:
        together: does it for up to `MOST` calls, all or nothing, and returns a result for each: None for
            one that is to be done by itself.
    """

    def __init__(self, together: Callable[[Sequence[T]], Awaitable[Sequence[R | None]]]) -> None:
        self._together = together
        self._waiting: list[tuple[T, asyncio.Future[R | None]]] = []
        self._task: asyncio.Task[None] | None = None

    async def __call__(self, wanted: T) -> R | None:
        """Have it done, and return the result.

        None says that the caller is to do it by itself, which is also so when several failed together: one
        of them may have spoiled it for the others.

        Raises:
            Exception: what `together` raises for this call alone.
        """
        done: asyncio.Future[R | None] = asyncio.get_running_loop().create_future()
        self._waiting.append((wanted, done))
        if self._task is None:
            self._task = asyncio.create_task(self._run())
        return await done

    async def _run(self) -> None:
        try:
            while self._waiting:
                await self._gather()
                batch, self._waiting = self._waiting[:MOST], self._waiting[MOST:]
                if here := [(wanted, done) for wanted, done in batch if not done.cancelled()]:
                    await self._do(here)
        finally:
            self._task = None

    async def _gather(self) -> None:
        """Let tasks that are ready to run make their calls, for as long as more calls come of it."""
        before = 0
        while before < len(self._waiting) < MOST:
            before = len(self._waiting)
            await asyncio.sleep(0)

    async def _do(self, batch: Sequence[tuple[T, "asyncio.Future[R | None]"]]) -> None:
        try:
            results = await self._together([wanted for wanted, _ in batch])
        except Exception as error:
            if len(batch) == 1:
                ((_, done),) = batch
                if not done.cancelled():
                    done.set_exception(error)
                return
            log.warning("%d calls failed together; each is tried by itself", len(batch), exc_info=error)
            results = [None] * len(batch)
        for (_, done), result in zip(batch, results, strict=True):
            if not done.cancelled():
                done.set_result(result)
