"""Showing a card to everyone."""

import discord

from bot.interactions.answer import Answer, Interaction, To, answers, guild_of
from bot.roster.errors import NotYoursError
from bot.roster.heroes import hero_by_id
from cogs.ui.buttons import HeroButton
from cogs.ui.card import load_card


class Announce(HeroButton, kind="announce"):
    """Posts the card of a hero for everyone, at the wish of its owner."""

    label = "Announce"
    style = discord.ButtonStyle.primary

    @answers(To.EVERYONE)
    async def clicked(self, interaction: Interaction) -> Answer:
        """Post the card as the hero is now."""
        async with interaction.client.db.read() as session:
            hero = await hero_by_id(session, guild_id=guild_of(interaction), hero_id=self.hero_id)
            if hero.owner_id != interaction.user.id:
                raise NotYoursError(
                    "Only the hero's owner can announce it. `/hero find` shows its card, too."
                )
            return await load_card(session, hero)
