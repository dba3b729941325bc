"""The real bot against a simulated Discord, in a local web page: no token, no network, no trace."""

import asyncio
import signal
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Final

import discord
import simcord
from pydantic import SecretStr
from sqlalchemy import URL

from bot.client import HeroBot
from bot.roster.heroes import add_hero
from bot.settings import Settings

if TYPE_CHECKING:
    from simcord.env import Env

SEEDS: Final = (
    ("mara", "Deadpond", "Dive Wilson", None, "Talks to the reader. Heals. Never shuts up."),
    ("mara", "Spider-Boy", "Pedro Parqueador", 16, "Swings by after school."),
    ("tom", "Rusty-Man", "Tommy Sharp", 48, "Builds a suit, regrets nothing."),
    ("tom", "Tarantula", "Natalia Roman-on", 32, None),
    ("ines", "Captain North America", "Esteban Rogelios", 93, "Slept through most of it."),
)
"""Who plays whom: player, name, secret identity, age, description."""

INTRODUCTION: Final = """\
The preview is at  {url}
It shows #heroes of a made-up server, where you can be:
  ines  the keeper: she may manage the server
  mara  a member with two heroes
  tom   a member with two heroes
Type a slash, such as /hero find, into the box at the bottom of the page.
Time stands still there. Type a number of minutes here to let them pass; Ctrl+C ends it."""


async def preview(settings: Settings, *, port: int | None = None) -> None:
    """Serve the page until SIGINT or SIGTERM.

    Args:
        settings: only how to log is taken from them.
        port: of the page; None for any that is free.
    """
    with tempfile.TemporaryDirectory(prefix="hero-roster-") as folder:
        own = settings.model_copy(
            update={
                "discord_token": SecretStr("preview"),
                "database_url": URL.create("sqlite+aiosqlite", database=str(Path(folder) / "heroes.db")),
                "dev_guild_id": None,
                "discord_api_url": None,
                "discord_gateway_url": None,
            }
        )
        bot = HeroBot(own, shard_count=1)
        try:
            async with simcord.run(bot, check_errors=False) as env:
                await _serve(env, bot, port)
        finally:
            await bot.close()


async def _serve(env: "Env", bot: HeroBot, port: int | None) -> None:
    owner = env.create_user("ines", global_name="Ines")
    guild = env.create_guild("Hall of Heroes", owner=owner)
    channel = guild.create_text_channel("heroes")
    keepers = guild.create_role("Keeper", permissions=discord.Permissions(manage_guild=True))
    people = {
        "ines": guild.add_member(owner, roles=[keepers]),
        "mara": guild.add_member(env.create_user("mara", global_name="Mara")),
        "tom": guild.add_member(env.create_user("tom", global_name="Tom")),
    }
    for player, name, secret_name, age, description in SEEDS:
        async with bot.db.write() as session:
            await add_hero(
                session,
                guild_id=guild.id,
                owner_id=people[player].id,
                name=name,
                secret_name=secret_name,
                age=age,
                description=description,
            )
    await env.settle()
    page = env.preview(channel, viewers=list(people.values()), layout="channel", port=port)
    async with page:
        print(INTRODUCTION.format(url=page.url), flush=True)  # noqa: T201 - for the person at the terminal
        stop = asyncio.Event()
        loop = asyncio.get_running_loop()
        for signum in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(signum, stop.set)
        clock = asyncio.create_task(_advance_clock(env))
        await stop.wait()
        clock.cancel()


async def _advance_clock(env: "Env") -> None:
    """Let simulated minutes pass for each number typed into the terminal."""
    loop = asyncio.get_running_loop()
    lines = asyncio.StreamReader()
    try:
        await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(lines), sys.stdin)
    except (OSError, ValueError):
        return  # There is no terminal to read from.
    while line := await lines.readline():
        try:
            minutes = float(line)
            await env.advance_time(minutes * 60)
        except (ValueError, simcord.SetupError):
            print("Type a number of minutes, such as 5.")  # noqa: T201
        else:
            print(f"{minutes:g} minutes have passed there.")  # noqa: T201
