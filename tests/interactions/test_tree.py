"""What is refused before a handler runs."""

from discord import app_commands
from simcord import Env

from tests.support.online import Online
from tests.support.world import World, assert_private, text_of
from tests.wire.records import AUTOCOMPLETE, Json


def options_of(command: Json) -> Json:
    """The options of a subcommand, to be changed."""
    return command["options"][0]["options"][0]


async def test_a_command_that_discord_knows_and_the_bot_does_not(env: Env, world: World) -> None:
    world.bot.tree.remove_command("hero")
    cursor = env.error_cursor

    result = await world.bob.slash(world.channel, "hero find", name="Deadpond")

    assert_private(result)
    assert "has just changed" in text_of(result)
    assert [type(error) for error in env.errors_since(cursor)] == [app_commands.CommandNotFound]


async def test_an_option_of_another_kind_gets_a_sentence(online: Online) -> None:
    command = online.ana.command_data("hero find", {"name": "Deadpond"})
    options_of(command).update(type=4, value=5)

    answer = await online.ana.slash_raw(command)

    assert answer.ephemeral
    assert "has just changed" in answer.text


async def test_a_choice_that_is_none_gets_a_sentence(online: Online) -> None:
    command = online.ana.command_data("mydata erase", {"where": "this server"})
    options_of(command).update(value="another planet")

    answer = await online.ana.slash_raw(command)

    assert answer.ephemeral
    assert "has just changed" in answer.text


async def test_an_option_that_the_bot_does_not_know_does_no_harm(online: Online) -> None:
    await online.ana.slash("hero add", name="Deadpond", secret_name="x")
    command = online.ana.command_data("hero find", {"name": "Deadpond"})
    command["options"][0]["options"].append({"name": "since", "type": 3, "value": "x"})

    answer = await online.ana.slash_raw(command)

    assert answer.text.startswith("## Deadpond")


async def test_suggestions_for_what_suggests_nothing_are_none(online: Online) -> None:
    typed = online.ana.command_data("hero add", {"name": "Dead", "secret_name": "x"})
    options_of(typed)["focused"] = True

    answer = await online.ana.raw(AUTOCOMPLETE, typed)

    assert answer.choices == []
