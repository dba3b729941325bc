"""A menu to pick from that outlives a restart."""

import re
from collections.abc import Coroutine
from typing import Any, Self

import discord
from discord import ui
from typing_extensions import override

from bot.interactions.faults import Refused
from bot.interactions.host import Interaction


class Menu(ui.DynamicItem[ui.Select[Any]], template="menu"):
    """A menu whose picks its class answers. A subclass names its custom id and answers in `picked`."""

    @classmethod
    @override
    async def from_custom_id(
        cls, interaction: discord.Interaction[Any], item: ui.Item[Any], match: re.Match[str], /
    ) -> Self:
        return cls(ui.Select(custom_id=match.string))

    @override
    async def callback(self, interaction: discord.Interaction[Any]) -> None:
        await self.picked(interaction)

    def picked(self, _interaction: Interaction, /) -> Coroutine[Any, Any, None]:
        """Answer the pick, which is `self.value`."""
        raise NotImplementedError

    @property
    def value(self) -> str:
        """Return the picked value.

        Raises:
            Refused: nothing was picked, as when a button has the menu's custom id.
        """
        if not self.item.values:
            raise Refused("This menu is out of date. Please use the command anew.")
        return self.item.values[0]
