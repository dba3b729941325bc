"""Members who use one bot, so many at a time, and what they see of its speed."""

import asyncio
import gc
import math
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import count
from typing import Final

from tests.bench.data import ADDING, LARGE, LARGE_SIZE, NAMES, USUAL, USUAL_SIZE, guild_id, hero_name
from tests.wire import Answer, Overdue, Wire

ADDERS: Final = 1024
"""Members who take turns to add, so that none of them has many heroes or changes a lot."""
PATIENCE: Final = 15.0
"""Seconds in which a deferred answer has to come."""
MOST: Final = 20_000
"""Interactions in one turn of a measurement."""
WARM_UP: Final = 0.3
"""Seconds of each turn that do not count."""


@dataclass
class Seen:
    """What the members saw in the turns of one measurement.

    Args:
        seconds: how long it went on, without the warm-up.
        done: how many answers came in that time.
        waits: seconds until each answer that was asked for in that time.
        lost: no answer as Discord wants it, or an apology.
        answered: right answers in all, the warm-up included.
        cpu: processor time that the bot took for all that, in seconds.
    """

    seconds: float = 0.0
    done: int = 0
    waits: list[float] = field(default_factory=list[float])
    lost: int = 0
    answered: int = 0
    cpu: float = 0.0

    @property
    def cpu_each(self) -> float:
        """Milliseconds of processor time for an answer; what else the machine does hardly changes it."""
        return self.cpu / max(self.answered, 1) * 1000

    @property
    def rate(self) -> float:
        """Answers in a second."""
        return self.done / self.seconds

    def wait(self, part: float) -> float:
        """Milliseconds that this part of the answers took at most: 0.5 is the median."""
        if not self.waits:
            return math.inf
        ordered = sorted(self.waits)
        return ordered[min(int(len(ordered) * part), len(ordered) - 1)] * 1000


class Crowd:
    """The members of the stand-in's guilds, who do the same with every bot.

    Args:
        wire: the Discord that they share with one bot.
    """

    def __init__(self, wire: Wire) -> None:
        adding = wire.guilds[guild_id(ADDING)]
        self._adders = [wire.member(f"Ann {number}", adding) for number in range(ADDERS)]
        self._readers = {
            number: wire.member(f"Bob {number}", wire.guilds[guild_id(number)]) for number in (*USUAL, LARGE)
        }
        self._numbers = {command: count() for command in COMMANDS}
        self._left: list[Answer] = []

    async def settled(self, within: float) -> None:
        """Wait for what nobody waits for any longer: the bot, and its database, are busy with it."""
        with suppress(Overdue):
            for answer in self._left:
                await answer.until(lambda seen: seen.answered or seen.refusals, within)
        self._left.clear()

    async def use(self, command: str) -> bool:
        """Use a command once, and say whether its answer came and was right."""
        answer, right = COMMANDS[command](self, next(self._numbers[command]))
        try:
            # Discord gives up on an interaction that nobody has acknowledged within three seconds.
            await answer.until(lambda seen: seen.answered or seen.refusals, 3.5)
        except Overdue:
            if not answer.acknowledged:
                self._left.append(answer)
                return False
            try:
                await answer.until(lambda seen: seen.answered or seen.refusals, PATIENCE)
            except Overdue:
                self._left.append(answer)
                return False
        return answer.answered and right(answer)

    def add(self, number: int) -> tuple[Answer, Callable[[Answer], bool]]:
        """A hero with a name of its own, played by whoever's turn it is."""
        name = f"{NAMES[number % len(NAMES)]} {number}"
        adder = self._adders[number % ADDERS]
        sent = adder.slash(
            "hero add", name=name, secret_name="Dive Wilson", age=48, description="Says little."
        )
        return sent, lambda answer: name in answer.text

    def find(self, number: int, *, large: bool = False) -> tuple[Answer, Callable[[Answer], bool]]:
        guild, name = _some_hero(number, large=large)
        return self._readers[guild].slash("hero find", name=name), lambda answer: name in answer.text

    def autocomplete(self, number: int, *, large: bool = False) -> tuple[Answer, Callable[[Answer], bool]]:
        """In turn: the first letters, the first words, the start of a later word, letters inside one."""
        guild, name = _some_hero(number, large=large)
        place = name.rpartition(" ")[2]
        typed = (name[:3], name[: name.rindex(" of ")], place[:4], place[1:5])[number % 4]
        sent = self._readers[guild].autocomplete("hero find", "name", typed)
        return sent, lambda answer: bool(answer.choices)

    def list_(self, number: int, *, large: bool = False) -> tuple[Answer, Callable[[Answer], bool]]:
        guild, _ = _some_hero(number, large=large)
        return self._readers[guild].slash("hero list"), lambda answer: "heroes" in answer.text


COMMANDS: Final[dict[str, Callable[[Crowd, int], tuple[Answer, Callable[[Answer], bool]]]]] = {
    "add": Crowd.add,
    "find": Crowd.find,
    "autocomplete": Crowd.autocomplete,
    "list": Crowd.list_,
    "find, large": lambda crowd, number: crowd.find(number, large=True),
    "autocomplete, large": lambda crowd, number: crowd.autocomplete(number, large=True),
    "list, large": lambda crowd, number: crowd.list_(number, large=True),
}
"""What is measured, by name; large: in the guild of 100,000 heroes."""


def _some_hero(number: int, *, large: bool) -> tuple[int, str]:
    """The number of a guild, and the name of a hero in it."""
    if large:
        return LARGE, hero_name(LARGE, number * 7 % LARGE_SIZE)
    guild = USUAL[number % len(USUAL)]
    return guild, hero_name(guild, number * 7 % USUAL_SIZE)


async def take_turn(crowd: Crowd, command: str, in_flight: int, seconds: float, seen: Seen) -> None:
    """Keep so many interactions in flight for some seconds, and add to what was seen.

    Each interaction starts as soon as one before it has ended.
    """
    # What lives on here grows from turn to turn: to look through it for garbage would halt the stand-in, and
    # show in the waits of whichever bot has its turn.
    gc.collect()
    gc.disable()
    begin = time.perf_counter() + WARM_UP
    end, left = begin + seconds, MOST

    async def repeat() -> None:
        nonlocal left
        while (sent := time.perf_counter()) < end and left > 0:
            left -= 1
            right = await crowd.use(command)
            now = time.perf_counter()
            seen.lost += not right
            seen.answered += right
            if right and begin <= now <= end:
                seen.done += 1
            if right and sent >= begin:
                seen.waits.append(now - sent)

    async with asyncio.TaskGroup() as group:
        for _ in range(in_flight):
            group.create_task(repeat())
    gc.enable()
    seen.seconds += min(end, time.perf_counter()) - begin
