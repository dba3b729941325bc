"""Discord, or the way there, fails for a while: what the wrapper tries again, and until when."""

import asyncio
from collections.abc import AsyncGenerator
from dataclasses import dataclass

import pytest
from discord import app_commands
from discord.ext import commands
from discord.gateway import DiscordWebSocket
from discord.http import Route
from pydantic import SecretStr
from sqlalchemy import URL

from bot import answer as wrapper
from bot.answer import Answer, Interaction, To, answers, suggests
from bot.client import HeroBot
from tests.wire import Member, Wire
from tests.world import settings_for

CALLBACK = "POST /interactions/*/callback"


class PatientCog(commands.GroupCog, group_name="patient", group_description="Takes its time."):
    """Handlers that go on when they are told to."""

    def __init__(self) -> None:
        super().__init__()
        self.go_on = asyncio.Event()

    @app_commands.command(description="Suggests something in the end.")
    @answers(To.ASKER)
    async def pick(self, interaction: Interaction, name: str) -> Answer:
        return name

    @pick.autocomplete("name")
    @suggests
    async def names(self, interaction: Interaction, typed: str) -> list[str]:
        await self.go_on.wait()
        return ["Deadpond"]


@dataclass
class Online:
    """The bot on the stand-in for Discord, in this process, and somebody who uses it."""

    wire: Wire
    bot: HeroBot
    ana: Member
    cog: PatientCog

    async def ended(self) -> None:
        """All that was asked of the bot has come to its end."""
        await self.bot.close()


@pytest.fixture
async def online(tmp_path_url: URL, monkeypatch: pytest.MonkeyPatch) -> AsyncGenerator[Online]:
    """The wrapper's waits are short, so that nobody waits for them."""
    monkeypatch.setattr(wrapper, "DEFER_AFTER", 0.01)
    monkeypatch.setattr(wrapper, "PAUSE", 0.001)
    monkeypatch.setattr(wrapper, "PAUSE_MOST", 0.004)
    # What was there is put back; the bot sets both.
    monkeypatch.setattr(Route, "BASE", Route.BASE)
    monkeypatch.setattr(DiscordWebSocket, "DEFAULT_GATEWAY", DiscordWebSocket.DEFAULT_GATEWAY)
    async with Wire() as wire:
        settings = settings_for(
            tmp_path_url, discord_token=SecretStr(wire.token), discord_api_url=wire.api_url
        )
        cog = PatientCog()
        async with HeroBot(settings) as bot:
            await bot.add_cog(cog)
            running = asyncio.create_task(bot.start(wire.token))
            await wire.gateway.connected()
            yield Online(wire, bot, wire.member("Ana"), cog)
            await bot.close()
            await running


def errors(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records if record.levelname == "ERROR"]


@pytest.mark.parametrize("processed", [False, True], ids=["cut off", "cut off, but done"])
async def test_suggestions_are_sent_again(
    online: Online, processed: bool, caplog: pytest.LogCaptureFixture
) -> None:
    cut = online.wire.faults.cut(CALLBACK, processed=processed)
    online.cog.go_on.set()

    suggested = await online.ana.autocomplete("patient pick", "name", "d")
    await online.ended()

    assert cut.hits == 1
    assert [each["name"] for each in suggested.choices or []] == ["Deadpond"]
    assert suggested.refusals == ([40060] if processed else [])
    assert errors(caplog) == []


async def test_suggestions_that_come_too_late_are_no_error(
    online: Online, caplog: pytest.LogCaptureFixture
) -> None:
    suggested = online.ana.autocomplete("patient pick", "name", "d")
    online.wire.advance(4)
    online.cog.go_on.set()
    await suggested.until(lambda answer: answer.refusals)
    await online.ended()

    assert suggested.refusals == [10062], "once is enough"
    assert errors(caplog) == []
