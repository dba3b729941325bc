"""Doing in one go what many ask for at the same time."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Final, Generic, TypeVar

MOST: Final = 100
"""How many are done in one go."""

T = TypeVar("T")
R = TypeVar("R")


class Batch(Generic[T, R]):
    """Gathers those who come while others are being seen to, and then sees to them together.

    A session, its transaction and its statements make up most of a short command, and cost little more for
    ten commands than for one. Nobody is kept waiting for somebody who may not come.

    Args:
        together: does it for all of up to `MOST`, and returns a result for each: None where it could not
            be done along with the others.
    """

    def __init__(self, together: Callable[[Sequence[T]], Awaitable[Sequence[R | None]]]) -> None:
        self._together = together
        self._waiting: list[tuple[T, asyncio.Future[R | None]]] = []
        self._task: asyncio.Task[None] | None = None

    async def __call__(self, wanted: T) -> R | None:
        """Have it done, and return what came of it.

        Raises:
            Exception: what `together` raises; for everyone, as nothing was done for anyone.
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
        """Let in those who are as good as there, for as long as more of them come."""
        before = 0
        while before < len(self._waiting) < MOST:
            before = len(self._waiting)
            await asyncio.sleep(0)

    async def _do(self, batch: Sequence[tuple[T, "asyncio.Future[R | None]"]]) -> None:
        try:
            results = await self._together([wanted for wanted, _ in batch])
        except Exception as error:  # noqa: BLE001 - it goes to those who wait for the results
            for _, done in batch:
                if not done.cancelled():
                    done.set_exception(error)
            return
        for (_, done), result in zip(batch, results, strict=True):
            if not done.cancelled():
                done.set_result(result)
