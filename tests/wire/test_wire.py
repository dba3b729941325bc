"""The stand-in proves itself with a small discord.py bot in this process."""

import asyncio
import json
import zlib
from collections.abc import AsyncGenerator, Callable, Generator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import discord
import pytest
import yarl
from discord import app_commands, ui
from discord.gateway import DiscordWebSocket
from discord.http import Route

from . import CannotSend, Overdue, Refused, Upload, Wire, WireError
from .gateway import compressor
from .records import COMPONENTS_V2, Json, dumps
from .rules import check_choices, check_commands, check_message, check_modal

Interaction = discord.Interaction[Any]


class Form(ui.Modal, title="A form"):
    text = ui.Label(text="Name", component=ui.TextInput[Any](custom_id="name", max_length=10))

    async def on_submit(self, interaction: Interaction, /) -> None:
        assert isinstance(self.text.component, ui.TextInput)
        await interaction.response.send_message(f"got {self.text.component.value}")


class Buttons(ui.View):
    @ui.button(label="Change", custom_id="change")
    async def change(self, interaction: Interaction, _: ui.Button[Any]) -> None:
        await interaction.response.edit_message(content="changed", view=None)

    @ui.button(label="Ask", custom_id="ask")
    async def ask(self, interaction: Interaction, _: ui.Button[Any]) -> None:
        await interaction.response.send_modal(Form())

    @ui.select(custom_id="pick", options=[discord.SelectOption(label=each) for each in "abc"])
    async def pick(self, interaction: Interaction, select: ui.Select[Any]) -> None:
        await interaction.response.defer()
        await interaction.edit_original_response(content=f"picked {select.values[0]}")


class Tiny(discord.AutoShardedClient):
    """A bot with one command of each sort; `go` lets its slow ones continue."""

    def __init__(self, **options: Any) -> None:
        super().__init__(intents=discord.Intents(guilds=True), guild_ready_timeout=0.01, **options)
        self.tree = app_commands.CommandTree(self)
        self.go = asyncio.Event()
        self.failures: list[discord.HTTPException] = []
        group = app_commands.Group(name="say", description="Says things")

        @group.command(description="At once")
        async def at_once(interaction: Interaction, text: str, to: discord.Member | None = None) -> None:
            name = "" if to is None else f" {to.display_name}"
            await interaction.response.send_message(text + name, view=Buttons(timeout=None))

        @group.command(description="Deferred")
        async def late(interaction: Interaction, follow: bool = False) -> None:
            await interaction.response.defer(ephemeral=True)
            await self.go.wait()
            if follow:
                await interaction.followup.send("first")
                await interaction.followup.send("second")
            else:
                await interaction.edit_original_response(content="at last")

        @group.command(description="Too late")
        async def too_late(interaction: Interaction) -> None:
            await self.go.wait()
            await self.attempt(interaction.response, "too late")

        @group.command(description="Twice")
        async def twice(interaction: Interaction, text: str) -> None:
            await self.attempt(interaction.response, text)
            await self.attempt(discord.InteractionResponse(interaction), text)

        @group.command(description="A file")
        async def back(interaction: Interaction, file: discord.Attachment) -> None:
            assert isinstance(interaction.channel, discord.TextChannel)
            await interaction.channel.send("posted")
            await interaction.response.send_message(file=await file.to_file())

        @at_once.autocomplete("text")
        async def complete(_: Interaction, typed: str) -> list[app_commands.Choice[str]]:
            return [app_commands.Choice(name=typed + end, value=typed) for end in "xy"]

        self.tree.add_command(group)

        @self.tree.context_menu(name="Who")
        async def who(interaction: Interaction, user: discord.Member) -> None:
            await interaction.response.send_message(
                f"{user.display_name} {user.guild_permissions.manage_guild}"
            )

    async def attempt(self, response: discord.InteractionResponse[Any], text: str) -> None:
        try:
            await response.send_message(text)
        except discord.HTTPException as error:
            self.failures.append(error)

    async def setup_hook(self) -> None:
        await self.tree.sync()

    async def before_identify_hook(self, shard_id: int | None, *, initial: bool = False) -> None:
        """Without the five seconds that it takes otherwise."""


@pytest.fixture(autouse=True)
def library() -> Generator[None]:
    """Puts back what the tests change in discord.py."""
    before = Route.BASE, DiscordWebSocket.DEFAULT_GATEWAY
    yield
    Route.BASE, DiscordWebSocket.DEFAULT_GATEWAY = before


