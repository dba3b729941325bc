"""A short form of each scenario; `python -m tests.endurance` runs the full sizes."""

import sys

import pytest
from sqlalchemy import URL

from tests.endurance.backup import backup
from tests.endurance.bad_input import bad_input
from tests.endurance.database import full, lock, restart, slow
from tests.endurance.gateway import gateway
from tests.endurance.kill import kill
from tests.endurance.rest import rest
from tests.endurance.soak import soak
from tests.endurance.stop import stop, stop_frozen, stop_stuck

pytestmark = pytest.mark.slow

HASTY = (
    sys.executable,
    "-c",
    "import bot.operator.cli, bot.client; bot.client.MAX_FINISH_SECONDS = 0.1; bot.operator.cli.main()",
)
"""A bot that does not wait for what can't be done in time, nor the tests for it."""


async def test_kill(url: URL) -> None:
    assert (await kill(url, kills=2, adds=50))["confirmed"] >= 100


async def test_stop(tmp_path_url: URL) -> None:
    await stop(tmp_path_url)


async def test_stop_while_the_database_is_locked(url: URL) -> None:
    await stop_stuck(url, deaf=False, command=HASTY)


async def test_stop_while_postgresql_is_frozen() -> None:
    await stop_frozen(command=HASTY)


async def test_gateway(tmp_path_url: URL) -> None:
    found = await gateway(tmp_path_url, drops=5, invalid=1, silent=0, scarce=1, away=0)
    assert found["never delivered, never answered"]


async def test_silence(tmp_path_url: URL) -> None:
    await gateway(tmp_path_url, drops=0, invalid=0, silent=1, scarce=0, away=0, patient=False)


async def test_rest(tmp_path_url: URL) -> None:
    await rest(tmp_path_url, rounds=1, lasting=False)


async def test_lock(tmp_path_url: URL) -> None:
    assert not (await lock(tmp_path_url, seconds=0.5))["excuses"]


async def test_lock_for_longer_than_the_bot_waits(tmp_path_url: URL) -> None:
    assert (await lock(tmp_path_url, seconds=2, wait=0.5))["excuses"]


async def test_slow(url: URL) -> None:
    # Long enough to be deferred.
    await slow(url, seconds=2)


@pytest.mark.parametrize("small", [True, False], ids=["a small disk, if it can be had", "a limit"])
async def test_full(tmp_path_url: URL, *, small: bool) -> None:
    assert (await full(tmp_path_url, times=1, small=small))["excuses"]


async def test_restart() -> None:
    assert (await restart(times=1))["excuses"]


async def test_bad_input(tmp_path_url: URL) -> None:
    assert (await bad_input(tmp_path_url, interactions=300))["sent"] >= 300


async def test_backup(tmp_path_url: URL) -> None:
    assert (await backup(tmp_path_url, times=1, adds=50, megabytes=10))["confirmed"] >= 50


async def test_soak(url: URL) -> None:
    assert (await soak(url, commands=1000))["commands"] >= 1000
