"""Discord's REST side fails: the member gets the answer all the same."""

import asyncio
from collections.abc import Callable, Iterable
from typing import Final, TypeAlias

from sqlalchemy import URL

from tests.endurance.load import Crowd, Figures, is_card, locked
from tests.endurance.process import running
from tests.wire import Answer, Faults, Member, Message, Wire

Misbehave: TypeAlias = Callable[[Faults, str], object]

FAULTS: Final[dict[str, Misbehave]] = {
    "limited": lambda faults, where: faults.limit(where, 0.3, times=2),
    "limited everywhere": lambda faults, where: faults.limit(where, 0.3, everywhere=True),
    "500": lambda faults, where: faults.fail(where, 500),
    "502": lambda faults, where: faults.fail(where, 502),
    "503": lambda faults, where: faults.fail(where, 503),
    "502, but done": lambda faults, where: faults.fail(where, 502, processed=True),
    "cut": lambda faults, where: faults.cut(where),
    "cut, but done": lambda faults, where: faults.cut(where, processed=True),
}
"""What one request can meet, and in the end be answered."""

LASTING: Final[dict[str, Misbehave]] = {
    "limited for long": lambda faults, where: faults.limit(where, 20),
    "limited again and again": lambda faults, where: faults.limit(where, 0.3, times=7),
    "503 for long": lambda faults, where: faults.fail(where, 503, times=8),
    "cut for long": lambda faults, where: faults.cut(where, times=6),
}
"""What a request meets that has time, since it follows a deferral: the token lives for 15 minutes."""


def _callback(answer: Answer) -> str:
    return f"POST /interactions/{answer.id}/*"


def _edit(answer: Answer) -> str:
    return f"PATCH /webhooks/*/{answer.token}/*"


def _followup(answer: Answer) -> str:
    return f"POST /webhooks/*/{answer.token}"


def _told_privately(answer: Answer) -> bool:
    return bool(answer.followups) and all(
        each.reader is not None and "reference" not in each.text for each in answer.followups
    )


async def rest(url: URL, *, rounds: int, lasting: bool) -> Figures:
    """Let each fault strike each kind of request, so many times, all of them at once.

    Args:
        url: the bot's database.
        rounds: how often.
        lasting: whether some of them last for up to 35 seconds, too.
    """
    faults = FAULTS | LASTING if lasting else FAULTS
    # discord.py repeats a failed request after a second. That a deferral, sent after 1.5, then still meets
    # the limit of 3 is a matter of a busy machine's mood, and not what is shown here.
    async with Wire(ack_within=6) as wire, running(wire, url) as bot:
        crowd = Crowd(wire)
        asked = crowd.member()
        await asked.slash("hero add", name="Deadpond", secret_name="Nobody")
        panels = [await _panel_of_a_hero_that_is_gone(wire) for _ in range(rounds * len(faults))]
        answers: dict[str, Answer] = {}
        async with locked(url):
            for number, (clicker, panel) in enumerate(panels):
                name, misbehave = list(faults.items())[number % len(faults)]
                # Answered at once, deferred, edited into the deferral, and told besides it.
                for what, where, answer in (
                    ("callback", _callback, asked.slash("hero find", name="Deadpond")),
                    ("deferral", _callback, crowd.add()[1]),
                    ("edit", _edit, crowd.add()[1]),
                    ("follow-up", _followup, clicker.click(panel, label="Remove")),
                ):
                    if name in LASTING and what not in ("edit", "follow-up"):
                        continue
                    answers[f"{what}, {name}, {number}"] = answer
                    misbehave(wire.faults, where(answer))
            # Those that are never acknowledged show below.
            await _all(answers.values(), lambda answer: answer.acknowledged, within=5)
        await _all(answers.values(), _right, within=60)
        wrong = [
            f"{what}: {answer.text!r} {answer!r}" for what, answer in answers.items() if not _right(answer)
        ]
        twice = [what for what, each in answers.items() if len(each.followups) > 1 and "done" not in what]
        assert not twice, twice
        assert not wrong, "\n".join([f"{len(wrong)} of {len(answers)}", *wrong, bot.log])
        assert (await asked.slash("hero find", name="Deadpond")).answered
        assert await bot.stop() == 0
        assert "ERROR" not in bot.log, bot.log
    return {"faults": len(answers), "answered": sum(map(_right, answers.values()))}


def _right(answer: Answer) -> bool:
    return _told_privately(answer) if answer.source is not None else is_card(answer)


async def _all(answers: Iterable[Answer], holds: Callable[[Answer], object], within: float = 15) -> None:
    """Wait until `holds` for all of them, or until it is clear that some never will."""
    waiting = [asyncio.create_task(each.until(holds, within)) for each in answers]
    await asyncio.gather(*waiting, return_exceptions=True)


async def _panel_of_a_hero_that_is_gone(wire: Wire) -> tuple[Member, Message]:
    """Somebody who is still asked whether to remove a hero that they have removed."""
    member = wire.member("Ben")
    name = f"Gone {member.id}"
    await member.slash("hero add", name=name, secret_name="Nobody")
    first, second = [await member.slash("hero remove", name=name) for _ in range(2)]
    assert first.message is not None
    assert second.message is not None
    await member.click(first.message, label="Remove")
    return member, second.message
