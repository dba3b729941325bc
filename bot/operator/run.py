"""Running the bot in a process of its own: signals, exit, and what can go wrong at the start."""

import asyncio
import gc
import logging
import os
import signal
import threading
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Final

import aiohttp
import discord

from bot.client import HeroBot
from bot.errors import EX_CONFIG, EX_UNAVAILABLE, OperatorError
from bot.gateway.link import REFUSED
from bot.settings import Settings

log = logging.getLogger(__name__)

STOP_WITHIN: Final = 9.0
"""Seconds that the process has to end once it is told to; hosts kill it after ten."""

LOOK_FOR_GARBAGE_AFTER: Final = 10_000
"""How many more objects there have to be before Python looks for circles among them. While hundreds of
members wait, there are more than its usual hundreds at any time. Suggestions leave 14 each, which take some
4 KB."""


@asynccontextmanager
async def discord_faults() -> AsyncGenerator[None]:
    """Turn what Discord's API refuses into an `OperatorError`; see `bot.gateway.link` for its gateway."""
    try:
        yield
    except discord.LoginFailure as error:
        raise OperatorError(REFUSED, EX_CONFIG) from error
    except (aiohttp.ClientError, discord.GatewayNotFound, discord.DiscordServerError) as error:
        raise OperatorError(
            "Discord can't be reached. Check the network, DISCORD_API_URL and DISCORD_GATEWAY_URL.",
            EX_UNAVAILABLE,
        ) from error


def _token(settings: Settings) -> str:
    if settings.discord_token is None:
        raise OperatorError("DISCORD_TOKEN is missing (in the environment or .env).", EX_CONFIG)
    return settings.discord_token.get_secret_value()


def _end_in_time() -> None:
    """End the process after `STOP_WITHIN` seconds, whatever still keeps it.

    That may be a database that does not answer, or a dead connection to Discord, which discord.py gives half
    a minute to say goodbye. What was confirmed is stored; what is given up was not confirmed.
    """

    def end() -> None:
        log.warning("ended before everything was done: the database or Discord did not answer in time")
        logging.shutdown()
        os._exit(0)

    timer = threading.Timer(STOP_WITHIN, end)
    timer.daemon = True
    timer.start()


def look_less_for_garbage() -> None:
    """Let Python look for circles of objects less often, and not among what is loaded by now.

    That stays; to look through it would halt everything for a tenth of a second now and then, and longer on a
    small machine.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(LOOK_FOR_GARBAGE_AFTER)


async def run_bot(settings: Settings) -> None:
    """Run until SIGTERM or SIGINT, then let running handlers finish and return; see `_end_in_time`.

    Raises:
        OperatorError: it can't start.
    """
    token = _token(settings)
    look_less_for_garbage()
    async with discord_faults(), HeroBot(settings) as bot:
        running = asyncio.create_task(bot.start(token))
        stop = asyncio.Event()
        for signum in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(signum, stop.set)
        stopping = asyncio.create_task(stop.wait())
        await asyncio.wait({running, stopping}, return_when=asyncio.FIRST_COMPLETED)
        if stop.is_set():
            _end_in_time()
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
        OperatorError: Discord or the database can't be reached.
    """
    token = _token(settings)
    async with discord_faults(), HeroBot(settings, force_sync=True) as bot:
        await bot.login(token)
