"""Discord, or the way there, fails for a while: what the wrapper tries again, and until when."""

import asyncio
import io
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import discord
import pytest
from discord import app_commands
from discord.ext import commands
from sqlalchemy import URL, text

from bot.client import HeroBot
from bot.interactions import answer as wrapper
from bot.interactions import retry
from bot.interactions.answer import Answer, Interaction, Private, To, answers, suggests
from bot.interactions.panel import Panel, attachment
from tests.endurance.load import connection
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

    async def ended(self) -> None:
        """All that was asked of the bot has come to its end."""
        await self.bot.close()


@asynccontextmanager
async def online_on(url: URL, monkeypatch: pytest.MonkeyPatch) -> AsyncGenerator[Online]:
    """The wrapper's waits are short, so that nobody waits for them."""
    monkeypatch.setattr(wrapper, "DEFER_AFTER", 0.01)
    monkeypatch.setattr(retry, "PAUSE", 0.001)
    monkeypatch.setattr(retry, "PAUSE_MOST", 0.004)
    cog = PatientCog()
    async with Wire() as wire, bot_on(wire, url, cog) as bot:
        yield Online(wire, bot, wire.member("Ana"), cog)


@pytest.fixture
async def online(tmp_path_url: URL, monkeypatch: pytest.MonkeyPatch) -> AsyncGenerator[Online]:
    async with online_on(tmp_path_url, monkeypatch) as found:
        yield found


def errors(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records if record.levelname == "ERROR"]


@pytest.mark.parametrize(
    ("within", "waited", "believed", "deferred"),
    [(3600, 7200, 3600, True), (3600, 7200, 1, False), (0.01, -7200, 3600, True)],
    ids=["long", "longer than can be", "less than nothing"],
)
async def test_an_interaction_that_has_waited_is_deferred_the_sooner(
    online: Online,
    monkeypatch: pytest.MonkeyPatch,
    within: float,
    waited: int,
    believed: float,
    deferred: bool,
) -> None:
    monkeypatch.setattr(wrapper, "DEFER_AFTER", within)
    monkeypatch.setattr(wrapper, "WAITED_MOST", believed)
    snowflake = online.wire.snowflake
    monkeypatch.setattr(online.wire, "snowflake", lambda: snowflake() - (waited * 1000 << 22))

    used = online.ana.slash("patient quiet")
    if deferred:
        await used.until_acknowledged()
    else:
        # One round later, at once would have been.
        await online.ana.autocomplete("hero find", "name", "d")
    assert used.acknowledged is deferred
    online.cog.go_on.set()
    await used

    assert used.text == "Here it is."


async def test_a_deferred_answer_is_tried_until_it_gets_through(
    online: Online, caplog: pytest.LogCaptureFixture
) -> None:
    used = await online.deferred("quiet")
    outage = online.wire.faults.cut(EDIT, times=40)
    # discord.py itself tries five times.
    limit = online.wire.faults.limit(EDIT, 0.001, times=12)

    online.cog.go_on.set()
    await used

    assert (outage.hits, limit.hits) == (40, 12)
    assert used.text == "Here it is."
    assert errors(caplog) == []


async def test_when_the_token_has_ended_it_is_given_up(
    online: Online, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(wrapper, "TOKEN_LIVES", 0.0)
    used = await online.deferred("quiet")
    outage = online.wire.faults.cut(EDIT, times=2)

    online.cog.go_on.set()
    await online.ended()

    assert outage.hits == 1
    assert not used.answered
    (error,) = errors(caplog)
    assert "/patient quiet failed" in error


async def test_a_deferral_whose_responses_are_all_lost_still_gets_its_answer(
    online: Online, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(wrapper, "FIRST_WITHIN", 0.0)
    online.wire.faults.cut(CALLBACK, processed=True)
    used = await online.deferred("quiet")

    online.cog.go_on.set()
    await used

    assert used.text == "Here it is."
    assert errors(caplog) == []


async def test_a_private_answer_after_a_public_deferral_comes_once_and_leaves_nothing_behind(
    online: Online, caplog: pytest.LogCaptureFixture
) -> None:
    used = await online.deferred("whisper")
    outages = [online.wire.faults.cut(where, times=9) for where in (EDIT, FOLLOW_UP)]
    deleted = online.wire.faults.cut(DELETION, processed=True)

    online.cog.go_on.set()
    await used.until(lambda answer: answer.refusals)
    await online.ended()

    assert [each.hits for each in (*outages, deleted)] == [9, 9, 1]
    assert [(each.text, each.reader) for each in used.followups] == [("For you alone.", online.ana.id)]
    assert used.message is None
    assert errors(caplog) == []


async def test_a_file_in_a_deferred_answer_is_sent_whole_again(online: Online) -> None:
    used = await online.deferred("file")
    outage = online.wire.faults.cut(EDIT, times=3)

    online.cog.go_on.set()
    await used

    assert outage.hits == 3
    assert [each.data for each in online.wire.uploads.values()] == [b"All of it."]


@pytest.mark.parametrize("late", [False, True], ids=["at once", "deferred"])
async def test_an_answer_that_discord_does_not_take_is_excused(
    online: Online, late: bool, caplog: pytest.LogCaptureFixture
) -> None:
    if late:
        used = await online.deferred("chatter")
        online.cog.go_on.set()
    else:
        online.cog.go_on.set()
        used = online.ana.slash("patient chatter")
    await used.until(lambda answer: "reference" in answer.text or answer.followups)
    await online.ended()

    (shown,) = [used.message, *used.followups] if used.message else used.followups
    assert shown.reader == online.ana.id
    (error,) = errors(caplog)
    assert shown.text.rpartition("reference: ")[2].strip("`") in error
    assert len(online.wire.invalid) == 1
    online.wire.invalid.clear()


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


@pytest.mark.parametrize("url", ["postgresql"], indirect=True)
async def test_suggestions_given_up_on_keep_no_connection(
    url: URL, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(wrapper, "SUGGEST_WITHIN", 0.2)
    monkeypatch.setattr(wrapper, "WAITED_MOST", 0)
    async with online_on(url, monkeypatch) as online:
        await online.ana.slash("hero add", name="Deadpond", secret_name="Nobody")
        async with connection(url) as other:
            # Nobody can read.
            await other.execute(text("LOCK TABLE hero IN ACCESS EXCLUSIVE MODE"))
            # More than there are connections.
            late = [online.ana.autocomplete("hero find", "name", "d") for _ in range(24)]
            assert [(await each).choices for each in late] == [[]] * 24
            async with asyncio.timeout(5), online.bot.db.read() as session:
                await (await session.connection()).exec_driver_sql("SELECT 1")
    assert errors(caplog) == []
