"""A menu of names that come close to what was typed."""

from typing import Any

import discord
from discord import ui

from bot.interactions.answer import answers, asker_of
from bot.interactions.host import Interaction
from bot.interactions.panel import Panel
from bot.interactions.send import Answer, Private, To
from bot.roster.errors import HeroNotFoundError
from bot.roster.lookup import Wanted, find_hero
from bot.text import quote
from cogs.ui.card import load_card
from cogs.ui.menu import Menu


class NearMisses(Menu, template="hero:near"):
    """The menu itself. Picking a name shows the hero's card to everyone."""

    @answers(To.EVERYONE)
    async def picked(self, interaction: Interaction) -> Answer:
        """Show the picked hero, as `/hero find` does."""
        async with interaction.client.db.read() as session:
            hero = await find_hero(session, asker_of(interaction), Wanted(self.value))
            return await load_card(session, hero)


def near_misses(error: HeroNotFoundError) -> Private:
    """Return a private answer that offers names to pick from.

    Args:
        error: one with names that come close.
    """
    options = [discord.SelectOption(label=name, value=name) for name in error.near]
    menu = ui.Select[Any](custom_id="hero:near", placeholder="Pick a hero to show", options=options)
    question = f"No hero here is called {quote(error.name)}. Did you mean one of these?"
    return Private(Panel(question, ui.ActionRow[Any](NearMisses(menu))))
