"""Putting a backup back where the database, or the backup, is damaged."""

import asyncio
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import URL

from bot.db.open import open_database
from bot.errors import OperatorError
from bot.operator.backup import backup
from bot.operator.restore import restore
from tests.support.backups import cut_short, fill, leave_a_log, names_in, quietly, without_a_head


@pytest.mark.parametrize("spoil", [cut_short, without_a_head])
async def test_a_start_on_a_damaged_database_names_the_remedy(
    tmp_path_url: URL, tmp_path: Path, spoil: Callable[[Path], None]
) -> None:
    await fill(tmp_path_url, "Deadpond")
    spoil(tmp_path / "heroes.db")

    with pytest.raises(OperatorError, match="restore a backup"):
        await open_database(tmp_path_url)


@pytest.mark.parametrize("spoil", [cut_short, without_a_head])
def test_a_damaged_database_is_set_aside_with_its_log(
    tmp_path_url: URL, tmp_path: Path, spoil: Callable[[Path], None]
) -> None:
    asyncio.run(fill(tmp_path_url, "Deadpond"))
    copy, database = tmp_path / "copy.db", tmp_path / "heroes.db"
    backup(tmp_path_url, copy, quietly)
    leave_a_log(database)
    spoil(database)
    damaged = database.read_bytes()

    kept = restore(tmp_path_url, copy, quietly)

    assert kept is not None
    assert kept.read_bytes()[:100] == damaged[:100]
    # SQLite takes the log into some damaged databases, too.
    assert any(b"Late" in path.read_bytes() for path in (kept, Path(f"{kept}-wal")) if path.exists())
    assert {path.name for path in tmp_path.iterdir() if not path.name.startswith(kept.name)} == {
        "copy.db",
        "heroes.db",
    }
    assert names_in(database) == ["Deadpond"]
    asyncio.run(fill(tmp_path_url, "After"))
    assert names_in(database) == ["Deadpond", "After"]


def test_a_whole_database_is_kept_with_what_its_log_holds(tmp_path_url: URL, tmp_path: Path) -> None:
    asyncio.run(fill(tmp_path_url, "Deadpond"))
    copy, database = tmp_path / "copy.db", tmp_path / "heroes.db"
    backup(tmp_path_url, copy, quietly)
    leave_a_log(database)

    kept = restore(tmp_path_url, copy, quietly)

    assert kept is not None
    assert {path.name for path in tmp_path.iterdir()} == {"copy.db", "heroes.db", kept.name}
    assert names_in(kept) == ["Late"]
    assert names_in(database) == ["Deadpond"]


def test_a_log_that_lost_its_database_does_not_reach_the_new_one(tmp_path_url: URL, tmp_path: Path) -> None:
    asyncio.run(fill(tmp_path_url, "Deadpond"))
    copy, database = tmp_path / "copy.db", tmp_path / "heroes.db"
    backup(tmp_path_url, copy, quietly)
    leave_a_log(database)
    database.unlink()

    assert restore(tmp_path_url, copy, quietly) is None

    assert names_in(database) == ["Deadpond"]


def test_a_damaged_database_in_use_is_not_replaced(tmp_path_url: URL, tmp_path: Path) -> None:
    asyncio.run(fill(tmp_path_url, "Deadpond"))
    copy, database = tmp_path / "copy.db", tmp_path / "heroes.db"
    backup(tmp_path_url, copy, quietly)
    code = (
        "import sqlite3, sys\n"
        "database = sqlite3.connect(sys.argv[1], isolation_level=None)\n"
        "database.execute('PRAGMA journal_mode=WAL')\n"
        "database.execute('SELECT name FROM hero').fetchall()\n"
        "print('open', flush=True)\n"
        "sys.stdin.read()\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code, str(database)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as user:
        assert user.stdout is not None
        assert user.stdout.readline() == b"open\n"
        without_a_head(database)
        damaged = database.read_bytes()

        with pytest.raises(OperatorError, match="Stop the bot"):
            restore(tmp_path_url, copy, quietly)

        assert database.read_bytes() == damaged
        user.communicate(timeout=60)
    assert restore(tmp_path_url, copy, quietly) is not None
    assert names_in(database) == ["Deadpond"]


def test_what_changes_while_it_is_copied_is_not_installed(tmp_path_url: URL, tmp_path: Path) -> None:
    asyncio.run(fill(tmp_path_url, "Deadpond"))
    copy = tmp_path / "copy.db"
    backup(tmp_path_url, copy, quietly)
    with closing(sqlite3.connect(copy)) as database:
        database.execute("CREATE TABLE ballast AS SELECT zeroblob(4000000)")

    def spoil(_done: int, total: int) -> None:
        with copy.open("r+b") as file:
            file.seek(total // 2 * 4_096)
            file.write(b"\xff" * 4_096)

    with pytest.raises(OperatorError, match=r"copy\.db is damaged"):
        restore(tmp_path_url, copy, spoil)

    assert names_in(tmp_path / "heroes.db") == ["Deadpond"]
    assert {path.name for path in tmp_path.iterdir()} == {"heroes.db", "copy.db"}


@pytest.mark.parametrize("content", [b"", b"Buy milk. " * 1_000, b"SQLite format 3\0" + b"\xff" * 8_192])
def test_what_is_no_backup_changes_nothing(tmp_path_url: URL, tmp_path: Path, content: bytes) -> None:
    asyncio.run(fill(tmp_path_url, "Deadpond"))
    wrong = tmp_path / "wrong.db"
    wrong.write_bytes(content)

    with pytest.raises(OperatorError, match=r"not a backup|damaged"):
        restore(tmp_path_url, wrong, quietly)

    assert names_in(Path(str(tmp_path_url.database))) == ["Deadpond"]


def test_a_damaged_or_newer_backup_changes_nothing(tmp_path_url: URL, tmp_path: Path) -> None:
    asyncio.run(fill(tmp_path_url, *(f"Hero {n}" for n in range(300))))
    copy = tmp_path / "copy.db"
    backup(tmp_path_url, copy, quietly)
    whole = copy.read_bytes()
    copy.write_bytes(whole[:40_960] + b"\xff" * 20_000 + whole[60_960:])
    with pytest.raises(OperatorError, match=r"damaged|not a backup"):
        restore(tmp_path_url, copy, quietly)
    copy.write_bytes(whole)
    with closing(sqlite3.connect(copy)) as newer, newer:
        newer.execute("UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(OperatorError, match="newer"):
        restore(tmp_path_url, copy, quietly)
    assert len(names_in(Path(str(tmp_path_url.database)))) == 300
