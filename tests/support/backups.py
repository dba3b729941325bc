"""Databases to back up, and ways to spoil them."""

import os
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

from sqlalchemy import URL

from bot.db.open import open_database
from tests.support.heroes import stored_heroes


def names_in(path: Path) -> list[str]:
    """The names of the heroes in a SQLite file, in the order in which they were added."""
    with closing(sqlite3.connect(path)) as database:
        return [row[0] for row in database.execute("SELECT name FROM hero ORDER BY id")]


async def fill(url: URL, *names: str) -> None:
    """Migrate a database and add heroes to it, of about a kilobyte each."""
    database = await open_database(url)
    await stored_heroes(database, *names, description="x" * 900)
    await database.dispose()


def quietly(_done: int, _total: int) -> None:
    """Nobody watches the progress."""


def cut_short(path: Path) -> None:
    """Lose the end of a file."""
    os.truncate(path, 6_000)


def without_a_head(path: Path) -> None:
    """Spoil the beginning of a file."""
    with path.open("r+b") as file:
        file.write(b"\xff" * 100)


def leave_a_log(path: Path) -> None:
    """Add a hero and die, so that it stands in the log alone."""
    code = (
        "import os, signal, sqlite3, sys\n"
        "database = sqlite3.connect(sys.argv[1], isolation_level=None)\n"
        "database.execute('PRAGMA journal_mode=WAL')\n"
        "database.execute(\"UPDATE hero SET name = 'Late' WHERE id = 1\")\n"
        "os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    subprocess.run([sys.executable, "-c", code, str(path)], check=False, timeout=60)
    assert path.with_name(f"{path.name}-wal").stat().st_size > 0
