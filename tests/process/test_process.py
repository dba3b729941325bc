"""`python -m bot` as its operator runs it: a process, its exit code and what it says."""

import os
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import URL, text

from bot.db import migrate
from bot.gateway.link import pause_before_connection, pause_before_session
from bot.operator.log import configure_logging
from bot.roster.vault import new_key
from tests.endurance.load import connection
from tests.support.databases import PostgresServer
from tests.support.live import live_bot, start_process
from tests.support.paths import ROOT
from tests.wire import Wire


def run(*arguments: str, cwd: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run it to its end, away from the .env of whoever runs the tests."""
    return subprocess.run(
        [sys.executable, "-m", "bot", *arguments],
        cwd=cwd,
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), **environment},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_a_bad_setting_ends_it_with_78_and_a_readable_line(tmp_path: Path) -> None:
    ended = run(cwd=tmp_path, DISCORD_TOKEN="hunter2", LOG_LEVEL="loud", DEV_GUILD_ID="home")

    assert ended.returncode == 78
    assert "LOG_LEVEL must be" in ended.stderr
    assert "DEV_GUILD_ID must be" in ended.stderr
    assert "Traceback" not in ended.stderr
    assert "hunter2" not in ended.stderr + ended.stdout
    assert list(tmp_path.iterdir()) == []


def test_without_a_token_and_without_the_preview_it_names_the_token(tmp_path: Path) -> None:
    # As on a host, which installs requirements.txt alone.
    (tmp_path / "simcord").mkdir()
    (tmp_path / "sitecustomize.py").write_text(
        "import importlib.util as u\n"
        "find = u.find_spec\n"
        "u.find_spec = lambda name, *a: None if name == 'simcord' else find(name, *a)\n"
    )

    ended = run(cwd=tmp_path, PYTHONPATH=f"{tmp_path}:{ROOT}")

    assert ended.returncode == 78
    assert "DISCORD_TOKEN is missing" in ended.stderr


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


@pytest.mark.parametrize(
    ("database_url", "code", "says"),
    [
        ("postgresql://ann:hunter2@127.0.0.1:9/heroes", 69, "nothing answers there"),
        ("sqlite:////dev/null/heroes.db", 78, "can't be made"),
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


def test_json_logs_are_one_object_a_line_and_quote_no_exception(capsys: pytest.CaptureFixture[str]) -> None:
    import json
    import logging

    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    try:
        configure_logging("DEBUG", "json")
        try:
            int("hunter2")
        except ValueError:
            logging.getLogger("cogs.test").exception("it failed")
        logging.getLogger("discord.gateway").debug("hunter2")
    finally:
        root.handlers[:] = handlers
        root.setLevel(level)

    (line,) = capsys.readouterr().err.splitlines()
    entry = json.loads(line)
    assert entry["message"] == "it failed"
    assert entry["exception"].endswith("builtins.ValueError")
    assert 'int("hunter2")' in entry["exception"], "the line of code itself is no secret"


async def test_told_to_stop_while_it_is_loaded_it_ends_without_a_word(
    tmp_path: Path, tmp_path_url: URL
) -> None:
    (tmp_path / "sitecustomize.py").write_text(
        "import sys, time\n"
        "class Slow:\n"
        "    def find_spec(self, name, *_):\n"
        "        if name == 'discord':\n"
        "            print('loading', flush=True)\n"
        "            time.sleep(60)\n"
        "sys.meta_path.insert(0, Slow())\n"
    )
    async with Wire() as wire:
        bot = await start_process(wire, tmp_path_url, {"PYTHONPATH": f"{tmp_path}:{ROOT}"})
        assert bot.process.stdout is not None
        assert await bot.process.stdout.readline() == b"loading\n"

        assert await bot.stop(within=10) == (0, "")


async def test_told_to_stop_while_it_waits_to_migrate_it_ends(new_url: URL) -> None:
    Path(str(new_url.database)).parent.mkdir(exist_ok=True)
    async with Wire() as wire, connection(new_url) as other:
        if new_url.get_backend_name() == "sqlite":
            for statement in ("PRAGMA journal_mode=WAL", "BEGIN IMMEDIATE"):
                await other.exec_driver_sql(statement)
        else:
            await other.execute(text("SELECT pg_advisory_lock(:lock)"), {"lock": migrate.LOCK})
        bot = await start_process(wire, new_url, {"LOG_SQL": "true"})
        assert bot.process.stdout is not None
        begun = b""
        while b"alembic_version" not in begun and b"pg_advisory_xact_lock" not in begun:
            begun = await bot.process.stdout.readline()
            assert begun

        code, log = await bot.stop(within=10)

    assert code == 0, log
    assert "Traceback" not in log
    assert "ended before" not in log, "nothing is left to wait for"


async def test_what_does_not_end_is_left_behind(tmp_path_url: URL) -> None:
    stuck = (
        "import asyncio, time, bot.operator.cli, bot.client, bot.operator.run\n"
        "bot.operator.run.STOP_WITHIN = 1\n"
        # As a name is looked up: in a thread, which Python waits for.
        "bot.client.HeroBot.on_interaction = lambda *_: asyncio.to_thread(time.sleep, 60)\n"
        "bot.operator.cli.main()\n"
    )
    async with (
        Wire() as wire,
        live_bot(wire, tmp_path_url, command=(sys.executable, "-c", stuck)) as bot,
    ):
        assert (await wire.member("Ana").slash("hero find", name="x")).ephemeral

        code, log = await bot.stop(within=10)

    assert code == 0, log
    assert "ended before everything was done" in log


@pytest.mark.parametrize(
    ("left", "seconds", "pause"),
    [
        (1000, 86_400, 5),
        (501, 86_400, 5),
        (500, 3600, 7.2),
        (500, 360, 5),
        (500, 86_400, 30),
        (0, 3600, 3600),
    ],
)
def test_a_bot_begins_no_more_sessions_than_discord_allows_in_a_day(
    left: int, seconds: float, pause: float
) -> None:
    assert pause_before_session(left=left, total=1000, seconds=seconds) == pause


def test_a_bot_that_starts_over_and_over_again_begins_no_more_sessions_than_a_day_has() -> None:
    began, now, day = 0, 0.0, 86_400.0
    while now < day:
        left = 1000 - began
        if left <= 500:
            now += pause_before_session(left=left, total=1000, seconds=day - now, most=day - now)
        # It takes a second to start, and then it falls over.
        now += 1
        began += 1
    assert began <= 1000


@pytest.mark.parametrize("shards", [1, 4])
def test_connections_that_come_to_nothing_are_made_ever_later(shards: int) -> None:
    pauses = [pause_before_connection(tries, shards) for tries in range(shards + 7)]

    assert pauses == [0] * shards + [1, 2, 4, 8, 16, 20, 20]
    assert pause_before_connection(10_000, shards) == 20, "also after hours of it"