@asynccontextmanager
async def running(wire: Wire, **options: Any) -> AsyncGenerator[Tiny]:
    """A Tiny that is connected to the stand-in."""
    Route.BASE, DiscordWebSocket.DEFAULT_GATEWAY = wire.api_url, yarl.URL(wire.gateway_url)
    async with Tiny(**options) as bot:
        task = asyncio.create_task(bot.start(wire.token))
        await wire.gateway.connected(wire.shards)
        yield bot
        await bot.close()
        await task


async def test_a_command_is_answered() -> None:
    async with Wire() as wire, running(wire):
        ana, bo = wire.member("Ana"), wire.member("Bo")
        answer = await ana.slash("say at_once", text="hello", to=bo)
        assert answer.text.startswith("hello Bo")
        assert not answer.ephemeral
        assert not answer.deferred
        assert answer.dispatched_at <= answer.acknowledged_at == answer.answered_at
        assert (await ana.user_menu("Who", bo)).text == "Bo False"
        assert wire.syncs == [0]


async def test_a_deferral_is_edited_or_followed() -> None:
    async with Wire() as wire, running(wire) as bot:
        ana = wire.member("Ana")
        edited, followed = ana.slash("say late"), ana.slash("say late", follow=True)
        await edited.until_acknowledged()
        await followed.until_acknowledged()
        assert edited.deferred
        assert edited.ephemeral
        assert not edited.answered
        bot.go.set()
        assert (await edited).text == "at last"
        await followed.until_followups()
        assert followed.text == "first"
        assert followed.ephemeral
        assert followed.followups[0].text == "second"


async def test_a_late_answer_is_refused() -> None:
    async with Wire() as wire, running(wire) as bot:
        answer = wire.member("Ana").slash("say too_late")
        wire.advance(3.1)
        bot.go.set()
        await answer.until(lambda it: it.refusals)
        assert answer.refusals == [10062]
        assert not answer.acknowledged
        with pytest.raises(Overdue):
            await answer.until_acknowledged(within=0)


async def test_a_second_acknowledgement_is_refused() -> None:
    async with Wire() as wire, running(wire):
        answer = await wire.member("Ana").slash("say twice", text="hello")
        await answer.until(lambda it: it.refusals)
        assert answer.refusals == [40060]
        assert answer.text == "hello"


async def test_webhooks_wait_for_the_acknowledgement_and_end_with_the_token() -> None:
    async with Wire() as wire, running(wire) as bot, aiohttp.ClientSession() as session:
        answer = wire.member("Ana").slash("say too_late")
        url = f"{wire.api_url}/webhooks/{wire.application_id}/{answer.token}"
        async with session.post(url, json={"content": "early"}) as response:
            assert (response.status, (await response.json())["code"]) == (404, 10015)
        bot.go.set()
        await answer
        wire.advance(901)
        async with session.patch(f"{url}/messages/@original", json={"content": "late"}) as response:
            assert (response.status, (await response.json())["code"]) == (401, 50027)
        assert answer.refusals == [10015, 50027]


async def test_components_and_modals() -> None:
    async with Wire() as wire, running(wire):
        ana = wire.member("Ana")
        answer = await ana.slash("say at_once", text="hello")
        assert answer.message is not None
        opened = await ana.click(answer.message, label="Ask")
        with pytest.raises(CannotSend):
            ana.submit(opened, {"Name": "x" * 11})
        assert (await ana.submit(opened, {"Name": "Deadpond"})).text == "got Deadpond"
        assert (await ana.select(answer.message, "pick", "b")).text.startswith("picked b")
        changed = await ana.click(answer.message, "change")
        assert changed.message is answer.message
        assert answer.text == "changed"
        with pytest.raises(CannotSend):
            ana.click(answer.message, "change")


async def test_autocomplete() -> None:
    async with Wire() as wire, running(wire):
        answer = await wire.member("Ana").autocomplete("say at_once", "text", "de")
        assert answer.choices == [{"name": "dex", "value": "de"}, {"name": "dey", "value": "de"}]


async def test_files_and_posts() -> None:
    async with Wire() as wire, running(wire):
        answer = await wire.member("Ana").slash("say back", file=Upload("a.png", b"picture", "image/png"))
        assert answer.message is not None
        path = answer.message["attachments"][0]["url"].removeprefix(f"http://127.0.0.1:{wire.port}")
        assert wire.uploads[path].data == b"picture"
        assert [message["content"] for message in wire.posted] == ["posted"]


