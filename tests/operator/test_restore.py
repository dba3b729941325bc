"""Putting a backup back, beside what is there already and whoever uses it."""

import asyncio
import stat
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import URL

from bot.db.open import open_database
from bot.errors import OperatorError
from bot.operator.backup import backup
from bot.operator.restore import restore
from tests.support.backups import fill, names_in, quietly
from tests.support.paths import ROOT


async def test_a_restore_brings_back_the_backup_and_keeps_the_old_one(
    tmp_path_url: URL, tmp_path: Path
) -> None:
    await fill(tmp_path_url, "Deadpond")
    copy = tmp_path / "copy.db"
    backup(tmp_path_url, copy, quietly)
    await fill(tmp_path_url, "Later")

    kept = restore(tmp_path_url, copy, quietly)

    assert kept is not None
    assert names_in(kept) == ["Deadpond", "Later"]
    assert names_in(Path(str(tmp_path_url.database))) == ["Deadpond"]
    await fill(tmp_path_url, "After")
    assert names_in(Path(str(tmp_path_url.database))) == ["Deadpond", "After"]
    assert names_in(copy) == ["Deadpond"]


def test_a_restored_database_is_its_owners_alone(tmp_path_url: URL, tmp_path: Path) -> None:
    asyncio.run(fill(tmp_path_url, "Deadpond"))
    copy = tmp_path / "copy.db"
    backup(tmp_path_url, copy, quietly)
    copy.chmod(0o644)

    restore(tmp_path_url, copy, quietly)
    fresh = tmp_path / "fresh" / "heroes.db"
    assert restore(tmp_path_url.set(database=str(fresh)), copy, quietly) is None

    assert [stat.S_IMODE(path.stat().st_mode) for path in (tmp_path / "heroes.db", fresh)] == [0o600] * 2
    assert names_in(fresh) == ["Deadpond"]


def test_what_is_kept_is_never_overwritten(tmp_path_url: URL, tmp_path: Path) -> None:
    asyncio.run(fill(tmp_path_url, "Deadpond"))
    first = tmp_path / "1.db"
    backup(tmp_path_url, first, quietly)
    asyncio.run(fill(tmp_path_url, "Later"))

    kept = [restore(tmp_path_url, first, quietly) for _ in range(4)]

    assert len(set(kept)) == 4
    assert [names_in(path) for path in kept if path is not None] == [["Deadpond", "Later"]] + [
        ["Deadpond"]
    ] * 3


@pytest.mark.parametrize("link", [None, Path.symlink_to, Path.hardlink_to])
def test_a_database_is_no_backup_of_itself(
    tmp_path_url: URL, tmp_path: Path, link: Callable[[Path, Path], None] | None
) -> None:
    asyncio.run(fill(tmp_path_url, "Deadpond"))
    database = tmp_path / "heroes.db"
    copy = database if link is None else tmp_path / "link.db"
    if link is not None:
        link(copy, database)

    with pytest.raises(OperatorError, match="is the database itself"):
        restore(tmp_path_url, copy, quietly)

    assert names_in(database) == ["Deadpond"]
    assert {path.name for path in tmp_path.iterdir()} == {"heroes.db", copy.name}


def test_a_link_to_the_database_stays_one(tmp_path_url: URL, tmp_path: Path) -> None:
    asyncio.run(fill(tmp_path_url, "Deadpond"))
    copy = tmp_path / "copy.db"
    backup(tmp_path_url, copy, quietly)
    link = tmp_path / "elsewhere" / "link.db"
    link.parent.mkdir()
    link.symlink_to(tmp_path / "heroes.db")

    kept = restore(tmp_path_url.set(database=str(link)), copy, quietly)

    assert link.is_symlink()
    assert kept is not None
    assert kept.parent == tmp_path


def test_broken_off_while_copying_it_changes_nothing(tmp_path_url: URL, tmp_path: Path) -> None:
    asyncio.run(fill(tmp_path_url, "Deadpond"))
    copy = tmp_path / "copy.db"
    backup(tmp_path_url, copy, quietly)
    asyncio.run(fill(tmp_path_url, "Later"))

    def break_off(_done: int, _total: int) -> None:
        assert names_in(tmp_path / "heroes.db") == ["Deadpond", "Later"]
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        restore(tmp_path_url, copy, break_off)

    assert names_in(tmp_path / "heroes.db") == ["Deadpond", "Later"]
    assert {path.name for path in tmp_path.iterdir()} == {"heroes.db", "copy.db"}


def test_a_disk_that_fills_up_changes_nothing(tmp_path_url: URL, tmp_path: Path) -> None:
    asyncio.run(fill(tmp_path_url, *(f"Hero {n}" for n in range(300))))
    copy = tmp_path / "copy.db"
    backup(tmp_path_url, copy, quietly)
    limited = (
        "import resource; from bot.operator.cli import main; "
        "resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, 200_000)); main()"
    )

    ended = subprocess.run(
        [sys.executable, "-c", limited, "restore", str(copy)],
        env={"PYTHONPATH": str(ROOT), "DATABASE_URL": f"sqlite:///{tmp_path_url.database}"},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert ended.returncode == 69
    assert "Nothing was changed" in ended.stderr
    assert len(names_in(tmp_path / "heroes.db")) == 300
    assert {path.name for path in tmp_path.iterdir()} == {"heroes.db", "copy.db"}


def test_nobody_gets_in_while_it_restores(tmp_path_url: URL, tmp_path: Path) -> None:
    asyncio.run(fill(tmp_path_url, "Deadpond"))
    copy = tmp_path / "copy.db"
    backup(tmp_path_url, copy, quietly)
    said: list[str] = []

    def come_in(_done: int, _total: int) -> None:
        code = "import sqlite3, sys; sqlite3.connect(sys.argv[1], timeout=0).execute('SELECT * FROM hero')"
        ended = subprocess.run(
            [sys.executable, "-c", code, str(tmp_path_url.database)],
            stderr=subprocess.PIPE,
            text=True,
            timeout=60,
            check=False,
        )
        said.append(ended.stderr)

    restore(tmp_path_url, copy, come_in)

    assert said
    assert all("database is locked" in each for each in said)


def test_a_database_that_appears_meanwhile_stays(tmp_path_url: URL, tmp_path: Path) -> None:
    asyncio.run(fill(tmp_path_url, "Deadpond"))
    copy, fresh = tmp_path / "copy.db", tmp_path / "fresh.db"
    backup(tmp_path_url, copy, quietly)

    def appear(_done: int, _total: int) -> None:
        fresh.write_bytes(b"new")

    with pytest.raises(OperatorError, match="Nothing was changed"):
        restore(tmp_path_url.set(database=str(fresh)), copy, appear)

    assert fresh.read_bytes() == b"new"
    assert {path.name for path in tmp_path.iterdir()} == {"heroes.db", "copy.db", "fresh.db"}


async def test_a_database_in_use_is_not_replaced(tmp_path_url: URL, tmp_path: Path) -> None:
    await fill(tmp_path_url, "Deadpond")
    copy = tmp_path / "copy.db"
    backup(tmp_path_url, copy, quietly)
    database = await open_database(tmp_path_url)

    with pytest.raises(OperatorError, match="Stop the bot"):
        restore(tmp_path_url, copy, quietly)

    await database.dispose()
    assert names_in(Path(str(tmp_path_url.database))) == ["Deadpond"]
