"""Members who keep a bot busy, and a look at what it stored."""

import asyncio
import fcntl
import os
from collections import defaultdict
from collections.abc import AsyncGenerator, Awaitable, Callable, Collection
from contextlib import asynccontextmanager
from itertools import count, cycle
from typing import Any, NamedTuple, TypeAlias

from sqlalchemy import URL, text
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine
from sqlalchemy.pool import NullPool

from tests.wire import Answer, Member, Wire

Figures: TypeAlias = dict[str, int | float]
"""What a scenario has measured, by name."""


class Stored(NamedTuple):
    """A hero as the database has it."""

    owner_id: int
    age: int | None
    added: int
    """How many entries of its history say that its owner added it."""


class Crowd:
    """Members who take turns.

    Args:
        wire: the Discord they are on.
        size: how many they are.
    """

    def __init__(self, wire: Wire, size: int = 16) -> None:
        self._numbers = count(1)
        self.added: dict[str, Stored] = {}
        """By name, how each hero must be stored if it is."""
        self._members = cycle([wire.member(f"Ann {number}") for number in range(size)])

    def member(self) -> Member:
        """Whoever's turn it is."""
        return next(self._members)

    def add(self) -> tuple[str, Answer]:
        """Add a hero of a name that is new; returns the name too."""
        number, member = next(self._numbers), self.member()
        name = f"Hero {number}"
        self.added[name] = Stored(member.id, number, 1)
        return name, member.slash("hero add", name=name, secret_name="Nobody", age=number)

    async def check_stored(self, url: URL, confirmed: Collection[str]) -> int:
        """Check that the heroes that were confirmed are there, and all heroes once and as they were added.

        Returns:
            How many heroes there are.
        """
        stored = await stored_heroes(url)
        assert [name for name in confirmed if name not in stored] == []
        assert stored == {name: [self.added[name]] for name in stored}
        return len(stored)


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


@asynccontextmanager
async def unreadable(url: URL) -> AsyncGenerator[None]:
    """Whoever wants to read has to wait until the end of the block."""
    if url.get_backend_name() == "sqlite":
        index = os.open(f"{url.database}-shm", os.O_RDWR)
        try:
            # Each reader shares one of these locks: https://www.sqlite.org/walformat.html#wal_locks
            fcntl.lockf(index, fcntl.LOCK_EX, 5, 123)
            yield
        finally:
            os.close(index)
    else:
        async with connection(url) as other:
            await other.execute(text("LOCK TABLE hero IN ACCESS EXCLUSIVE MODE"))
            yield
            await other.rollback()


STORED = """\
SELECT name, owner_id, age,
    (SELECT count(*) FROM history WHERE hero_id = hero.id AND action = 'added' AND actor_id = owner_id)
FROM hero WHERE removed_at IS NULL"""


async def stored_heroes(url: URL) -> dict[str, list[Stored]]:
    """The heroes in the roster by their names, of which each should be there once."""
    heroes: dict[str, list[Stored]] = defaultdict(list)
    async with connection(url) as other:
        for name, *values in await other.execute(text(STORED)):
            heroes[name].append(Stored(*values))
    return heroes
