"""`python -m bot check`: what is to be done, without doing it."""

import sqlite3
from contextlib import closing
from pathlib import Path

from bot.roster.vault import new_key
from tests.support.command import run


def test_check_tells_what_is_to_do_and_changes_nothing(tmp_path: Path) -> None:
    before = run("check", cwd=tmp_path)
    assert before.returncode == 78
    assert "to do  token: DISCORD_TOKEN is missing" in before.stdout
    assert "to do  database: data/heroes.db is not there yet" in before.stdout
    assert list(tmp_path.iterdir()) == []

    run("migrate", cwd=tmp_path)
    without_key = run("check", cwd=tmp_path, DISCORD_TOKEN="hunter2")
    assert without_key.returncode == 78
    assert "to do  secret keys: SECRET_KEYS is empty" in without_key.stdout
    after = run("check", cwd=tmp_path, DISCORD_TOKEN="hunter2", SECRET_KEYS=new_key())
    assert after.returncode == 0
    looked_at = [line.split(maxsplit=1) for line in after.stdout.splitlines()]
    assert looked_at == [
        ["ok", what] for what in ("settings", "token", "database", "schema", "secret keys", "commands")
    ]


def test_check_knows_an_old_schema(tmp_path: Path) -> None:
    run("migrate", cwd=tmp_path)
    with closing(sqlite3.connect(tmp_path / "data" / "heroes.db", isolation_level=None)) as database:
        database.execute("UPDATE alembic_version SET version_num = '0000'")

    ended = run("check", cwd=tmp_path, DISCORD_TOKEN="hunter2")

    assert ended.returncode == 78
    assert "to do  schema: it has 0000 and needs" in ended.stdout
