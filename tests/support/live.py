"""The bot, connected to the stand-in for Discord: `python -m bot` as a process of its own, or in this one."""

import asyncio
import os
import signal
import sys
from asyncio.subprocess import PIPE, STDOUT, Process
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from discord.ext import commands
from discord.gateway import DiscordWebSocket
from discord.http import Route
from pydantic import SecretStr
from sqlalchemy import URL

from bot.client import HeroBot
from tests.support.paths import ROOT
from tests.support.world import settings_for
from tests.wire import Wire


@dataclass
class LiveBot:
    """A running bot.

    Args:
        process: its process.
        wire: the Discord that it is connected to.
    """

    process: Process
    wire: Wire

    async def stop(self, signum: signal.Signals = signal.SIGTERM, *, within: float = 60) -> tuple[int, str]:
        """End it.

        Args:
            signum: by which signal.
            within: seconds it has for that.

        Returns:
            Its exit code, and what it has logged.
        """
        if self.process.returncode is None:
            self.process.send_signal(signum)
        return await self.ended(within=within)

    async def ended(self, *, within: float = 60) -> tuple[int, str]:
        """Wait until it has ended by itself; see `stop`."""
        async with asyncio.timeout(within):
            log, _ = await self.process.communicate()
        assert self.process.returncode is not None
        return self.process.returncode, log.decode()


COMMAND = (sys.executable, "-m", "bot")


async def start_process(
    wire: Wire, url: URL, environment: Mapping[str, str] = {}, *, command: tuple[str, ...] = COMMAND
) -> LiveBot:
    """Start the bot against `wire`, on the database at `url`; what it says goes to a pipe."""
    variables = {
        # A Procfile says `python`, and means the one beside this one.
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        "PYTHONPATH": str(ROOT),
        "DATABASE_URL": url.render_as_string(hide_password=False),
        **wire.environment(),
        **environment,
    }
    process = await asyncio.create_subprocess_exec(
        *command,
        # An empty value means the default, so a variable can be taken out again.
        env={name: value for name, value in variables.items() if value},
        stdin=asyncio.subprocess.DEVNULL,
        stdout=PIPE,
        stderr=STDOUT,
    )
    return LiveBot(process, wire)


@asynccontextmanager
async def live_bot(
    wire: Wire, url: URL, environment: Mapping[str, str] = {}, *, command: tuple[str, ...] = COMMAND
) -> AsyncGenerator[LiveBot]:
    """A bot with each of its shards connected, gone at the end of the block, whatever happens in it."""
    bot = await start_process(wire, url, environment, command=command)
    try:
        connected = asyncio.create_task(wire.gateway.connected(wire.shards))
        ended = asyncio.create_task(bot.process.wait())
        await asyncio.wait({connected, ended}, return_when=asyncio.FIRST_COMPLETED)
        ended.cancel()
        if not connected.done():
            connected.cancel()
            raise AssertionError((await bot.ended())[1])
        await connected
        yield bot
    finally:
        if bot.process.returncode is None:
            bot.process.kill()
            await bot.process.communicate()


@asynccontextmanager
async def bot_on(wire: Wire, url: URL, *cogs: commands.Cog) -> AsyncGenerator[HeroBot]:
    """The bot in this process, with more cogs than its own; Discord's addresses are put back afterwards.

    Args:
        wire: the Discord that it connects to.
        url: its database.
        cogs: what it is to have as well.
    """
    base, gateway = Route.BASE, DiscordWebSocket.DEFAULT_GATEWAY
    settings = settings_for(url, discord_token=SecretStr(wire.token), discord_api_url=wire.api_url)
    try:
        async with HeroBot(settings) as bot:
            for cog in cogs:
                await bot.add_cog(cog)
            running = asyncio.create_task(bot.start(wire.token))
            await wire.gateway.connected()
            yield bot
            await bot.close()
            await running
    finally:
        Route.BASE, DiscordWebSocket.DEFAULT_GATEWAY = base, gateway
