"""The full sizes: `python -m tests.endurance [PART OF A NAME]`."""

import asyncio
import sys
import tempfile
import time
import traceback
from collections.abc import Awaitable, Callable
from pathlib import Path

import typer
from sqlalchemy import URL

from tests.endurance.backup import backup
from tests.endurance.bad_input import bad_input
from tests.endurance.database import full, lock, restart, slow
from tests.endurance.gateway import crash_loop, gateway
from tests.endurance.kill import kill
from tests.endurance.load import Figures
from tests.endurance.rest import rest
from tests.endurance.soak import soak
from tests.endurance.stop import stop, stop_frozen, stop_stuck
from tests.support.databases import PostgresServer, postgres_server

Scenario = Callable[[URL], Awaitable[Figures]]

ON_BOTH: dict[str, Scenario] = {
    "kill -9": lambda url: kill(url, kills=20, adds=60),
    "stop": lambda url: stop(url, load=1000),
    "stop, stuck": stop_stuck,
    "database locked for 2 s": lambda url: lock(url, seconds=2),
    "database locked for 20 s": lambda url: lock(url, seconds=20),
    "slow": lambda url: slow(url, seconds=5),
    "bad input": lambda url: bad_input(url, interactions=5_000),
    "soak": lambda url: soak(url, commands=100_000),
}
ON_SQLITE: dict[str, Scenario] = {
    "gateway": lambda url: gateway(url, drops=50, invalid=10, silent=1, scarce=2, away=6),
    "crash loop": lambda url: crash_loop(url, sessions=8, day=60),
    "rest": lambda url: rest(url, rounds=4, lasting=True),
    "disk full": lambda url: full(url, times=5),
    "files may not grow": lambda url: full(url, times=5, small=False),
    "backup": lambda url: backup(url, times=5, adds=300, megabytes=200),
}


def _run(name: str, scenario: Callable[[], Awaitable[Figures]]) -> bool:
    """Run one scenario if its name holds what was asked for; returns whether it failed."""
    if not all(part in name for part in sys.argv[1:]):
        return False
    began = time.monotonic()

    async def work() -> Figures:
        return await scenario()

    try:
        figures = asyncio.run(work())
    except Exception as error:  # noqa: BLE001 - the others are to run all the same
        typer.echo(f"{name}: FAILED after {time.monotonic() - began:.0f} s")
        traceback.print_exception(error)
        return True
    shown = ", ".join(f"{what} {number:,}" for what, number in figures.items())
    typer.echo(f"{name}: {shown} ({time.monotonic() - began:.0f} s)")
    return False


def _run_all(server: PostgresServer) -> int:
    failed = 0
    for name, scenario in (ON_BOTH | ON_SQLITE).items():
        with tempfile.TemporaryDirectory() as folder:
            file = URL.create("sqlite+aiosqlite", database=str(Path(folder) / "heroes.db"))
            failed += _run(f"{name}, SQLite", lambda scenario=scenario, file=file: scenario(file))
        if name in ON_BOTH:
            with server.new_database() as url:
                failed += _run(f"{name}, PostgreSQL", lambda scenario=scenario, url=url: scenario(url))
    failed += _run("stop, PostgreSQL frozen", stop_frozen)
    return failed + _run("PostgreSQL restarted", lambda: restart(times=6))


with postgres_server() as started:
    failures = _run_all(started)
sys.exit(bool(failures))
