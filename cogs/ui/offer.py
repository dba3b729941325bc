"""Handing a hero over: the offer that its receiver accepts in the channel."""

import re
from typing import Any, Final, Self

import discord
from discord import ui
from typing_extensions import override

from bot.db.models import Hero
from bot.interactions.answer import answers, asker_of
from bot.interactions.faults import Refused
from bot.interactions.host import Interaction
from bot.interactions.panel import Panel
from bot.interactions.send import Answer, To
from bot.roster.ownership import OFFER_LASTS, accept_offer
from bot.text import quote
from cogs.ui.card import load_card

_TEMPLATE: Final = re.compile(
    r"offer:(?P<choice>accept|decline):(?P<hero>\d{1,18}):(?P<owner>\d{1,19}):(?P<receiver>\d{1,19})"
)


class OfferButton(ui.DynamicItem[ui.Button[Any]], template=_TEMPLATE):
    """Accept or decline an offer. The custom id holds the hero, the owner and the receiver.

    Args:
        choice: `accept` or `decline`.
        hero_id: the hero's number.
        owner_id: the member who offers it.
        receiver_id: the member it is offered to.
    """

    def __init__(self, choice: str, *, hero_id: int, owner_id: int, receiver_id: int) -> None:
        style = discord.ButtonStyle.success if choice == "accept" else discord.ButtonStyle.secondary
        custom_id = f"offer:{choice}:{hero_id}:{owner_id}:{receiver_id}"
        super().__init__(ui.Button(label=choice.capitalize(), style=style, custom_id=custom_id))
        self.accepts = choice == "accept"
        self.hero_id = hero_id
        self.owner_id = owner_id
        self.receiver_id = receiver_id

    @classmethod
    @override
    async def from_custom_id(
        cls, interaction: discord.Interaction[Any], item: ui.Item[Any], match: re.Match[str], /
    ) -> Self:
        numbers = {f"{part}_id": int(match[part]) for part in ("hero", "owner", "receiver")}
        return cls(match["choice"], **numbers)

    @override
    async def callback(self, interaction: discord.Interaction[Any]) -> None:
        await self.clicked(interaction)

    @answers(To.MESSAGE)
    async def clicked(self, interaction: Interaction) -> Answer:
        """Settle the offer, if the member who clicks may."""
        if not self.accepts:
            return self._decline(interaction.user.id)
        assert interaction.message is not None, "a button is part of a message"
        async with interaction.client.db.write() as session:
            hero = await accept_offer(
                session,
                asker_of(interaction),
                self.hero_id,
                owner_id=self.owner_id,
                receiver_id=self.receiver_id,
                offered_at=interaction.message.created_at,
            )
            note = f"<@{self.owner_id}> has handed this hero over to <@{self.receiver_id}>."
            return await load_card(session, hero, note=note)

    def _decline(self, asker_id: int) -> Panel:
        if asker_id == self.receiver_id:
            return Panel(f"<@{self.receiver_id}> has declined. The hero stays with <@{self.owner_id}>.")
        if asker_id == self.owner_id:
            return Panel(f"<@{self.owner_id}> has withdrawn the offer, and keeps the hero.")
        raise Refused(f"This offer is between <@{self.owner_id}> and <@{self.receiver_id}>.")


def offer_panel(hero: Hero, receiver_id: int) -> Panel:
    """Return the question to the receiver, for the channel to see."""
    accept, decline = (
        OfferButton(choice, hero_id=hero.id, owner_id=hero.owner_id, receiver_id=receiver_id)
        for choice in ("accept", "decline")
    )
    return Panel(
        f"<@{receiver_id}>, do you want to play {quote(hero.name)}? <@{hero.owner_id}> offers it to you.",
        "-# Its secret identity comes with it. "
        f"The offer stands for {OFFER_LASTS.total_seconds() / 3600:.0f} hours.",
        ui.ActionRow[Any](accept, decline),
    )
