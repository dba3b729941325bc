"""Members who keep a bot busy, and a look at what it stored."""

import asyncio
from collections import Counter
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from itertools import count, cycle
from typing import Any, TypeAlias

from sqlalchemy import URL, text
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine
from sqlalchemy.pool import NullPool

from tests.wire import Answer, Member, Wire

Figures: TypeAlias = dict[str, int | float]
"""What a scenario has measured, by name."""


class Crowd:
    """Members who take turns.

    Args:
        wire: the Discord they are on.
        size: how many they are.
    """

    def __init__(self, wire: Wire, size: int = 16) -> None:
        self._numbers = count(1)
        self._members = cycle([wire.member(f"Ann {number}") for number in range(size)])

    def member(self) -> Member:
        """Whoever's turn it is."""
        return next(self._members)

    def add(self) -> tuple[str, Answer]:
        """Add a hero of a name that is new; returns the name too."""
        name = f"Hero {next(self._numbers)}"
        return name, self.member().slash("hero add", name=name, secret_name="Nobody")


def is_card(answer: Answer) -> bool:
    return "## " in answer.text


def is_excuse(answer: Answer) -> bool:
    """The plain private sentence for what nobody expected."""
    private = answer.ephemeral or any(each.reader is not None for each in answer.followups)
    said = answer.text + "".join(each.text for each in answer.followups)
    return private and "reference" in said


@asynccontextmanager
async def busy(work: Callable[[], Awaitable[None]], in_flight: int) -> AsyncGenerator[None]:
    """Keep repeating `work`, so many at a time, until the end of the block; a failure of one fails it."""

    async def repeat() -> None:
        while True:
            await work()

    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(repeat()) for _ in range(in_flight)]
        yield
        for task in tasks:
            task.cancel()


@asynccontextmanager
async def connection(url: URL) -> AsyncGenerator[AsyncConnection]:
    """A connection that is not the bot's."""
    engine = create_async_engine(url, poolclass=NullPool)
    try:
        async with engine.connect() as found:
            yield found
    finally:
        await engine.dispose()


@asynccontextmanager
async def locked(url: URL) -> AsyncGenerator[None]:
    """Somebody else is writing: whoever wants to write has to wait until the end of the block."""
    async with connection(url) as other:
        if url.get_backend_name() == "sqlite":
            driver: Any = (await other.get_raw_connection()).driver_connection
            await driver.execute("BEGIN IMMEDIATE")
            yield
            await driver.execute("ROLLBACK")
        else:
            await other.execute(text("LOCK TABLE hero IN EXCLUSIVE MODE"))
            yield
            await other.rollback()


async def stored_names(url: URL) -> Counter[str]:
    """How many heroes in the roster have each name."""
    async with connection(url) as other:
        return Counter((await other.scalars(text("SELECT name FROM hero WHERE removed_at IS NULL"))).all())


async def noted_names(url: URL) -> Counter[str]:
    """How often the history says that a hero of each name was added."""
    noted = "SELECT name FROM hero JOIN history ON history.hero_id = hero.id WHERE history.action = 'added'"
    async with connection(url) as other:
        return Counter((await other.scalars(text(noted))).all())
