"""How an answer reaches those who are to see it."""

import pytest

from tests.support.online import DELETION, EDIT, FOLLOW_UP, Online, errors


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
