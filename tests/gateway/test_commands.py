"""The commands as Discord is told about them."""

from typing import Any

import discord
import pytest
from sqlmodel import select

from bot.client import HeroBot
from bot.db.models import SyncedCommands
from bot.gateway.limits import unacceptable
from tests.support.world import World, restart, settings_for


def payload(bot: HeroBot) -> list[dict[str, Any]]:
    return [command.to_dict(bot.tree) for command in bot.tree.get_commands()]


async def test_the_commands_keep_to_discords_limits(world: World) -> None:
    assert unacceptable(payload(world.bot)) == []


def option(**values: Any) -> dict[str, Any]:
    return {"type": 3, "name": "name", "description": "A name.", **values}


@pytest.mark.parametrize(
    ("command", "fault"),
    [
        (option(type=1, name="Hero"), "lower-case"),
        (option(type=1, name="x" * 33), "1-32"),
        (option(type=1, name="two words"), "lower-case"),
        (option(type=1, description=""), "description"),
        (option(type=1, description="…"), "description"),
        (option(type=1, description="x" * 101), "1-100"),
        (option(type=1, options=[option(name=f"n{n}") for n in range(26)]), "at most 25 options"),
        (option(type=1, options=[option(description="x" * 101)]), "/name name"),
        (
            option(
                type=1,
                options=[
                    option(name=f"n{n}", choices=[{"name": "c" * 100, "value": "v" * 100}] * 2)
                    for n in range(25)
                ],
            ),
            "8000 characters",
        ),
        (
            option(type=1, options=[option(choices=[{"name": "c", "value": n} for n in range(26)])]),
            "25 choices",
        ),
        (option(type=1, options=[option(choices=[{"name": "c" * 101, "value": 1}])]), "1-100"),
        ({"type": 2, "name": "x" * 33}, "1-32"),
    ],
)
def test_what_discord_would_refuse_is_found(command: dict[str, Any], fault: str) -> None:
    (found,) = unacceptable([command])
    assert fault in found


async def test_commands_are_for_servers_alone_and_ask_for_no_permission(world: World) -> None:
    for command in payload(world.bot):
        assert command["contexts"] == [0]
        assert command["integration_types"] == [0]
        assert command["default_member_permissions"] is None


async def test_the_bot_asks_for_no_privileged_intent(world: World) -> None:
    assert world.bot.intents == discord.Intents(guilds=True)
    assert world.bot.intents.value == 1


def puts(world: World) -> list[str]:
    return [request.path for request in world.env.http_requests if request.method == "PUT"]


async def test_discord_is_told_at_the_first_start_and_not_again(world: World) -> None:
    assert len(puts(world)) == 1

    bot = await restart(world)

    assert len(puts(world)) == 1
    await bot.close()


async def test_discord_is_told_when_a_command_changed(world: World) -> None:
    async with world.bot.db.write() as session:
        row = (await session.exec(select(SyncedCommands))).one()
        row.fingerprint = "of another version"

    bot = await restart(world)

    assert len(puts(world)) == 2
    await bot.close()


async def test_a_forced_sync_always_tells(world: World) -> None:
    url = world.bot.settings.database_url
    await world.bot.close()
    world.bot = HeroBot(settings_for(url), shard_count=1, force_sync=True)

    await world.env.restart_bot(world.bot)

    assert len(puts(world)) == 2
    await world.bot.close()


async def test_a_dev_guild_gets_the_commands_alone_and_is_cleared_afterwards(world: World) -> None:
    guild = world.guild.id

    bot = await restart(world, dev_guild_id=guild)
    assert puts(world)[1:] == [f"/applications/{bot.application_id}/guilds/{guild}/commands"]

    bot = await restart(world)
    # Everywhere it is known already; only the guild's own copies go.
    assert puts(world)[2:] == [f"/applications/{bot.application_id}/guilds/{guild}/commands"]
    assert world.env.http_requests[-1].json == []

    bot = await restart(world)
    assert len(puts(world)) == 3
    await bot.close()
