"""What the two bots beside ours need to run against the stand-in."""

import logging
import os

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

    def start_now(self) -> None:
        """Run until the process ends."""
        self.run(
            os.environ["DISCORD_TOKEN"], log_level=logging.getLevelNamesMapping()[os.environ["LOG_LEVEL"]]
        )
