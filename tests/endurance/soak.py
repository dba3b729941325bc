"""A long run: what the bot holds in memory, open files, threads, tasks and views does not grow."""

import json
import signal
import sys
import time
from itertools import count

from sqlalchemy import URL

from tests.endurance.load import Crowd, Figures, busy, is_card
from tests.endurance.process import Bot, running
from tests.wire import Answer, Wire

WITHIN = 30 * 60.0
"""Seconds that each of the two parts may take: at 100,000 commands that asks for 50 a second."""
COUNTED = (sys.executable, "-m", "tests.endurance.counted")


async def soak(url: URL, *, commands: int, in_flight: int = 16) -> Figures:
    """Let members do everything with heroes, over and over; compare the end with what it was at a tenth.

    A short run is compared with its first half: until then it gets to know its statements and the like.
    """
    tenth = max(commands // 10, min(commands // 2, 500))
    done = 0
    numbers = count()
    async with Wire() as wire, running(wire, url, command=COUNTED) as bot:
        crowd = Crowd(wire)

        async def take(answer: Answer) -> Answer:
            nonlocal done
            await answer.until(lambda answer: answer.answered, within=60)
            done += 1
            assert "reference" not in answer.text, answer.text
            return answer

        async def life() -> None:
            member, name = crowd.member(), f"Hero {next(numbers)}"
            added = await take(member.slash("hero add", name=name, secret_name="Nobody"))
            assert is_card(added), added.text
            suggested = await take(member.autocomplete("hero find", "name", name.lower()))
            assert name in [each["name"] for each in suggested.choices or []]
            found = await take(member.slash("hero find", name=name))
            assert found.message is not None
            await take(member.click(found.message, label="Secret identity"))
            await take(member.slash("hero list"))
            form = await take(member.slash("hero edit", name=name))
            # On a busy machine it may have taken too long: Discord opens a form at once or never.
            if form.modal is not None:
                saved = await take(member.submit(form, {"description": "Older now"}))
                assert "Older now" in saved.text
            asked = await take(member.slash("hero remove", name=name))
            assert asked.message is not None
            await take(member.click(asked.message, label="Remove"))
            missed = await take(member.slash("hero find", name=name))
            assert missed.ephemeral
            wire.notify()

        began = time.monotonic()
        async with busy(life, in_flight):
            await wire.until(lambda: done >= tenth, within=WITHIN)
        early = await _measure(bot)
        async with busy(life, in_flight):
            await wire.until(lambda: done >= commands, within=WITHIN)
        took = time.monotonic() - began
        late = await _measure(bot)
        assert wire.gateway.live() == 1
        assert await bot.stop() == 0
        assert "ERROR" not in bot.log, bot.log
    growth = {name: late[name] - early[name] for name in early}
    # Connections that happened to be idle at one moment and closed at the other: never more than were used.
    assert growth["tasks"] <= in_flight, (early, late)
    assert growth["threads"] <= in_flight, (early, late)
    assert growth["files"] <= 2 * in_flight, (early, late)
    assert late["views"] == 0, (early, late)
    # In a short run caches still fill, at one time more than at another: it counts what must not grow at all.
    if commands >= 100_000:
        # Whatever a command leaves behind is more than two objects.
        assert growth["objects"] <= min(early["objects"] // 10, 2 * (commands - tenth)), (early, late)
        assert late["memory"] <= 1.1 * early["memory"], (early, late)
    return {
        "commands": done,
        "a second": round(done / took),
        **{f"{name} early": number for name, number in early.items()},
        **{f"{name} late": number for name, number in late.items()},
        "memory ratio": round(late["memory"] / early["memory"], 3),
    }


async def _measure(bot: Bot) -> dict[str, int]:
    since = len(bot.log)
    bot.process.send_signal(signal.SIGUSR1)
    said = await bot.said(since, "}\n")
    counts: dict[str, int] = json.loads(said.partition("COUNTED ")[2])
    return {**counts, "memory": bot.memory(), "threads": bot.threads(), "files": bot.files()}
