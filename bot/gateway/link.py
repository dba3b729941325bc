"""The way to Discord's gateway: what it says when it closes a connection, and how soon to come back."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, Final, NoReturn, cast

import aiohttp

from bot.errors import EX_CONFIG, EX_UNAVAILABLE, OperatorError

log = logging.getLogger(__name__)

REFUSED: Final = (
    "Discord refuses DISCORD_TOKEN. Copy a new one from the Bot page of your application at "
    "https://discord.com/developers/applications."
)

REFUSALS: Final[dict[int, tuple[str, int]]] = {
    4004: (REFUSED, EX_CONFIG),
    4010: ("Discord refuses the shards of the bot. Check DISCORD_GATEWAY_URL.", EX_CONFIG),
    # Discord says at the start how many are needed.
    4011: ("The bot is in too many servers for its shards. Start it again, for more.", EX_UNAVAILABLE),
    4012: ("Discord no longer knows this version of its gateway. Update Hero Roster.", EX_CONFIG),
    4013: ("Discord does not know the bot's intents. Update Hero Roster.", EX_CONFIG),
    4014: ("Discord refuses the bot's intents. Update Hero Roster.", EX_CONFIG),
}
"""What to say, and the exit code, for the codes after which nobody may connect again:
https://discord.com/developers/docs/topics/opcodes-and-status-codes#gateway-gateway-close-event-codes"""

PAUSE_MOST: Final = 20.0
"""Seconds between two connections; discord.py gives up one that has no session after a minute."""

Connect = Callable[..., Awaitable[aiohttp.ClientWebSocketResponse]]


def pause_before_connection(tries: int, shards: int) -> float:
    """Seconds to wait before a connection is made, after so many that came to nothing.

    Args:
        tries: connections since one of them last got its session.
        shards: how many connections the process has; each of them may be lost at the same moment.
    """
    if tries < shards:
        return 0.0
    # The power of an outage that lasts for hours is more than a float holds.
    return min(2.0 ** min(tries - shards, 10), PAUSE_MOST)


class Socket:
    """A WebSocket that knows what it was closed with, in the place of the one that it wraps.

    aiohttp forgets the code if TCP is gone before it can reply, and then discord.py takes a refusal for a
    broken line. A refused one never says so: the `Link` ends whoever waits for it.
    """

    def __init__(self, socket: aiohttp.ClientWebSocketResponse, link: "Link") -> None:
        self._socket = socket
        self._link = link
        self._told: int | None = None
        self._receiving = False

    @property
    def closed(self) -> bool:
        """Whether it is closed."""
        return self._socket.closed

    @property
    def close_code(self) -> int | None:
        """The code that it was closed with, if it is."""
        return self._told or self._socket.close_code

    async def receive(self, timeout: float | None = None) -> aiohttp.WSMessage:  # noqa: ASYNC109 - as aiohttp
        """The next message; never one that tells of a refusal."""
        self._receiving = True
        try:
            message = await self._socket.receive(timeout)
        finally:
            self._receiving = False
        if message.type is aiohttp.WSMsgType.CLOSE:
            self._told = message.data
            if message.data in REFUSALS:
                await self._link.refuse(OperatorError(*REFUSALS[message.data]))
        return message

    async def send_str(self, data: str) -> None:
        """Send a text."""
        try:
            await self._socket.send_str(data)
        except (RuntimeError, ConnectionError):
            # Nobody has yet read why it was closed, if it was during the pause before a session.
            while not self._receiving and not self._socket.closed and self._told is None:
                if (await self.receive()).type in (aiohttp.WSMsgType.CLOSED, aiohttp.WSMsgType.ERROR):
                    break
            raise

    async def close(self, *, code: int = 4000) -> bool:
        """Close it."""
        return await self._socket.close(code=code)


class Link:
    """What every connection to the gateway goes through.

    Args:
        connect: discord.py's way to open a WebSocket.
        shards: how many connections there are to be.
    """

    def __init__(self, connect: Connect, shards: int) -> None:
        self._connect = connect
        self._shards = shards
        self._tries = 0
        self._refused: asyncio.Future[OperatorError] = asyncio.get_running_loop().create_future()

    async def open(self, url: str, **options: Any) -> aiohttp.ClientWebSocketResponse:
        """Open a WebSocket; the more came to nothing, the longer this waits before."""
        pause = pause_before_connection(self._tries, self._shards)
        self._tries += 1
        if pause:
            log.warning("connecting to Discord once more in %.0f s", pause)
            await asyncio.sleep(pause)
        return cast("aiohttp.ClientWebSocketResponse", Socket(await self._connect(url, **options), self))

    async def stands(self, _shard_id: int) -> None:
        """A connection has got its session, so the next to break is made again at once."""
        self._tries = 0

    async def refuse(self, error: OperatorError) -> NoReturn:
        """Let `hold` raise the error. Whoever finds out waits here: discord.py would try again."""
        if not self._refused.done():
            self._refused.set_result(error)
        while True:
            await asyncio.get_running_loop().create_future()

    async def hold(self, connection: Coroutine[Any, Any, None]) -> None:
        """Run what connects, to its end.

        Raises:
            OperatorError: Discord refuses the bot, now or in the future.
        """
        running = asyncio.create_task(connection)
        try:
            await asyncio.wait({running, self._refused}, return_when=asyncio.FIRST_COMPLETED)
            if self._refused.done():
                raise self._refused.result()
            await running
        finally:
            # discord.py may take no notice of this; it ends when the bot is closed.
            running.cancel()
