"""The wrapper around every handler: in time, private where promised, and silent about what was typed."""

import asyncio
import logging
import sqlite3
from collections.abc import Generator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import pytest
from discord import app_commands
from discord.ext import commands
from simcord import Env, InteractionResult
from sqlalchemy.ext.asyncio import create_async_engine

from bot.db import engine
from bot.interactions import answer
from bot.interactions.answer import answers
from bot.interactions.form import Form
from bot.interactions.host import Interaction
from bot.interactions.send import Answer, Private, To
from bot.roster.errors import Refusal, RosterError
from tests.support.logs import logging_as
from tests.support.online import Online
from tests.support.world import World, answer_of, assert_private, assert_public, text_of

SECRET = "Marker Secret"


class SlowCog(commands.GroupCog, group_name="slow", group_description="Takes its time."):
    """Handlers that go on when they are told to."""

    def __init__(self, env: Env) -> None:
        super().__init__()
        self.env = env
        self.go_on = asyncio.Event()

    async def work(self) -> None:
        await self.env.external_wait(self.go_on.wait(), reason="slow work")

    @app_commands.command(description="Ends in an answer for everyone.")
    @answers(To.EVERYONE)
    async def loud(self, interaction: Interaction) -> Answer:
        await self.work()
        return "Here it is."

    @app_commands.command(description="Ends in an answer for the asker.")
    @answers(To.ASKER)
    async def quiet(self, interaction: Interaction) -> Answer:
        await self.work()
        return "Here it is."

    @app_commands.command(description="Ends in something private after all.")
    @answers(To.EVERYONE)
    async def whisper(self, interaction: Interaction) -> Answer:
        await self.work()
        return Private("For you alone.")

    @app_commands.command(description="Ends in a refusal.")
    @answers(To.EVERYONE)
    async def refuse(self, interaction: Interaction) -> Answer:
        await self.work()
        raise RosterError(Refusal.HERO_GONE)

    @app_commands.command(description="Ends in a fault of ours.")
    @answers(To.EVERYONE)
    async def fail(self, interaction: Interaction, typed: str) -> Answer:
        await self.work()
        return str(int(typed))

    @app_commands.command(description="Ends in a form.")
    @answers(To.EVERYONE)
    async def form(self, interaction: Interaction) -> Answer:
        await self.work()
        return Form(title="A form", custom_id="form")


@dataclass
class Slow:
    """Somebody who uses slow commands."""

    world: World
    cog: SlowCog

    async def slash(self, command: str, *, seconds: float = 1.6, **options: Any) -> InteractionResult:
        """Let a command take that long, by the simulated clock."""
        result = await self.world.bob.slash(self.world.channel, f"slow {command}", **options)
        assert not result.acknowledged, "it has nothing to say yet"
        await self.world.env.advance_time(seconds)
        self.before = (result.deferred, result.ephemeral)
        self.cog.go_on.set()
        await self.world.env.settle()
        return result


@pytest.fixture
async def slow(world: World) -> Slow:
    # Shorter than the time until a deferral, which then comes by the simulated clock alone.
    world.env.settle_timeout = 1.0
    cog = SlowCog(world.env)
    await world.bot.add_cog(cog)
    await world.bot.tree.sync()
    return Slow(world, cog)


async def test_an_answer_within_a_second_is_not_deferred(slow: Slow) -> None:
    result = await slow.slash("loud", seconds=1.4)

    assert not result.deferred
    assert_public(result)


async def test_a_slow_answer_is_deferred_for_everyone(slow: Slow) -> None:
    result = await slow.slash("loud")

    assert slow.before == (True, False)
    assert_public(result)
    assert text_of(result) == "Here it is."


async def test_a_slow_private_answer_is_deferred_privately(slow: Slow) -> None:
    result = await slow.slash("quiet")

    assert slow.before == (True, True)
    assert_private(result)
    assert text_of(result) == "Here it is."


@pytest.mark.parametrize(
    ("command", "says"),
    [("whisper", "For you alone."), ("refuse", "That hero is no longer"), ("form", "That took too long")],
)
async def test_after_a_public_deferral_the_asker_alone_is_told(slow: Slow, command: str, says: str) -> None:
    result = await slow.slash(command)

    assert slow.before == (True, False)
    assert answer_of(result).ephemeral
    assert text_of(result).startswith(says)


