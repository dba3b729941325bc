"""Every undocumented name of discord.py that this room relies on, as discord.py 2.7 has them.

Nothing here makes the bot faster; each name reaches what the documented API leaves out.
tests/gateway/test_discordpy.py names each of them, so that an upgrade fails there first.

- `discord.http.Route.BASE`: the address of the API. Brings `DISCORD_API_URL`, for a proxy or a test. Without
  it the bot talks to discord.com. Needless once `Client` takes the address of the API.
- `discord.gateway.DiscordWebSocket.DEFAULT_GATEWAY`: the address where a session begins. Brings
  `DISCORD_GATEWAY_URL`. Without it the bot connects to gateway.discord.gg. Needless once `Client` takes the
  address of the gateway.
- `Client.http.get_bot_gateway()`: shards, address and limits of sessions in one request. discord.py asks this
  itself if no shard count is given, but then ignores `DEFAULT_GATEWAY`. Without it an operator who sets
  `DISCORD_GATEWAY_URL` has to count the shards. Needless once the gateway's address is an option; the limits
  alone are public, as `fetch_session_start_limits()`.
- `Client.http.ws_connect(url, *, compress)`: opens a WebSocket. Brings the back-off between connections that
  come to nothing. Without it discord.py resumes at once, over and over, while Discord closes each connection.
  Needless once discord.py backs off before every connection.
- `AutoShardedClient.launch_shard(gateway, shard_id, *, initial)`: starts a shard, and calls itself again
  after any exception; `HeroBot` overrides it. Brings an end when Discord refuses the bot before its first
  session. Without it discord.py tries for ever. Needless once `launch_shard` raises `ConnectionClosed`, as
  `connect` does later.
- `Client._connection.parsers`: the functions that read the gateway's events. Brings 16 KB less for each
  server, see `bot.gateway.guilds`. Without it discord.py keeps channels, roles and emojis that nobody reads.
  Needless once discord.py can be told not to cache them.
- `CommandTree.client`: the client of a tree. Brings the id of the application, which names the rows of what
  Discord was told. Without it `sync_commands` has to be given the id. Needless once it is documented.
"""

from collections.abc import Awaitable, Callable
from typing import Any, TypeAlias

import aiohttp
import discord
import yarl
from discord.gateway import DiscordWebSocket
from discord.http import Route

Parsers: TypeAlias = dict[str, Callable[[Any], None]]
"""The functions that read the data of an event, by the name of the event."""


def use_api(url: str) -> None:
    """Send requests to this address, from every client of the process."""
    Route.BASE = url.rstrip("/")


def use_gateway(url: str) -> None:
    """Begin sessions at this address, from every client of the process."""
    DiscordWebSocket.DEFAULT_GATEWAY = yarl.URL(url)


async def gateway_of(client: discord.AutoShardedClient) -> tuple[int, str, discord.SessionStartLimits]:
    """Return how many shards Discord recommends, where they connect to, and how many sessions may begin.

    Raises:
        discord.GatewayNotFound: the API refuses to tell.
    """
    shards, url, limits = await client.http.get_bot_gateway()
    return shards, url, discord.SessionStartLimits(**limits)


def pace_connections(
    client: discord.Client,
    before: Callable[[], Awaitable[None]],
    opened: Callable[[aiohttp.ClientWebSocketResponse], None],
) -> None:
    """Wait before each WebSocket that the client opens, and hand over each that it has opened.

    Args:
        client: the client that opens the WebSockets.
        before: is awaited first.
        opened: is called with the WebSocket.
    """
    connect = client.http.ws_connect

    async def paced(url: str, *, compress: int = 0) -> aiohttp.ClientWebSocketResponse:
        await before()
        socket = await connect(url, compress=compress)
        opened(socket)
        return socket

    client.http.ws_connect = paced


def parsers_of(client: discord.Client) -> Parsers:
    """Return the functions that read events; a change of the dictionary takes effect at once."""
    return client._connection.parsers  # noqa: SLF001 # pyright: ignore[reportPrivateUsage]


def application_of(tree: discord.app_commands.CommandTree[Any]) -> int:
    """Return the id of the application that the commands belong to."""
    application_id: int | None = tree.client.application_id
    assert application_id is not None, "login sets it"
    return application_id
