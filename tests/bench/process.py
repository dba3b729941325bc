"""The processes that are measured."""

import asyncio
import os
import sys
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Final

from cryptography.fernet import Fernet
from sqlalchemy import URL

from tests.bench.data import GUILDS
from tests.bench.load import Crowd
from tests.support.paths import ROOT
from tests.wire import Wire

SECRET_KEY: Final = Fernet.generate_key().decode()
BOTS: Final = {
    "limit": (sys.executable, "-m", "tests.bench.limit_bot"),
    "plain": (sys.executable, "-m", "tests.bench.plain_bot"),
    "ours": (sys.executable, "-m", "bot"),
}


class Measured:
    """A bot's process and the members who use it.

    Args:
        pid: the process.
        wire: the Discord that it is connected to; nobody else is.
    """

    def __init__(self, pid: int, wire: Wire) -> None:
        self.wire = wire
        self.pid = pid
        self.crowd = Crowd(wire)
        self.start_seconds = self.cpu_seconds()
        """Processor time from start to ready."""

    def memory(self) -> float:
        """Resident memory in MB."""
        status = Path(f"/proc/{self.pid}/status").read_text(encoding="ascii")
        return int(status.partition("VmRSS:")[2].split()[0]) / 1024

    def cpu_seconds(self) -> float:
        """Processor time so far, of all threads."""
        fields = Path(f"/proc/{self.pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    async def settled(self, within: float = 60.0) -> None:
        """Wait until it has stopped working on what nobody waits for any longer, which would slow others."""
        await self.crowd.settled(within)
        with suppress(TimeoutError):
            async with asyncio.timeout(within):
                before = -1.0
                while (now := self.cpu_seconds()) > before + 0.01:
                    before = now
                    await asyncio.sleep(0.1)


@asynccontextmanager
async def measured(
    bot: str, url: URL, *, encrypts: bool = True, guilds: int = GUILDS
) -> AsyncGenerator[Measured]:
    """One of `BOTS`, connected, on a database that holds its own tables or none yet.

    What it says goes to this process's error output: nothing, if all is well.

    Raises:
        RuntimeError: it ended instead.
    """
    async with Wire(guilds=guilds) as wire:
        process = await asyncio.create_subprocess_exec(
            *BOTS[bot],
            env={
                "PATH": os.environ["PATH"],
                "PYTHONPATH": str(ROOT),
                "DATABASE_URL": url.render_as_string(hide_password=False),
                "LOG_LEVEL": "ERROR" if bot == "plain" else "WARNING",
                "CHANGES_PER_MINUTE": "10000",
                "HEROES_PER_MEMBER": "100000",
                "SECRET_KEYS": SECRET_KEY if encrypts else "",
                **wire.environment(),
            },
            stdin=asyncio.subprocess.DEVNULL,
        )
        try:
            connected = asyncio.create_task(wire.gateway.connected(within=60))
            ended = asyncio.create_task(process.wait())
            await asyncio.wait({connected, ended}, return_when=asyncio.FIRST_COMPLETED)
            if ended.done():
                connected.cancel()
                raise RuntimeError(f"the bot {bot} ended with exit code {process.returncode}")
            ended.cancel()
            await connected
            yield Measured(process.pid, wire)
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()
