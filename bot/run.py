"""Running the bot in a process of its own: signals, exit, and what can go wrong at the start."""

import asyncio
import gc
import signal
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import aiohttp
import discord

from bot.client import HeroBot
from bot.errors import EX_CONFIG, EX_UNAVAILABLE, StartError
from bot.settings import Settings


@asynccontextmanager
async def discord_faults() -> AsyncGenerator[None]:
    """Turn what Discord refuses while the bot starts into a `StartError`."""
    try:
        yield
    except discord.LoginFailure as error:
        raise StartError(
            "Discord refuses DISCORD_TOKEN. Copy a new one from the Bot page of your application at "
            "https://discord.com/developers/applications.",
            EX_CONFIG,
        ) from error
    except discord.PrivilegedIntentsRequired as error:
        raise StartError("Discord refuses the bot's intents.", EX_CONFIG) from error
    except (aiohttp.ClientError, discord.GatewayNotFound, discord.DiscordServerError) as error:
        raise StartError(
            "Discord can't be reached. Check the network, DISCORD_API_URL and DISCORD_GATEWAY_URL.",
            EX_UNAVAILABLE,
        ) from error


def _token(settings: Settings) -> str:
    if settings.discord_token is None:
        raise StartError("DISCORD_TOKEN is missing (in the environment or .env).", EX_CONFIG)
    return settings.discord_token.get_secret_value()


async def run_bot(settings: Settings) -> None:
    """Run until SIGTERM or SIGINT, then let running handlers finish and return.

    Raises:
        StartError: it can't start.
    """
    token = _token(settings)
    # What is loaded now stays: to look through it for garbage would halt everything for a tenth of a second
    # now and then, and longer on a small machine.
    gc.collect()
    gc.freeze()
    async with discord_faults(), HeroBot(settings) as bot:
        running = asyncio.create_task(bot.start(token))
        stop = asyncio.Event()
        for signum in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(signum, stop.set)
        stopping = asyncio.create_task(stop.wait())
        await asyncio.wait({running, stopping}, return_when=asyncio.FIRST_COMPLETED)
        if stop.is_set():
            await bot.close()
            # Half-way through its start it would never notice by itself.
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)
            return
        stopping.cancel()
        await running


async def sync_now(settings: Settings) -> None:
    """Tell Discord about the commands, whether they changed or not, and return.

    Raises:
        StartError: Discord or the database can't be reached.
    """
    token = _token(settings)
    async with discord_faults(), HeroBot(settings, force_sync=True) as bot:
        await bot.login(token)
