"""Suggestions, while Discord, the way there or the database fails."""

import asyncio

import pytest
from sqlalchemy import URL, text

from bot.interactions import answer, suggest
from tests.endurance.load import connection
from tests.support.online import CALLBACK, Online, errors, online_on


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
    monkeypatch.setattr(suggest, "MAX_SUGGEST_SECONDS", 0.2)
    monkeypatch.setattr(answer, "MAX_WAITED_SECONDS", 0)
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


async def test_suggestions_that_never_get_through_are_given_up_without_an_error(
    online: Online, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(suggest, "MAX_FIRST_ANSWER_SECONDS", 0.0)
    cut = online.wire.faults.cut(CALLBACK, times=2)
    online.cog.go_on.set()

    suggested = online.ana.autocomplete("patient pick", "name", "d")
    await online.until(lambda: cut.hits)
    await online.ended()

    assert cut.hits == 1, "discord.py does not send them once more"
    assert not suggested.answered
    assert errors(caplog) == []
    assert "suggestions came too late" in caplog.text


async def test_suggestions_that_discord_refuses_are_logged_once(
    online: Online, caplog: pytest.LogCaptureFixture
) -> None:
    refused = online.wire.faults.fail(CALLBACK, 403, times=2)
    online.cog.go_on.set()

    suggested = online.ana.autocomplete("patient pick", "name", "d")
    await online.until(lambda: refused.hits)
    await online.ended()

    assert refused.hits == 1, "discord.py does not send them once more"
    assert not suggested.answered
    (error,) = errors(caplog)
    assert "/patient pick failed" in error


async def test_a_handler_that_fails_suggests_nothing_and_is_logged_once(
    online: Online, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(online.bot, "db", None)

    suggested = await online.ana.autocomplete("hero find", "name", "Marker Secret")

    assert suggested.choices == []
    (error,) = errors(caplog)
    assert "/hero find failed" in error
    assert "Marker Secret" not in caplog.text
    monkeypatch.undo()
