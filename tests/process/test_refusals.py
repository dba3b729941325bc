"""What Discord refuses, at the start or later: one clear line, an exit code, and no second try."""

import pytest
from sqlalchemy import URL

from tests.support.live import live_bot, start_process
from tests.wire import Wire
from tests.wire.connection import Moment


@pytest.mark.parametrize(
    ("moment", "code", "ends_with", "says"),
    [
        ("hello", 4004, 78, "Discord refuses DISCORD_TOKEN"),
        ("identify", 4004, 78, "Discord refuses DISCORD_TOKEN"),
        ("identify", 4010, 78, "refuses the shards"),
        ("identify", 4013, 78, "does not know the bot's intents"),
        ("identify", 4014, 78, "refuses the bot's intents"),
        ("ready", 4004, 78, "Discord refuses DISCORD_TOKEN"),
        ("guilds", 4011, 69, "too many servers for its shards"),
    ],
)
async def test_what_the_gateway_refuses_is_one_clear_line(
    tmp_path_url: URL, moment: Moment, code: int, ends_with: int, says: str
) -> None:
    async with Wire() as wire:
        wire.gateway.close_at(moment, code)
        bot = await start_process(wire, tmp_path_url, {"LOG_LEVEL": "ERROR"})

        ended, log = await bot.ended()

    assert ended == ends_with, log
    assert says in log
    assert log.count("\n") == 1, log
    assert len(wire.gateway.connects) == 1, "it does not try again"


@pytest.mark.parametrize(
    ("code", "says"), [(4012, "Update Hero Roster"), (4004, "Discord refuses DISCORD_TOKEN")]
)
@pytest.mark.slow
async def test_what_the_gateway_refuses_before_its_hello_ends_the_start(
    tmp_path_url: URL, code: int, says: str
) -> None:
    async with Wire() as wire:
        wire.gateway.close_at("connect", code)
        bot = await start_process(wire, tmp_path_url, {"LOG_LEVEL": "ERROR"})

        ended, log = await bot.ended()

    assert ended == 78, log
    # discord.py logs that the shard failed, before it is stopped from trying again.
    assert says in log.splitlines()[-1]
    assert len(wire.gateway.connects) == 1, "it does not try again"


@pytest.mark.parametrize("abrupt", [True, False])
@pytest.mark.parametrize("resumes", [True, False])
async def test_a_token_that_is_reset_while_it_connects_again(
    tmp_path_url: URL, resumes: bool, abrupt: bool
) -> None:
    async with Wire() as wire, live_bot(wire, tmp_path_url, {"LOG_LEVEL": "ERROR"}) as bot:
        # aiohttp loses the code where TCP ends with it; the API is asked before the next connection.
        wire.gateway.abrupt = abrupt
        assert (await wire.member("Ana").slash("hero find", name="x")).ephemeral
        wire.token = "another"
        if resumes:
            wire.gateway.drop()
        else:
            # The API refuses the token before a session begins.
            wire.gateway.invalidate()

        code, log = await bot.ended()

    assert code == 78, log
    assert "Discord refuses DISCORD_TOKEN" in log
    assert log.count("\n") == 1, log
    assert len(wire.gateway.connects) == 2


async def test_a_gateway_that_does_not_stand_is_given_time(tmp_path_url: URL) -> None:
    async with Wire() as wire, live_bot(wire, tmp_path_url) as bot:
        ana, gateway = wire.member("Ana"), wire.gateway
        await ana.slash("hero find", name="x")
        gateway.close_at("connect", 4000)
        gateway.drop()
        missed = ana.slash("hero find", name="x")
        assert (await missed).ephemeral
        assert (len(gateway.identifies), len(gateway.resumes)) == (1, 1)
        _, first, second = gateway.connects
        # The clocks may differ by a little.
        assert second - first > 0.9
        assert (await bot.stop())[0] == 0


async def test_a_token_that_is_reset_meanwhile_is_one_clear_line(tmp_path_url: URL) -> None:
    async with Wire() as wire, live_bot(wire, tmp_path_url) as bot:
        # Connected to the end, so that it is not just beginning its session.
        assert (await wire.member("Ana").slash("hero find", name="x")).ephemeral
        # Where aiohttp loses this code, discord.py comes back once and is refused then.
        wire.token = "another"
        wire.gateway.drop(4004)

        code, log = await bot.ended()

    assert code == 78, log
    assert "Discord refuses DISCORD_TOKEN" in log
    assert "Traceback" not in log, log
    assert len(wire.gateway.connects) <= 2


@pytest.mark.slow
async def test_a_token_that_is_reset_while_the_second_shard_starts_ends_it(tmp_path_url: URL) -> None:
    async with Wire(guilds=4, shards=2) as wire:
        bot = await start_process(wire, tmp_path_url, {"LOG_LEVEL": "ERROR"})
        await wire.gateway.connected(1)
        wire.token = "another"

        code, log = await bot.ended()

    assert code == 78, log
    assert "Discord refuses DISCORD_TOKEN" in log.splitlines()[-1]
    assert len(wire.gateway.identifies) == 1


@pytest.mark.parametrize(
    ("environment", "code", "says"),
    [
        ({"DISCORD_TOKEN": "hunter2"}, 78, "Discord refuses DISCORD_TOKEN"),
        ({"DISCORD_API_URL": "http://127.0.0.1:9/api/v10"}, 69, "Discord can't be reached"),
        ({"DATABASE_URL": "postgresql://ann:hunter2@127.0.0.1:9/x"}, 69, "nothing answers there"),
        ({"DEV_GUILD_ID": "77"}, 78, "DEV_GUILD_ID names a server"),
    ],
)
async def test_what_stops_the_start_is_one_clear_line(
    tmp_path_url: URL, environment: dict[str, str], code: int, says: str
) -> None:
    async with Wire() as wire:
        bot = await start_process(wire, tmp_path_url, {"LOG_LEVEL": "ERROR", **environment})

        ended, log = await bot.ended()

        assert ended == code, log
        assert says in log
        assert "Traceback" not in log
        assert "hunter2" not in log
        wire.unknown.clear()
