"""The stand-in's gateway, by a small bot and by a client without a library."""

import asyncio
import json
import zlib
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import pytest

from . import Wire
from .connection import compressor
from .records import Json, dumps
from .tiny import running


@pytest.mark.parametrize("code", [None, 4000, 1000])
async def test_a_dropped_connection_resumes_and_loses_nothing(code: int | None) -> None:
    async with Wire() as wire, running(wire):
        ana = wire.member("Ana")
        before = await ana.slash("say at_once", text="before")
        assert wire.gateway.drop(code) == 1
        answers = [ana.slash("say at_once", text=str(number)) for number in range(20)]
        assert wire.gateway.live() == 0
        for number, answer in enumerate(answers):
            assert (await answer).text.startswith(str(number))
        assert before.refusals == []
        assert len(wire.gateway.identifies) == len(wire.gateway.resumes) == 1


async def test_silence_and_reconnect() -> None:
    async with Wire(heartbeat=0.05) as wire, running(wire, heartbeat_timeout=0.2):
        ana = wire.member("Ana")
        wire.gateway.silence()
        assert (await ana.slash("say at_once", text="unheard")).text.startswith("unheard")
        # On a busy machine the bot may have missed a heartbeat more.
        before = len(wire.gateway.resumes)
        assert before > 0
        wire.gateway.reconnect()
        await wire.gateway.until(lambda: len(wire.gateway.resumes) > before)
        assert wire.gateway.heartbeats > 0


@asynccontextmanager
async def talk(wire: Wire, query: str = "?v=10&encoding=json") -> AsyncGenerator[Callable[..., Any]]:
    """A client without a library: sends a frame, if any, and returns the next one or the close code."""
    async with (
        aiohttp.ClientSession() as session,
        session.ws_connect(f"{wire.gateway_url}{query}", autoclose=False) as ws,
    ):

        async def exchange(op: int | None = None, data: Any = None) -> Any:
            if op is not None:
                await ws.send_str(dumps({"op": op, "d": data}))
            message = await ws.receive()
            return json.loads(message.data) if message.type is aiohttp.WSMsgType.TEXT else message.data

        yield exchange


async def test_a_session_begins_and_is_replayed_in_order() -> None:
    async with Wire() as wire:
        async with talk(wire) as exchange:
            assert (await exchange())["op"] == 10
            assert (await exchange(1))["op"] == 11, "the heart may beat before there is a session"
            ready = await exchange(2, {"token": wire.token, "intents": 1})
            assert (ready["t"], ready["s"]) == ("READY", 1)
            assert (await exchange())["t"] == "GUILD_CREATE"
            assert await exchange(2, {"token": wire.token, "intents": 1}) == 4005
        answer = wire.member("Ana").raw(2, {})
        assert answer.deliveries == 0
        resume: Json = {"token": wire.token, "session_id": ready["d"]["session_id"], "seq": 1}
        for deliveries in (1, 2):
            async with talk(wire) as exchange:
                await exchange()
                replayed = [await exchange(6, resume), await exchange(), await exchange()]
                assert [each["t"] for each in replayed][:2] == ["GUILD_CREATE", "INTERACTION_CREATE"]
                assert [each["s"] for each in replayed] == [2, 3, 4]
                assert answer.deliveries == deliveries
                wire.gateway.drop()
        # What a heartbeat has said to be there is not replayed, so a resume from before it is refused.
        async with talk(wire) as exchange:
            await exchange()
            assert (await exchange(6, {**resume, "seq": 5}))["t"] == "RESUMED"
            assert (await exchange(1, 6))["op"] == 11
            wire.gateway.drop()
        async with talk(wire) as exchange:
            await exchange()
            assert await exchange(6, {**resume, "seq": 5}) == {"op": 9, "d": False}
        assert wire.gateway.sessions == {}


