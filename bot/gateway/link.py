"""The link to Discord's gateway: how soon to connect, how soon to begin a session, when to give up.

discord.py does the rest. See `bot.gateway.discordpy` for the names it does not document.
"""

import asyncio
import logging
from collections.abc import Generator
from contextlib import contextmanager, suppress
from http import HTTPStatus
from typing import Final

import aiohttp
import discord
from discord.ext import commands

from bot.errors import EX_CONFIG, EX_UNAVAILABLE, OperatorError
from bot.gateway.discordpy import gateway_of, pace_connections, use_gateway

log = logging.getLogger(__name__)

REFUSED: Final = (
    "Discord refuses DISCORD_TOKEN. Copy a new one from the Bot page of your application at "
    "https://discord.com/developers/applications."
)

INTENTS_REFUSED: Final = 4014
"""discord.py has an exception of its own for this code."""

REFUSALS: Final[dict[int, tuple[str, int]]] = {
    4004: (REFUSED, EX_CONFIG),
    4010: ("Discord refuses the shards of the bot. Check DISCORD_GATEWAY_URL.", EX_CONFIG),
    # Discord says at the start how many are needed.
    4011: ("The bot is in too many servers for its shards. Start it again, for more.", EX_UNAVAILABLE),
    4012: ("Discord no longer knows this version of its gateway. Update Hero Roster.", EX_CONFIG),
    4013: ("Discord does not know the bot's intents. Update Hero Roster.", EX_CONFIG),
    INTENTS_REFUSED: ("Discord refuses the bot's intents. Update Hero Roster.", EX_CONFIG),
}
"""The line to show, and the exit code, for each close code after which a bot must not connect again:
https://discord.com/developers/docs/topics/opcodes-and-status-codes#gateway-gateway-close-event-codes"""

MAX_CONNECTION_PAUSE_SECONDS: Final = 20.0
"""Seconds between two connections; discord.py gives up one that has no session after a minute."""
MAX_TOKEN_CHECK_SECONDS: Final = 5.0
"""Seconds for the API to say whether it still accepts the token, for the same reason."""

SESSION_INTERVAL_SECONDS: Final = 5.0
"""Seconds between the sessions that one process begins, as Discord asks:
https://discord.com/developers/docs/events/gateway#rate-limiting"""
MAX_SESSION_PAUSE_SECONDS: Final = 30.0
"""Seconds that an open connection waits for its session; Discord closes one that waits for too long."""


def pause_before_connection(tries: int, shards: int) -> float:
    """Return the seconds to wait before the next connection, after so many that came to nothing.

    Args:
        tries: connections since one of them last got its session.
        shards: how many connections the process has; all of them may be lost at the same moment.
    """
    if tries < shards:
        return 0.0
    # The power of an outage that lasts for hours is more than a float holds.
    return min(2.0 ** min(tries - shards, 10), MAX_CONNECTION_PAUSE_SECONDS)


def pause_before_session(
    *, left: int, total: int, seconds: float, most: float = MAX_SESSION_PAUSE_SECONDS
) -> float:
    """Return the seconds to wait before a session begins, so that the sessions of a day last the day.

    Discord resets the token of a bot that begins one too many:
    https://discord.com/developers/docs/events/gateway#session-start-limit-object

    Args:
        left: sessions that may begin until the day is over.
        total: sessions that may begin in a day.
        seconds: until the day is over.
        most: seconds to wait at most while some are left.
    """
    if not left:
        return max(seconds, SESSION_INTERVAL_SECONDS)
    if left > total / 2:
        return SESSION_INTERVAL_SECONDS
    return min(max(seconds / left, SESSION_INTERVAL_SECONDS), most)


@contextmanager
def gateway_refusals() -> Generator[None]:
    """Turn the close codes that discord.py raises into an `OperatorError`.

    aiohttp loses the code if TCP is gone before the reply. discord.py then takes a refusal for a broken line
    and connects again; the `Link` waits before that, and asks the API about the token.
    """
    try:
        yield
    except discord.PrivilegedIntentsRequired as error:
        raise OperatorError(*REFUSALS[INTENTS_REFUSED]) from error
    except discord.ConnectionClosed as error:
        if error.code not in REFUSALS:
            raise
        raise OperatorError(*REFUSALS[error.code]) from error


