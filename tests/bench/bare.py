"""What the two bots beside ours need to run against the stand-in."""

import asyncio
import logging
import os
from collections.abc import Callable, Coroutine
from typing import Any

import discord
from discord.ext import commands
from discord.gateway import DiscordWebSocket
from discord.http import Route
from yarl import URL


class BareBot(commands.Bot):
    """A bot that connects to where the environment points, and has its commands registered."""

    def __init__(self) -> None:
        super().__init__(command_prefix=(), help_command=None, intents=discord.Intents(guilds=True))
        Route.BASE = os.environ["DISCORD_API_URL"]
        DiscordWebSocket.DEFAULT_GATEWAY = URL(os.environ["DISCORD_GATEWAY_URL"])

    async def setup_hook(self) -> None:
        await self.tree.sync()

    def start_now(self, run: Callable[[Coroutine[Any, Any, None]], None] = asyncio.run) -> None:
        """Run until the process ends.

        Args:
            run: runs the coroutine in an event loop of its own.
        """
        discord.utils.setup_logging(level=logging.getLevelNamesMapping()[os.environ["LOG_LEVEL"]])

        async def live() -> None:
            async with self:
                await self.start(os.environ["DISCORD_TOKEN"])

        run(live())