async def test_a_fault_of_ours_has_a_reference_that_the_log_has_too(
    slow: Slow, caplog: pytest.LogCaptureFixture
) -> None:
    result = await slow.slash("fail", typed=SECRET)

    assert answer_of(result).ephemeral
    reference = text_of(result).rpartition("reference: ")[2].strip("`")
    assert len(reference) == 8
    (record,) = [record for record in caplog.records if record.levelno == logging.ERROR]
    assert record.getMessage() == (
        f"[{reference}] /slow fail failed in guild {slow.world.guild.id} for user {slow.world.bob.id}"
    )
    assert SECRET not in text_of(result)


@pytest.mark.parametrize("form", ["text", "json"])
async def test_a_fault_of_ours_leaves_nothing_typed_in_the_log(
    slow: Slow, form: Literal["text", "json"], capsys: pytest.CaptureFixture[str]
) -> None:
    with logging_as(form):
        await slow.slash("fail", typed=SECRET)

    logged = capsys.readouterr().err
    assert "/slow fail failed in guild" in logged
    assert "builtins.ValueError" in logged
    assert SECRET not in logged


@contextmanager
def broken(world: World) -> Generator[None]:
    """A database that has lost its table, as after a botched restore."""
    path = Path(str(world.bot.settings.database_url.database))
    with closing(sqlite3.connect(path)) as other:
        other.execute("ALTER TABLE hero RENAME TO gone")
        yield
        other.execute("ALTER TABLE gone RENAME TO hero")


@pytest.mark.parametrize("url", ["sqlite"], indirect=True)
async def test_a_database_that_fails_gets_a_sentence_and_the_next_command_works(world: World) -> None:
    with broken(world):
        added = await world.add(world.alice, "Deadpond")
        found = await world.alice.slash(world.channel, "hero find", name="Deadpond")
        suggested = await world.alice.autocomplete(world.channel, "hero find", "name", "d")
    again = await world.add(world.alice, "Deadpond")

    for result in (added, found):
        assert_private(result)
        assert "reference" in text_of(result)
        assert "sqlite" not in text_of(result).lower()
    assert suggested == []
    assert "## Deadpond" in text_of(again)


@pytest.mark.parametrize("url", ["sqlite"], indirect=True)
async def test_a_full_disk_gets_a_sentence_and_the_next_command_works(world: World) -> None:
    async def pages(limit: int) -> None:
        # What SQLite says at this limit is what it says of a full disk: SQLITE_FULL.
        async with world.bot.db.read() as session:
            connection = await session.connection()
            await connection.exec_driver_sql(f"PRAGMA max_page_count={limit}")

    await pages(1)
    added = [await world.add(world.alice, f"Hero {n}", description="x" * 1_000) for n in range(20)]
    refused = next(result for result in added if "## Hero" not in text_of(result))
    await pages(1_000_000)
    again = await world.add(world.alice, "Deadpond")

    assert_private(refused)
    assert "reference" in text_of(refused)
    assert "## Deadpond" in text_of(again)


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine, "MAX_WAIT_SECONDS", 0.2)


@pytest.mark.usefixtures("impatient")
async def test_a_lock_that_stays_gets_a_sentence(world: World, caplog: pytest.LogCaptureFixture) -> None:
    if world.bot.db.is_sqlite:
        path = Path(str(world.bot.settings.database_url.database))
        with closing(sqlite3.connect(path, isolation_level=None)) as other_process:
            other_process.execute("BEGIN IMMEDIATE")
            refused = await world.add(world.alice, "Deadpond", secret_name=SECRET)
    else:
        own = create_async_engine(world.bot.settings.database_url)
        async with own.begin() as other_process:
            await other_process.exec_driver_sql("LOCK TABLE hero IN ACCESS EXCLUSIVE MODE")
            refused = await world.add(world.alice, "Deadpond", secret_name=SECRET)
        await own.dispose()
    again = await world.add(world.alice, "Deadpond")

    assert_private(refused)
    assert "reference" in text_of(refused)
    assert SECRET not in caplog.text
    assert "## Deadpond" in text_of(again)


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
    monkeypatch.setattr(answer, "DEFER_AFTER_SECONDS", within)
    monkeypatch.setattr(answer, "MAX_WAITED_SECONDS", believed)
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
