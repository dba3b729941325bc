"""Showing a card to everyone."""

import discord

from bot.interactions.answer import answers, asker_of
from bot.interactions.faults import Refused
from bot.interactions.host import Interaction
from bot.interactions.send import Answer, To
from bot.roster.heroes import hero_by_id
from cogs.ui.buttons import HeroButton
from cogs.ui.card import load_card


class Announce(HeroButton, kind="announce"):
    """Post a hero's card for everyone."""

    label = "Announce"
    style = discord.ButtonStyle.primary

    @answers(To.EVERYONE)
    async def clicked(self, interaction: Interaction) -> Answer:
        """Post the card, if the member who clicks owns the hero."""
        asker = asker_of(interaction)
        async with interaction.client.db.read() as session:
            hero = await hero_by_id(session, asker, self.hero_id)
            if hero.owner_id != asker.id:
                raise Refused("Only the hero's owner can announce it. `/hero find` shows its card, too.")
            return await load_card(session, hero)