async def test_requests_can_fail() -> None:
    async with Wire() as wire, running(wire):
        ana = wire.member("Ana")
        limited = wire.faults.limit("POST /interactions/*/callback", 0.01, times=2)
        assert (await ana.slash("say at_once", text="limited")).text.startswith("limited")
        assert limited.hits == 2
        slow = wire.faults.delay("POST /interactions/*", 0.02)
        answer = await ana.slash("say at_once", text="slow")
        assert answer.acknowledged_at - answer.dispatched_at >= 0.02
        slow.cancel()
        async with aiohttp.ClientSession() as session:
            wire.faults.fail("GET /gateway", 502)
            wire.faults.cut("GET /gateway", processed=True)
            async with session.get(f"{wire.api_url}/gateway") as response:
                assert response.status == 502
            with pytest.raises(aiohttp.ClientPayloadError):
                async with session.get(f"{wire.api_url}/gateway") as response:
                    await response.read()
            wire.faults.exhaust("GET /gateway", 2.5)
            async with session.get(f"{wire.api_url}/gateway") as response:
                assert response.headers["X-RateLimit-Remaining"] == "0"


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


async def test_an_unknown_request_fails_by_name() -> None:
    async with Wire() as wire, running(wire) as bot:
        with pytest.raises(discord.NotFound):
            await bot.http.request(Route("GET", "/guilds/{guild_id}/bans", guild_id=1))
        with pytest.raises(WireError, match="GET /guilds/1/bans"):
            wire.check()
        wire.unknown.clear()


async def test_leaving_checks() -> None:
    wire = Wire()
    await wire.__aenter__()
    wire.invalid.append("POST /somewhere")
    with pytest.raises(WireError, match="POST /somewhere"):
        await wire.__aexit__(None)


@pytest.mark.parametrize(("text", "code"), [("x" * 2001, 50035), ("", 50006)])
async def test_an_invalid_payload_is_refused_and_recorded(text: str, code: int) -> None:
    async with Wire() as wire, running(wire) as bot:
        answer = wire.member("Ana").slash("say twice", text=text)
        await answer.until(lambda it: len(it.refusals) == 2)
        assert answer.refusals == [code, code]
        assert bot.failures[0].code == code
        with pytest.raises(WireError, match=f"/callback: {code}"):
            wire.check()
        wire.invalid.clear()


LIMITS: list[tuple[Json, str]] = [
    ({"type": 10, "content": "x" * 4001}, "content"),
    ({"type": 17, "components": [{"type": 10, "content": "x"}] * 40}, "40 components"),
    ({"type": 17, "components": [{"type": 10, "content": "x" * 2001}] * 2}, "4000 characters"),
    ({"type": 1, "components": [{"type": 2, "style": 1, "label": "x" * 81, "custom_id": "a"}]}, "label"),
    (
        {"type": 1, "components": [{"type": 2, "style": 1, "label": "x", "custom_id": "a"}] * 2},
        "same custom_id",
    ),
    (
        {"type": 1, "components": [{"type": 2, "style": 1, "label": "x", "custom_id": "a" * 101}]},
        "custom_id",
    ),
    ({"type": 1, "components": [{"type": 3, "custom_id": "a", "options": []}]}, "options"),
    ({"type": 9, "components": [{"type": 10, "content": "x"}]}, "accessory"),
    ({"type": 12, "items": [{"media": {"url": "attachment://none.png"}}]}, "not attached"),
]


@pytest.mark.parametrize(("node", "fault"), LIMITS)
def test_components_have_limits(node: Json, fault: str) -> None:
    fine: Json = {"content": "", "flags": COMPONENTS_V2, "components": [{"type": 10, "content": "x"}]}
    check_message(fine, set())
    with pytest.raises(Refused, match=fault):
        check_message({**fine, "components": [node]}, set())
    with pytest.raises(Refused, match="Cannot be used together"):
        check_message({**fine, "content": "x"}, set())


def test_modals_choices_and_commands_have_limits() -> None:
    field: Json = {"type": 18, "label": "Name", "component": {"type": 4, "style": 1, "custom_id": "name"}}
    modal: Json = {"title": "x", "custom_id": "x", "components": [field]}
    check_modal(modal)
    check_choices([{"name": "x", "value": "x"}] * 25)
    command: Json = {"name": "hero", "description": "x"}
    check_commands([command])
    bad: list[tuple[Callable[[Any], None], Any]] = [
        (check_modal, {**modal, "title": "x" * 46}),
        (check_modal, {**modal, "components": [field] * 2}),
        (check_choices, [{"name": "x", "value": "x"}] * 26),
        (check_choices, [{"name": "", "value": "x"}]),
        (check_commands, [command, command]),
        (check_commands, [{**command, "name": "Hero"}]),
        (check_commands, [{**command, "options": [command] * 26}]),
    ]
    for check, payload in bad:
        with pytest.raises(Refused):
            check(payload)


async def test_a_wrong_token() -> None:
    async with Wire() as wire, Tiny() as bot:
        Route.BASE = wire.api_url
        with pytest.raises(discord.LoginFailure):
            await bot.login("wrong")


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
