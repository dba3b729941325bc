"""Requests to Discord, retried while Discord is busy, broken or out of reach."""

import asyncio
from collections.abc import Awaitable, Callable
from http import HTTPStatus
from typing import Final

import aiohttp
import discord

PAUSE_SECONDS: Final = 0.5
"""The back-off before the second try; each further one is twice as long."""

MAX_PAUSE_SECONDS: Final = 30.0
"""The longest back-off."""

ALREADY_ACKNOWLEDGED: Final = 40060
"""https://discord.com/developers/docs/topics/opcodes-and-status-codes#json"""

FAILURES: Final = (discord.HTTPException, aiohttp.ClientError, OSError)
"""The errors that discord.py raises when Discord or the network fails. A TimeoutError is an OSError."""


async def retry(request: Callable[[], Awaitable[object]], until: float) -> None:
    """Make a request to Discord, and retry it with back-off until that time of the event loop.

    discord.py makes a request up to five times while Discord answers with a failure of its own. It never
    retries a request without a response, which Discord may have done all the same. A retried edit changes
    nothing. Discord refuses a second acknowledgement, so the first one arrived. A retried follow-up may
    appear twice: Discord has no way to send one only once, or to ask whether it arrived.

    Args:
        request: makes the request, each time anew.
        until: the time after which no try begins, in seconds of the event loop's clock.

    Raises:
        discord.HTTPException: Discord refuses it.
        OSError, aiohttp.ClientError: Discord is out of reach.
    """
    now = asyncio.get_running_loop().time
    pause = PAUSE_SECONDS
    while True:
        try:
            await request()
        except FAILURES as error:
            if isinstance(error, discord.HTTPException) and error.code == ALREADY_ACKNOWLEDGED:
                return
            if not may_pass(error) or now() + pause > until:
                raise
            await asyncio.sleep(pause)
            pause = min(2 * pause, MAX_PAUSE_SECONDS)
        else:
            return


def may_pass(error: Exception) -> bool:
    """Return whether a failed request may succeed later: Discord was busy, broken or out of reach."""
    if isinstance(error, discord.HTTPException):
        return (
            error.status == HTTPStatus.TOO_MANY_REQUESTS or error.status >= HTTPStatus.INTERNAL_SERVER_ERROR
        )
    return True
