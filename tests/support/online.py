"""The bot on the stand-in for Discord, in this process, with commands that go on when they are told to."""

import asyncio
import io
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

import discord
import pytest
from discord import app_commands
from discord.ext import commands
from sqlalchemy import URL

from bot.client import HeroBot
from bot.interactions import answer, retry
from bot.interactions.answer import answers
from bot.interactions.host import Interaction
from bot.interactions.panel import Panel, attachment
from bot.interactions.send import Answer, Private, To
from bot.interactions.suggest import suggests
from tests.support.live import bot_on
from tests.wire import Answer as Seen
from tests.wire import Member, Wire

CALLBACK = "POST /interactions/*/callback"
EDIT = "PATCH /webhooks/*/messages/@original"
FOLLOW_UP = "POST /webhooks/*"
DELETION = "DELETE /webhooks/*/messages/@original"


class PatientCog(commands.GroupCog, group_name="patient", group_description="Takes its time."):
    """Handlers that go on when they are told to."""

    def __init__(self) -> None:
        super().__init__()
        self.go_on = asyncio.Event()

    @app_commands.command(description="Ends in an answer for the asker.")
    @answers(To.ASKER)
    async def quiet(self, interaction: Interaction) -> Answer:
        await self.go_on.wait()
        return "Here it is."

    @app_commands.command(description="Ends in something private after all.")
    @answers(To.EVERYONE)
    async def whisper(self, interaction: Interaction) -> Answer:
        await self.go_on.wait()
        return Private("For you alone.")

    @app_commands.command(description="Ends in more than a message takes.")
    @answers(To.EVERYONE)
    async def chatter(self, interaction: Interaction) -> Answer:
        await self.go_on.wait()
        return "x" * 2_001

    @app_commands.command(description="Ends in a file.")
    @answers(To.ASKER)
    async def file(self, interaction: Interaction) -> Answer:
        await self.go_on.wait()
        file = discord.File(io.BytesIO(b"All of it."), "file.txt")
        return Panel(attachment(file), files=[file])

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

    async def deferred(self, command: str) -> Seen:
        """Somebody's command, which has yet to go on, once its deferral is there."""
        return await self.ana.slash(f"patient {command}").until_acknowledged()

    async def until(self, holds: Callable[[], object]) -> None:
        """Wait until something of this process holds."""
        async with asyncio.timeout(10):
            while not holds():  # noqa: ASYNC110 - nothing tells of it
                await asyncio.sleep(0.01)

    async def ended(self) -> None:
        """All that was asked of the bot has come to its end."""
        await self.bot.close()


@asynccontextmanager
async def online_on(url: URL, monkeypatch: pytest.MonkeyPatch) -> AsyncGenerator[Online]:
    """The wrapper's waits are short, so that nobody waits for them."""
    monkeypatch.setattr(answer, "DEFER_AFTER_SECONDS", 0.01)
    monkeypatch.setattr(retry, "PAUSE_SECONDS", 0.001)
    monkeypatch.setattr(retry, "MAX_PAUSE_SECONDS", 0.004)
    cog = PatientCog()
    async with Wire() as wire, bot_on(wire, url, cog) as bot:
        yield Online(wire, bot, wire.member("Ana"), cog)


def errors(caplog: pytest.LogCaptureFixture) -> list[str]:
    """What was logged as an error."""
    return [record.getMessage() for record in caplog.records if record.levelname == "ERROR"]