class Link:
    """The pauses and checks before every connection of a bot to the gateway.

    Args:
        bot: the bot that connects.
        gateway_url: where they are made; by default where Discord's API says.
    """

    def __init__(self, bot: commands.AutoShardedBot, gateway_url: str | None) -> None:
        self._bot = bot
        self._gateway_url = gateway_url
        self._shards = 1
        self._tries = 0
        self._latest: aiohttp.ClientWebSocketResponse | None = None
        self._token_refused = False

    async def prepare(self) -> None:
        """Settle where to connect and with how many shards; wait if few sessions are left for today.

        Raises:
            OperatorError: Discord refuses the token.
        """
        with self._api_refusals():
            shards, url, limits = await gateway_of(self._bot)
        if limits.remaining <= limits.total / 2:
            # No connection is open yet, so the pause may be long enough to make the sessions last the day,
            # also if the process ends and starts over and over again.
            await self._pause(limits, 0, most=limits.reset_after / 1000)
        self._shards = self._bot.shard_count = self._bot.shard_count or shards
        use_gateway(self._gateway_url or url)
        pace_connections(self._bot, self._before_connection, self._note_connection)
        for event in ("on_shard_connect", "on_shard_resumed"):
            self._bot.add_listener(self._established, event)

    def check(self) -> None:
        """Raise if Discord has refused the bot while a shard was launched.

        Raises:
            OperatorError: it has; discord.py has swallowed the reason and is about to try again.
        """
        if self._token_refused:
            raise OperatorError(REFUSED, EX_CONFIG)
        code = self._latest.close_code if self._latest is not None else None
        if code in REFUSALS:
            raise OperatorError(*REFUSALS[code])

    async def before_session(self, shard_id: int | None) -> None:
        """Wait until a session may begin; see `pause_before_session`.

        Raises:
            OperatorError: Discord refuses the token.
        """
        with self._api_refusals():
            limits = await self._bot.fetch_session_start_limits()
        await self._pause(limits, shard_id or 0)

    async def _pause(
        self, limits: discord.SessionStartLimits, shard_id: int, *, most: float = MAX_SESSION_PAUSE_SECONDS
    ) -> None:
        pause = pause_before_session(
            left=limits.remaining, total=limits.total, seconds=limits.reset_after / 1000, most=most
        )
        if pause > SESSION_INTERVAL_SECONDS:
            log.warning("few sessions left for today; shard %s begins one in %.0f s", shard_id, pause)
        await asyncio.sleep(pause)

    async def _before_connection(self) -> None:
        """Wait before a connection, the longer the more came to nothing."""
        pause = pause_before_connection(self._tries, self._shards)
        self._tries += 1
        if pause:
            await self._check_token()
            log.warning("connecting to Discord once more in %.0f s", pause)
            await asyncio.sleep(pause)

    def _note_connection(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self._latest = socket

    async def _established(self, _shard_id: int) -> None:
        """Make the next broken connection again at once, now that a connection has got its session."""
        self._tries = 0

    async def _check_token(self) -> None:
        """Raise if the API refuses the token; an API that does not answer changes nothing."""
        with suppress(discord.DiscordException, aiohttp.ClientError, OSError, TimeoutError):
            async with asyncio.timeout(MAX_TOKEN_CHECK_SECONDS):
                with self._api_refusals():
                    await self._bot.fetch_session_start_limits()

    @contextmanager
    def _api_refusals(self) -> Generator[None]:
        try:
            yield
        except discord.GatewayNotFound as error:
            cause = error.__cause__
            if isinstance(cause, discord.HTTPException) and cause.status == HTTPStatus.UNAUTHORIZED:
                self._token_refused = True
                raise OperatorError(REFUSED, EX_CONFIG) from error
            raise
