"""The names of discord.py that it does not document, and that `bot.gateway.discordpy` relies on."""

import inspect
from typing import Any

import aiohttp
import discord
import yarl
from discord.gateway import DiscordWebSocket
from discord.http import HTTPClient, Route
from discord.shard import AutoShardedClient

from bot.gateway.discordpy import application_of, gateway_of, pace_connections, parsers_of
from bot.gateway.guilds import DESCRIBING, UNREAD

SHOULD_READ = "see the docstring of bot/gateway/discordpy.py"


def parameters(function: Any) -> list[str]:
    return list(inspect.signature(function).parameters)


def client() -> discord.AutoShardedClient:
    return discord.AutoShardedClient(intents=discord.Intents(guilds=True), application_id=7)


def test_route_base_is_where_requests_go(monkeypatch: Any) -> None:
    assert Route.BASE.startswith("https://discord.com/api/v")
    monkeypatch.setattr(Route, "BASE", "http://127.0.0.1:9/api/v10")
    assert Route("GET", "/gateway/bot").url == "http://127.0.0.1:9/api/v10/gateway/bot", SHOULD_READ


def test_default_gateway_is_where_a_session_begins() -> None:
    assert isinstance(DiscordWebSocket.DEFAULT_GATEWAY, yarl.URL)
    source = inspect.getsource(DiscordWebSocket.from_client)
    assert "gateway or cls.DEFAULT_GATEWAY" in source, SHOULD_READ
    launched = inspect.getsource(AutoShardedClient.launch_shards)
    assert "gateway = DiscordWebSocket.DEFAULT_GATEWAY" in launched, SHOULD_READ


async def test_get_bot_gateway_tells_shards_address_and_limits(monkeypatch: Any) -> None:
    async def request(_http: HTTPClient, route: Route) -> dict[str, Any]:
        assert route.path == "/gateway/bot"
        limit = {"total": 1000, "remaining": 999, "reset_after": 60_000, "max_concurrency": 1}
        return {"shards": 3, "url": "wss://gateway.example", "session_start_limit": limit}

    monkeypatch.setattr(HTTPClient, "request", request)

    shards, url, limits = await gateway_of(client())

    assert (shards, url, limits.total, limits.remaining) == (3, "wss://gateway.example", 1000, 999)
    assert limits.reset_after == 60_000, "milliseconds"


async def test_ws_connect_opens_every_connection(monkeypatch: Any) -> None:
    assert parameters(HTTPClient.ws_connect) == ["self", "url", "compress"], SHOULD_READ
    assert "await client.http.ws_connect(str(url))" in inspect.getsource(DiscordWebSocket.from_client)
    bot, steps = client(), list[Any]()

    async def connect(url: str, **_options: int) -> str:
        steps.append(url)
        return "socket"

    async def before() -> None:
        steps.append("paused")

    monkeypatch.setattr(bot.http, "ws_connect", connect)
    pace_connections(bot, before, steps.append)
    await bot.http.ws_connect("wss://gateway.example")

    assert steps == ["paused", "wss://gateway.example", "socket"]
    assert isinstance(aiohttp.ClientWebSocketResponse.close_code, property)


def test_launch_shard_calls_itself_after_any_exception() -> None:
    assert parameters(AutoShardedClient.launch_shard) == ["self", "gateway", "shard_id", "initial"]
    source = inspect.getsource(AutoShardedClient.launch_shard)
    assert "except Exception:" in source, SHOULD_READ
    assert "return await self.launch_shard(gateway, shard_id)" in source, SHOULD_READ


def test_parsers_read_the_events() -> None:
    parsers = parsers_of(client())

    assert all(callable(parsers[event]) for event in DESCRIBING)
    for prefix in UNREAD:
        assert any(event.startswith(prefix) for event in parsers), prefix
    assert "ws._discord_parsers = client._connection.parsers" in inspect.getsource(
        DiscordWebSocket.from_client
    ), SHOULD_READ
    assert parsers_of(bot := client()) is parsers_of(bot), "a change takes effect"


def test_a_tree_knows_its_client() -> None:
    assert application_of(discord.app_commands.CommandTree(client())) == 7
