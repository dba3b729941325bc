"""Requests to Discord, made again where the way there fails."""

import asyncio
from collections.abc import Awaitable, Callable
from http import HTTPStatus
from typing import Final

import aiohttp
import discord

PAUSE: Final = 0.5
"""Seconds until a request that failed is tried again; each further pause is twice as long."""

PAUSE_MOST: Final = 30.0
"""Seconds between two tries at most."""

ALREADY_ACKNOWLEDGED: Final = 40060
"""https://discord.com/developers/docs/topics/opcodes-and-status-codes#json"""

FAILURES: Final = (discord.HTTPException, aiohttp.ClientError, OSError)
"""What discord.py raises when Discord refuses or fails, or the way there. A TimeoutError is an OSError."""


async def persist(request: Callable[[], Awaitable[object]], until: float) -> None:
    """Make a request to Discord, again if the way there fails, until that time of the event loop.

    discord.py repeats what Discord could not do at the moment, five times, and never what got no response.
    Either may have been done all the same: then an edit is made twice, which shows nothing, a second
    acknowledgement is refused, which says that the first is there, and a follow-up is there twice: Discord
    knows no way to send one only once, or to ask whether it is there.

    Args:
        request: makes it, each time anew.
        until: when it is too late for another try, in seconds of that clock.

    Raises:
        discord.HTTPException: Discord refuses it.
        OSError, aiohttp.ClientError: it can't be reached.
    """
    now = asyncio.get_running_loop().time
    pause = PAUSE
    while True:
        try:
            await request()
        except FAILURES as error:
            if isinstance(error, discord.HTTPException) and error.code == ALREADY_ACKNOWLEDGED:
                return
            if not may_pass(error) or now() + pause > until:
                raise
            await asyncio.sleep(pause)
            pause = min(2 * pause, PAUSE_MOST)
        else:
            return


def may_pass(error: Exception) -> bool:
    """Whether what failed may work a while later: Discord was too busy, broken or out of reach."""
    if isinstance(error, discord.HTTPException):
        return (
            error.status == HTTPStatus.TOO_MANY_REQUESTS or error.status >= HTTPStatus.INTERNAL_SERVER_ERROR
        )
    return True
