"""The limit: a bot that answers at once with what ours would show, and touches no database.

It runs as ours does, so that nothing but the work makes the difference.
"""

import discord
import uvloop
from discord import app_commands

from bot.operator.run import tune_garbage_collection
from tests.bench.bare import BareBot
from tests.bench.looks import card, page

Interaction = discord.Interaction[BareBot]


hero = app_commands.Group(name="hero", description="The heroes of this server.")


@hero.command()
async def add(
    interaction: Interaction,
    name: str,
    secret_name: str,  # noqa: ARG001 - the command has it
    age: int | None = None,
    description: str | None = None,
) -> None:
    """Answer as if a hero had been added."""
    view = card(name, description, age, interaction.user.id, "Announce")
    await interaction.response.send_message(view=view, ephemeral=True)


@hero.command()
async def find(interaction: Interaction, name: str) -> None:
    """Answer as if a hero had been found."""
    await interaction.response.send_message(view=card(name, "Says little.", 48, interaction.user.id))


@find.autocomplete("name")
async def suggest(_: Interaction, typed: str) -> list[app_commands.Choice[str]]:
    return [app_commands.Choice(name=f"{typed} {number}", value=f"{typed} {number}") for number in range(10)]


@hero.command(name="list")
async def list_(interaction: Interaction) -> None:
    """Answer as if heroes had been listed."""
    heroes = [(f"Hero {number}", 48, interaction.user.id) for number in range(10)]
    await interaction.response.send_message(view=page(100, heroes))


if __name__ == "__main__":
    bot = BareBot()
    bot.tree.add_command(hero)
    tune_garbage_collection()
    bot.start_now(uvloop.run)
