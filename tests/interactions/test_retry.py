"""Discord, or the way there, fails for a while: what is sent again, and until when."""

import pytest

from bot.interactions import answer, send
from tests.support.online import CALLBACK, EDIT, Online, errors


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
    monkeypatch.setattr(send, "MAX_FOLLOW_UP_SECONDS", 0.0)
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
    monkeypatch.setattr(answer, "MAX_FIRST_ANSWER_SECONDS", 0.0)
    online.wire.faults.cut(CALLBACK, processed=True)
    used = await online.deferred("quiet")

    online.cog.go_on.set()
    await used

    assert used.text == "Here it is."
    assert errors(caplog) == []


async def test_a_file_in_a_deferred_answer_is_sent_whole_again(online: Online) -> None:
    used = await online.deferred("file")
    outage = online.wire.faults.cut(EDIT, times=3)

    online.cog.go_on.set()
    await used

    assert outage.hits == 3
    assert [each.data for each in online.wire.uploads.values()] == [b"All of it."]
