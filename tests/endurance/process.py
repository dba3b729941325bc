"""The bot's process, its log read along so that the pipe never fills up."""

import asyncio
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Self

from sqlalchemy import URL

from tests.support.live import COMMAND, LiveBot, start_process
from tests.wire import Wire

UNLIMITED = {"CHANGES_PER_MINUTE": "10000", "HEROES_PER_MEMBER": "100000"}
"""A few members here do what many would do elsewhere."""


class Bot:
    """A bot that was started, connected or not yet.

    Args:
        live: its process.
        identifies: how many identifies the gateway had seen before.
    """

    def __init__(self, live: LiveBot, identifies: int) -> None:
        self.process = live.process
        self.pid = live.process.pid
        self._wire = live.wire
        self._identifies = identifies
        self._said = bytearray()
        self._grown = asyncio.Event()
        self._reading = asyncio.create_task(self._read())

    @classmethod
    async def start(
        cls, wire: Wire, url: URL, environment: Mapping[str, str] = {}, command: tuple[str, ...] = COMMAND
    ) -> Self:
        """Start one; `ready` waits for it."""
        identifies = len(wire.gateway.identifies)
        variables = UNLIMITED | dict(environment)
        return cls(await start_process(wire, url, variables, command=command), identifies)

    async def _read(self) -> None:
        assert self.process.stdout is not None
        while part := await self.process.stdout.read(1 << 16):
            self._said += part
            self._grown.set()

    @property
    def log(self) -> str:
        """All that it has said so far."""
        return self._said.decode()

    @property
    def alive(self) -> bool:
        return self.process.returncode is None

    async def ready(self, within: float = 30) -> None:
        """Wait until it is connected; fails with its log if it ends instead."""
        new = self._identifies
        connected = asyncio.create_task(
            self._wire.gateway.until(lambda: len(self._wire.gateway.identifies) > new, within)
        )
        ended = asyncio.create_task(self.process.wait())
        await asyncio.wait({connected, ended}, return_when=asyncio.FIRST_COMPLETED)
        ended.cancel()
        if not connected.done():
            connected.cancel()
            raise AssertionError(self.log)
        await connected

    async def said(self, since: int, text: str, within: float = 10) -> str:
        """Wait until what it said from character `since` on holds `text`; returns that part."""
        async with asyncio.timeout(within):
            while text not in self.log[since:]:
                self._grown.clear()
                await self._grown.wait()
        return self.log[since:]

    async def ended(self, within: float = 10) -> int:
        """Wait until it has ended; returns its exit code."""
        async with asyncio.timeout(within):
            code = await self.process.wait()
            await self._reading
        return code

    async def stop(self, within: float = 10) -> int:
        """End it by SIGTERM; returns its exit code."""
        self.process.terminate()
        return await self.ended(within)

    async def kill(self) -> None:
        """End it by SIGKILL, if it is still there."""
        if self.alive:
            self.process.kill()
        await self.ended()

    def memory(self) -> int:
        """Resident memory in KiB."""
        status = Path(f"/proc/{self.pid}/status").read_text(encoding="ascii")
        return int(status.partition("VmRSS:")[2].split()[0])

    def threads(self) -> int:
        return len(list(Path(f"/proc/{self.pid}/task").iterdir()))

    def files(self) -> int:
        """Open files, sockets included."""
        return len(list(Path(f"/proc/{self.pid}/fd").iterdir()))


@asynccontextmanager
async def running(
    wire: Wire, url: URL, environment: Mapping[str, str] = {}, command: tuple[str, ...] = COMMAND
) -> AsyncGenerator[Bot]:
    """A connected bot, gone at the end of the block whatever happens in it."""
    bot = await Bot.start(wire, url, environment, command)
    try:
        await bot.ready()
        yield bot
    finally:
        await bot.kill()
