"""A menu to pick from, which outlives a restart."""

import re
from collections.abc import Coroutine
from typing import Any, Self

import discord
from discord import ui

from bot.interactions.answer import Interaction
from bot.roster.errors import RosterError


class Menu(ui.DynamicItem[ui.Select[Any]], template="menu"):
    """A menu whose picks its class answers. A subclass names its custom id and answers in `picked`."""

    @classmethod
    async def from_custom_id(
        cls, interaction: discord.Interaction[Any], item: ui.Item[Any], match: re.Match[str], /
    ) -> Self:
        """Back from a pick."""
        return cls(ui.Select(custom_id=match.string))

    async def callback(self, interaction: discord.Interaction[Any]) -> None:
        """Called by discord.py."""
        await self.picked(interaction)

    def picked(self, _interaction: Interaction, /) -> Coroutine[Any, Any, None]:
        """Answer the pick, which is in `self.value`."""
        raise NotImplementedError

    @property
    def value(self) -> str:
        """What was picked.

        Raises:
            RosterError: nothing was, as when a button bears the menu's custom id.
        """
        if not self.item.values:
            raise RosterError("This menu is out of date. Please use the command anew.")
        return self.item.values[0]
