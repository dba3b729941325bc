"""Putting a backup back, whatever is there already and whatever breaks it off."""

import asyncio
import os
import re
import shutil
import signal
import sqlite3
import stat
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import URL

from bot.db.open import open_database
from bot.errors import OperatorError
from bot.operator.backup import backup, restore
from tests.operator.test_backup import fill, names_in, quietly
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


def cut_short(path: Path) -> None:
    os.truncate(path, 6_000)


def without_a_head(path: Path) -> None:
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


STEP_BY_STEP = """
import os, signal, sys
from pathlib import Path
from sqlalchemy import URL
from bot.operator.backup import restore
from bot.errors import OperatorError

how, links, *folders = sys.argv[1:]

def break_off(folder, at):
    steps = 0
    def before(event, arguments):
        nonlocal steps
        if event not in ("os.link", "os.rename") and (event != "open" or str(arguments[0]) != folder):
            return
        if event == "os.link" and links == "no links":
            raise PermissionError(1, "Operation not permitted")
        steps += 1
        if steps == at and how == "killed":
            os.kill(os.getpid(), signal.SIGKILL)
        if steps == at or (steps > at and how == "failing for good"):
            raise OSError(5, "Input/output error")
    sys.addaudithook(before)
    restore(URL.create("sqlite", database=folder + "/heroes.db"), Path(folder, "copy.db"), lambda *_: None)

for at, folder in enumerate(folders, 1):
    child = os.fork()
    if child == 0:
        try:
            break_off(folder, at)
        except OperatorError as error:
            Path(folder + ".txt").write_text(error.line)
            os._exit(error.code)
        os._exit(0)
    print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""
"""Restores in each folder, and breaks off before its first step in that folder, the second, and so on."""


def step_by_step(how: str, links: str, first: Path) -> list[tuple[Path, int, str]]:
    """Folders like the first, each with the exit code of a restore there and what that said."""
    folders = [first, *(first.with_name(str(number)) for number in range(2, 9))]
    for folder in folders[1:]:
        shutil.copytree(first, folder)
    ended = subprocess.run(
        [sys.executable, "-c", STEP_BY_STEP, how, links, *map(str, folders)],
        env={"PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        text=True,
        timeout=60,
        check=True,
    )
    codes = [int(line) for line in ended.stdout.split()]
    assert codes[0] != 0
    assert codes[-1] == 0, "each step had its turn"
    said = [Path(f"{folder}.txt") for folder in folders]
    return [
        (folder, code, text.read_text() if text.exists() else "")
        for folder, code, text in zip(folders, codes, said, strict=True)
    ]


async def roster_and_backup(folder: Path) -> Path:
    """A database of two heroes, beside a backup of the first of them."""
    database = folder / "heroes.db"
    url = URL.create("sqlite+aiosqlite", database=str(database))
    await fill(url, "Deadpond")
    backup(url, folder / "copy.db", quietly)
    await fill(url, "Later")
    return database


async def test_killed_at_any_step_it_leaves_one_whole_database_in_place(tmp_path: Path) -> None:
    await roster_and_backup(tmp_path / "1")

    ended = step_by_step("killed", "links", tmp_path / "1")

    assert [code for _, code, _ in ended].count(-signal.SIGKILL) >= 3
    for folder, code, _ in ended:
        names = names_in(folder / "heroes.db")
        assert names == ["Deadpond"] or (code and names == ["Deadpond", "Later"])
        if names == ["Deadpond"]:
            [kept] = folder.glob("heroes.db.before-*")
            assert names_in(kept) == ["Deadpond", "Later"]


@pytest.mark.parametrize("links", ["links", "no links"])
@pytest.mark.parametrize("old", ["whole", "damaged", "missing"])
async def test_failing_at_any_step_it_leaves_all_as_it_was(tmp_path: Path, links: str, old: str) -> None:
    database = await roster_and_backup(tmp_path / "1")
    if old == "damaged":
        leave_a_log(database)
        cut_short(database)
    elif old == "missing":
        database.unlink()
    # The header tells whether there is a log.
    before = {path.name: path.read_bytes()[100:] for path in database.parent.iterdir()}

    ended = step_by_step("failing", links, tmp_path / "1")

    for folder, code, said in ended:
        if code:
            assert said.endswith("Nothing was changed.")
            after = {path.name: path.read_bytes()[100:] for path in folder.iterdir()}
            assert after.keys() == before.keys()
            assert after.get("heroes.db") == before.get("heroes.db")
        else:
            assert names_in(folder / "heroes.db") == ["Deadpond"]


async def test_a_disk_that_fails_for_good_is_told_with_where_the_old_database_is(tmp_path: Path) -> None:
    await roster_and_backup(tmp_path / "1")

    ended = step_by_step("failing for good", "no links", tmp_path / "1")

    told = 0
    for folder, code, said in ended:
        if code:
            where = re.search("rename (.*) to (.*)[.]$", said)
            assert where or said.endswith("Nothing was changed.")
            old = folder / "heroes.db"
            if where:
                told += 1
                assert where[2] == str(old)
                old = Path(where[1])
            assert names_in(old) == ["Deadpond", "Later"]
    assert told


async def test_a_database_in_use_is_not_replaced(tmp_path_url: URL, tmp_path: Path) -> None:
    await fill(tmp_path_url, "Deadpond")
    copy = tmp_path / "copy.db"
    backup(tmp_path_url, copy, quietly)
    database = await open_database(tmp_path_url)

    with pytest.raises(OperatorError, match="Stop the bot"):
        restore(tmp_path_url, copy, quietly)

    await database.dispose()
    assert names_in(Path(str(tmp_path_url.database))) == ["Deadpond"]


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
