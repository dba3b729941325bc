"""The operator's commands: what they say, what they import, and their exit codes."""

import os
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest
from cryptography.fernet import Fernet
from pydantic import SecretStr
from sqlalchemy import URL

from bot import __version__
from bot.roster.vault import Vault, new_key
from tests.support.command import run
from tests.support.databases import PostgresServer

ROOT = Path(__file__).parents[2]


def test_help_names_the_commands(tmp_path: Path) -> None:
    ended = run("--help", cwd=tmp_path)

    assert ended.returncode == 0
    for command in ("preview", "check", "migrate", "sync"):
        assert command in ended.stdout


def test_migrate_makes_the_folder_and_the_database(tmp_path: Path) -> None:
    ended = run("migrate", cwd=tmp_path)

    assert ended.returncode == 0
    assert ended.stderr.count("\n") == 1
    assert "migrated the database from schema none to" in ended.stderr
    with closing(sqlite3.connect(tmp_path / "data" / "heroes.db")) as database:
        assert database.execute("SELECT count(*) FROM hero").fetchone() == (0,)


@pytest.mark.parametrize(
    ("database_url", "code", "says"),
    [
        ("postgresql://ann:hunter2@127.0.0.1:9/heroes", 69, "nothing answers there"),
        ("sqlite:////dev/null/heroes.db", 78, "is impossible to make"),
        ("sqlite:////dev", 69, "can't be opened"),
        ("sqlite:///notes.txt", 69, "not a SQLite database"),
        ("mysql://ann:hunter2@127.0.0.1/heroes", 78, "does not know"),
    ],
)
def test_a_database_that_cannot_be_used_gets_a_clear_line(
    tmp_path: Path, database_url: str, code: int, says: str
) -> None:
    (tmp_path / "notes.txt").write_text("Buy milk. " * 100)

    ended = run("migrate", cwd=tmp_path, DATABASE_URL=database_url)

    assert ended.returncode == code, ended.stderr
    assert says in ended.stderr
    assert ended.stderr.count("\n") <= 3
    assert "Traceback" not in ended.stderr
    assert "hunter2" not in ended.stderr


def test_a_postgresql_database_that_is_not_there_gets_a_clear_line(
    tmp_path: Path, postgres: PostgresServer
) -> None:
    with postgres.new_database() as url:
        missing: URL = url.set(database="nowhere")
        ended = run("migrate", cwd=tmp_path, DATABASE_URL=missing.render_as_string(hide_password=False))

    assert ended.returncode == 69
    assert "no database of that name" in ended.stderr


def test_the_operator_erases_by_command(tmp_path: Path) -> None:
    nothing = run("erase", cwd=tmp_path)
    assert nothing.returncode == 2
    asked = run("erase", "--user", "5", cwd=tmp_path)
    assert asked.returncode == 1
    assert "Aborted" in asked.stderr
    for arguments in (("--user", "5"), ("--guild", "5"), ("--user", "5", "--guild", "6")):
        done = run("erase", *arguments, "--yes", cwd=tmp_path)
        assert (done.returncode, done.stdout) == (0, "Done; 0 heroes went with it.\n")


def test_keys_by_command(tmp_path: Path) -> None:
    keys = [run("keys", "new", cwd=tmp_path).stdout.strip() for _ in range(2)]
    assert len(set(keys)) == 2
    assert Vault([SecretStr(key) for key in keys]).key_name is not None

    none = run("keys", "rotate", cwd=tmp_path)
    assert none.returncode == 78
    assert "no SECRET_KEYS" in none.stderr
    done = run("keys", "rotate", cwd=tmp_path, SECRET_KEYS=keys[0])
    assert (done.returncode, done.stdout) == (0, "0 secret identities were encrypted with the first key.\n")


def python(code: str, *arguments: str, cwd: Path) -> str:
    """Run Python in a process of its own and return what it printed."""
    ended = subprocess.run(
        [sys.executable, "-c", code, *arguments],
        cwd=cwd,
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    return ended.stdout


def modules_after(*arguments: str, cwd: Path) -> tuple[str, set[str]]:
    """Run a command; return what it printed and the names of all modules that are loaded after it."""
    code = (
        "import atexit, sys\n"
        "atexit.register(lambda: print('', *sys.modules, sep='\\n'))\n"
        "from bot.operator.cli import main\n"
        "main()\n"
    )
    output, _, modules = python(code, *arguments, cwd=cwd).partition("\n\n")
    return output, set(modules.split())


@pytest.mark.parametrize("arguments", [("keys", "new"), ("--help",), ("--version",)])
def test_a_small_command_does_not_import_the_bot(tmp_path: Path, arguments: tuple[str, ...]) -> None:
    _, modules = modules_after(*arguments, cwd=tmp_path)

    assert "bot.operator.cli" in modules
    assert modules.isdisjoint({"discord", "sqlalchemy", "PIL", "cryptography", "asyncio", "rich"})


def test_keys_new_prints_a_key_that_fernet_takes(tmp_path: Path) -> None:
    output, _ = modules_after("keys", "new", cwd=tmp_path)

    fernet = Fernet(output.strip())
    assert fernet.decrypt(fernet.encrypt(b"Dive Wilson")) == b"Dive Wilson"


def test_a_new_key_is_as_fernet_makes_it_and_never_the_same() -> None:
    assert len(new_key()) == len(Fernet.generate_key())
    assert new_key() != new_key()


def test_the_bot_imports_nothing_that_only_a_command_needs(tmp_path: Path) -> None:
    code = "import sys, bot.operator.cli, bot.operator.run, cogs.hero\nprint(*sys.modules)"

    modules = set(python(code, cwd=tmp_path).split())

    assert "discord" in modules
    assert modules.isdisjoint({"cryptography", "PIL", "rapidfuzz", "matplotlib", "rich"})


def test_the_version_is_printed(tmp_path: Path) -> None:
    output, _ = modules_after("--version", cwd=tmp_path)

    assert output == f"Hero Roster {__version__}"
