"""The stand-in proves itself with a small discord.py bot in this process."""

import aiohttp
import discord
import pytest
from discord.http import Route

from . import CannotSend, Overdue, Upload, Wire, WireError
from .tiny import Tiny, running


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


async def test_a_wrong_token() -> None:
    async with Wire() as wire, Tiny() as bot:
        Route.BASE = wire.api_url
        with pytest.raises(discord.LoginFailure):
            await bot.login("wrong")