async def test_codes_that_a_client_gets() -> None:
    identify: Json = {"intents": 1, "shard": [0, 1]}
    async with Wire() as wire:
        identify["token"] = wire.token
        for code, op, data in (
            (4001, 99, None),
            (4002, 3, "x" * 4096),
            (4003, 3, {}),
            (4004, 2, {**identify, "token": "wrong"}),
            (4004, 6, {"token": "wrong", "session_id": "x", "seq": 1}),
            (4010, 2, {**identify, "shard": [1, 1]}),
            (4013, 2, {**identify, "intents": None}),
            (4014, 2, {**identify, "intents": 1 << 15}),
        ):
            async with talk(wire) as exchange:
                await exchange()
                if code == 4001:
                    await exchange(2, identify)
                    await exchange()
                assert await exchange(op, data) == code
        async with talk(wire, "?v=5&encoding=json") as exchange:
            assert await exchange() == 4012
        assert wire.unknown == ["gateway op 99"]
        wire.unknown.clear()


async def test_a_gateway_closes_when_told() -> None:
    async with Wire() as wire:
        gateway = wire.gateway
        gateway.close_at("connect", 4000)
        gateway.close_at("ready", 4009)
        gateway.reject(503)
        with pytest.raises(aiohttp.WSServerHandshakeError, match="503"):
            async with talk(wire):
                pass
        async with talk(wire) as exchange:
            assert await exchange() == 4000
        async with talk(wire) as exchange:
            await exchange()
            assert (await exchange(2, {"token": wire.token, "intents": 1}))["t"] == "READY"
            assert gateway.sessions == {}, "it is not to be resumed"
            assert await exchange() == 4009
        assert len(gateway.connects) == 3
        assert len(gateway.identifies) == 1


async def test_an_invalid_session_identifies_again() -> None:
    async with Wire() as wire, running(wire):
        wire.gateway.refuse_resumes(resumable=True)
        wire.gateway.refuse_resumes()
        wire.gateway.drop()
        await wire.gateway.until(lambda: len(wire.gateway.identifies) == 2)
        assert wire.gateway.resumes == []
        wire.gateway.invalidate()
        await wire.gateway.until(lambda: len(wire.gateway.identifies) == 3)
        assert (await wire.member("Ana").slash("say at_once", text="again")).text.startswith("again")


async def test_shards_have_their_guilds() -> None:
    async with Wire(guilds=20, shards=2) as wire, running(wire) as bot:
        await asyncio.gather(
            *(wire.member("Ana", guild).slash("say at_once", text="x") for guild in wire.guilds.values())
        )
        assert [hello.shard for hello in wire.gateway.identifies] == [0, 1]
        assert sorted(guild.shard_id for guild in bot.guilds) == [0] * 10 + [1] * 10
        wire.remove_guild(wire.guild)
        wire.add_guild("New")
        await wire.member("Bo", list(wire.guilds.values())[-1]).slash("say at_once", text="x")
        assert len(bot.guilds) == 20


@pytest.mark.parametrize("compress", [None, "zlib-stream"])
async def test_compression(compress: str | None) -> None:
    async with Wire() as wire, aiohttp.ClientSession() as session:
        query = "?v=10&encoding=json" + (f"&compress={compress}" if compress else "")
        async with session.ws_connect(f"{wire.gateway_url}{query}") as ws:
            first = await ws.receive()
            assert first.type is (aiohttp.WSMsgType.BINARY if compress else aiohttp.WSMsgType.TEXT)
            text = zlib.decompressobj().decompress(first.data).decode() if compress else first.data
            assert '"op":10' in text
            await ws.send_str(dumps({"op": 2, "d": {"token": "wrong", "intents": 1}}))
            closed = await ws.receive()
            assert (closed.type, closed.data) == (aiohttp.WSMsgType.CLOSE, 4004)


def test_zstd() -> None:
    zstandard = pytest.importorskip("zstandard")
    compress, decompress = compressor("zstd-stream"), zstandard.ZstdDecompressor().decompressobj()
    assert compress is not None
    assert [decompress.decompress(compress(text)).decode() for text in ("one", "two")] == ["one", "two"]
