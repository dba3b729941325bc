"""Discord's REST side fails: the member gets the answer all the same."""

import asyncio
import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass
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


RETRIED_LATE: Final = ("500", "502", "503")
"""discord.py repeats these after a second of its own. A deferral, sent after 1.5, is then left half a second
until Discord's limit of 3: whether it makes it is a matter of a busy machine's mood, and not shown here."""


@dataclass(frozen=True)
class Struck:
    """An interaction one of whose requests is to meet a fault.

    Args:
        what: the kind of request.
        answer: to the interaction.
        where: the request.
        right: whether the member has got what they are to get.
    """

    what: str
    answer: Answer
    where: str
    right: Callable[[Answer], bool]


def _at_once(wire: Wire, asked: Member, erasing: Answer, panel: Message) -> list[Struck]:
    """One of each kind of request that acknowledges an interaction with its answer."""
    answers: dict[str, tuple[Answer, Callable[[Answer], bool]]] = {
        "answer": (asked.slash("hero find", name="Deadpond"), is_card),
        "file": (asked.slash("mydata export"), lambda answer: _has_whole_file(wire, answer)),
        "suggestions": (asked.autocomplete("hero find", "name", "dead"), _suggests),
        "form": (asked.slash("mydata erase"), lambda answer: answer.modal is not None),
        "answer to a form": (
            asked.submit(erasing, {"word": "no"}),
            lambda answer: answer.private and "Nothing was erased" in answer.text,
        ),
        "clicked message": (
            asked.click(panel, label="Keep"),
            lambda answer: answer.callback == 7 and answer.text == "Nothing was removed.",
        ),
    }
    return [Struck(what, answer, _callback(answer), right) for what, (answer, right) in answers.items()]


def _late(crowd: Crowd, clicker: Member, panel: Message, fault: str) -> list[Struck]:
    """One of each kind of request about an answer that takes longer: deferred, edited in, told besides."""
    deferred, edited = crowd.add()[1], crowd.add()[1]
    told = clicker.click(panel, label="Remove")
    if fault in RETRIED_LATE:
        deferred.dispatched_at += 3
    deferral = Struck("deferral", deferred, _callback(deferred), is_card)
    edit = Struck("edit", edited, f"PATCH /webhooks/*/{edited.token}/*", is_card)
    follow_up = Struck("follow-up", told, f"POST /webhooks/*/{told.token}", _told_privately)
    return [edit, follow_up] if fault in LASTING else [deferral, edit, follow_up]


def _callback(answer: Answer) -> str:
    return f"POST /interactions/{answer.id}/*"


def _told_privately(answer: Answer) -> bool:
    return bool(answer.followups) and all(
        each.reader is not None and "reference" not in each.text for each in answer.followups
    )


def _suggests(answer: Answer) -> bool:
    return [each["name"] for each in answer.choices or []] == ["Deadpond"]


def _has_whole_file(wire: Wire, answer: Answer) -> bool:
    if answer.message is None:
        return False
    (attachment,) = answer.message["attachments"]
    (upload,) = (each for path, each in wire.uploads.items() if attachment["id"] in path)
    return json.loads(upload.data)["heroes"][0]["name"] == "Deadpond"


async def rest(url: URL, *, rounds: int, lasting: bool) -> Figures:
    """Let each fault strike each kind of request, so many times, those of a round all at once.

    Args:
        url: the bot's database.
        rounds: how often.
        lasting: whether some of them last for up to 35 seconds, too.
    """
    faults = FAULTS | LASTING if lasting else FAULTS
    async with Wire() as wire, running(wire, url) as bot:
        crowd = Crowd(wire)
        asked = crowd.member()
        await asked.slash("hero add", name="Deadpond", secret_name="Nobody")
        erasing = await asked.slash("mydata erase")
        struck: dict[str, Struck] = {}

        def strike(fault: str, requests: Iterable[Struck]) -> None:
            for each in requests:
                struck[f"{each.what}, {fault}, {len(struck)}"] = each
                faults[fault](wire.faults, each.where)

        for _ in range(rounds):
            kept = [await _asked_to_remove(asked) for _ in FAULTS]
            for fault, panel in zip(FAULTS, kept, strict=True):
                strike(fault, _at_once(wire, asked, erasing, panel))
            # Those that never are show below.
            await _all(struck.values(), lambda each: each.answer.acknowledged, within=5)
        gone = [
            (fault, *await _panel_of_a_hero_that_is_gone(wire)) for fault in faults for _ in range(rounds)
        ]
        async with locked(url):
            for fault, clicker, panel in gone:
                strike(fault, _late(crowd, clicker, panel, fault))
            await _all(struck.values(), lambda each: each.answer.acknowledged, within=5)
        await _all(struck.values(), lambda each: each.right(each.answer), within=60)
        wrong = [
            f"{what}: {each.answer.text!r} {each.answer!r}"
            for what, each in struck.items()
            if not each.right(each.answer)
        ]
        twice = [
            what for what, each in struck.items() if len(each.answer.followups) > 1 and "done" not in what
        ]
        assert not twice, twice
        assert not wrong, "\n".join([f"{len(wrong)} of {len(struck)}", *wrong, bot.log])
        assert (await asked.slash("hero find", name="Deadpond")).answered
        assert await bot.stop() == 0
        assert "ERROR" not in bot.log, bot.log
    return {
        "faults": len(struck),
        "answered": sum(each.right(each.answer) for each in struck.values()),
        "deferrals that Discord waited for longer": len(RETRIED_LATE) * rounds,
    }


async def _all(struck: Iterable[Struck], holds: Callable[[Struck], object], within: float = 15) -> None:
    """Wait until `holds` for all of them, or until it is clear that some never will."""
    waiting = [
        asyncio.create_task(each.answer.until(lambda _, each=each: holds(each), within)) for each in struck
    ]
    await asyncio.gather(*waiting, return_exceptions=True)


async def _asked_to_remove(member: Member) -> Message:
    """The question whether to remove a hero."""
    message = (await member.slash("hero remove", name="Deadpond")).message
    assert message is not None
    return message


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
