"""Run the bot in a process of its own: signals, exit, and errors at the start."""

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

MAX_STOP_SECONDS: Final = 9.0
"""Seconds that the process has to end once it is told to; hosts kill it after ten seconds."""

GC_THRESHOLD: Final = 10_000
"""New objects after which a garbage collection begins: https://docs.python.org/3/library/gc.html#gc.set_threshold

Python's default is 700. While hundreds of members wait, that many objects are alive at any time, so nearly
every collection would be in vain. A suggestion leaves reference cycles of 14 objects, which take some 4 KB.
"""


@asynccontextmanager
async def discord_faults() -> AsyncGenerator[None]:
    """Turn errors of Discord's API into an `OperatorError`; `bot.gateway.link` does so for its gateway."""
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
    """End the process after `MAX_STOP_SECONDS`, even if something still runs.

    That may be a database that does not answer, or a dead connection to Discord, to which discord.py gives
    half a minute to close. Changes that members were told of are stored; others may be lost.
    """

    def end() -> None:
        log.warning("ended before everything was done: the database or Discord did not answer in time")
        logging.shutdown()
        os._exit(0)

    timer = threading.Timer(MAX_STOP_SECONDS, end)
    timer.daemon = True
    timer.start()


def tune_garbage_collection() -> None:
    """Raise the threshold of garbage collection, and exempt all objects that are loaded by now.

    Modules and classes live as long as the process. A full collection that looks through them would halt the
    bot for a tenth of a second now and then, and longer on a small machine.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(GC_THRESHOLD)


async def run_bot(settings: Settings) -> None:
    """Run until SIGTERM or SIGINT, then wait for running handlers and return: a graceful shutdown.

    `_end_in_time` limits how long the shutdown takes.

    Raises:
        OperatorError: the start is impossible, or Discord refuses the bot.
    """
    token = _token(settings)
    tune_garbage_collection()
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
            # A start that is still going on does not notice that the bot is closed.
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)
            return
        stopping.cancel()
        await running


async def sync_now(settings: Settings) -> None:
    """Tell Discord about the commands, even if they are unchanged, and return.

    Raises:
        OperatorError: Discord or the database is unreachable.
    """
    token = _token(settings)
    async with discord_faults(), HeroBot(settings, force_sync=True) as bot:
        await bot.login(token)
