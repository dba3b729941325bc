"""Putting a backup back, broken off before any of its steps."""

import re
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from sqlalchemy import URL

from bot.operator.backup import backup
from tests.support.backups import cut_short, fill, leave_a_log, names_in, quietly
from tests.support.paths import ROOT

STEP_BY_STEP = """
import os, signal, sys
from pathlib import Path
from sqlalchemy import URL
from bot.operator.restore import restore
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
