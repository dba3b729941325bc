"""`python -m bot` as a process: how it starts, is told to stop, and ends."""

import sys
from pathlib import Path

from sqlalchemy import URL, text

from bot.db import migrate
from tests.endurance.load import connection
from tests.support.command import run
from tests.support.live import live_bot, start_process
from tests.support.paths import ROOT
from tests.wire import Wire


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
        "bot.operator.run.MAX_STOP_SECONDS = 1\n"
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
