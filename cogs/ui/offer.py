"""Handing a hero over: the offer that its receiver accepts in the channel."""

import re
from typing import Any, Self

import discord
from discord import ui

from bot.db.models import Hero
from bot.interactions.answer import Answer, Interaction, To, answers, asker_of, guild_of
from bot.interactions.panel import Panel
from bot.roster.errors import NotYoursError
from bot.roster.ownership import OFFER_STANDS_FOR, accept_offer
from bot.text import quote
from cogs.ui.card import load_card


class OfferButton(
    ui.DynamicItem[ui.Button[Any]],
    template=r"offer:(?P<answer>accept|decline):(?P<hero>\d{1,18}):(?P<owner>\d{1,19}):(?P<receiver>\d{1,19})",
):
    """Accepts or declines an offer. Who offers what to whom stands in the custom id.

    Args:
        button: as shown.
        match: of its custom id.
    """

    def __init__(self, button: ui.Button[Any], match: re.Match[str]) -> None:
        super().__init__(button)
        self.accepts = match["answer"] == "accept"
        self.hero_id = int(match["hero"])
        self.owner_id = int(match["owner"])
        self.receiver_id = int(match["receiver"])

    @classmethod
    def to(cls, answer: str, hero: Hero, receiver_id: int) -> Self:
        """The button that answers `accept` or `decline` to the offer of that hero."""
        custom_id = f"offer:{answer}:{hero.id}:{hero.owner_id}:{receiver_id}"
        match = cls.__discord_ui_compiled_template__.fullmatch(custom_id)
        assert match is not None
        style = discord.ButtonStyle.success if answer == "accept" else discord.ButtonStyle.secondary
        return cls(ui.Button(label=answer.capitalize(), style=style, custom_id=custom_id), match)

    @classmethod
    async def from_custom_id(
        cls, interaction: discord.Interaction[Any], item: ui.Item[Any], match: re.Match[str], /
    ) -> Self:
        """Back from a click."""
        return cls(ui.Button(custom_id=match.string), match)

    async def callback(self, interaction: discord.Interaction[Any]) -> None:
        """Called by discord.py."""
        await self.clicked(interaction)

    @answers(To.MESSAGE)
    async def clicked(self, interaction: Interaction) -> Answer:
        """Settle the offer, if it is the clicker's to settle."""
        if not self.accepts:
            return self._decline(interaction.user.id)
        assert interaction.message is not None, "a button stands on a message"
        async with interaction.client.db.write() as session:
            hero = await accept_offer(
                session,
                guild_id=guild_of(interaction),
                hero_id=self.hero_id,
                owner_id=self.owner_id,
                receiver_id=self.receiver_id,
                offered_at=interaction.message.created_at,
                asker=asker_of(interaction),
                now=interaction.created_at,
            )
            note = f"<@{self.owner_id}> has handed this hero over to <@{self.receiver_id}>."
            return await load_card(session, hero, note=note)

    def _decline(self, asker_id: int) -> Panel:
        if asker_id == self.receiver_id:
            return Panel(f"<@{self.receiver_id}> has declined. The hero stays with <@{self.owner_id}>.")
        if asker_id == self.owner_id:
            return Panel(f"<@{self.owner_id}> has withdrawn the offer, and keeps the hero.")
        raise NotYoursError(f"This offer is between <@{self.owner_id}> and <@{self.receiver_id}>.")


def offer_panel(hero: Hero, receiver_id: int) -> Panel:
    """The question to the receiver, for the channel to see."""
    return Panel(
        f"<@{receiver_id}>, do you want to play {quote(hero.name)}? <@{hero.owner_id}> offers it to you.",
        "-# Its secret identity comes with it. "
        f"The offer stands for {OFFER_STANDS_FOR.total_seconds() / 3600:.0f} hours.",
        ui.ActionRow[Any](
            OfferButton.to("accept", hero, receiver_id), OfferButton.to("decline", hero, receiver_id)
        ),
    )
