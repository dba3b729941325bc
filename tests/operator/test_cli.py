"""The operator's commands: what they say, and their exit codes."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from pydantic import SecretStr
from sqlalchemy import URL

from bot.roster.vault import Vault
from tests.support.command import run
from tests.support.databases import PostgresServer


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
