"""Buttons that belong to a hero. The custom id holds its number, so a button outlives a restart."""

import re
from collections.abc import Coroutine
from typing import Any, Self

import discord
from discord import ui
from typing_extensions import override

from bot.interactions.host import Interaction


class HeroButton(ui.DynamicItem[ui.Button[Any]], template=r"hero:\w+:(?P<id>\d{1,18})"):
    """A button that belongs to one hero, whose number is the last part of its custom id.

    A subclass sets `label`, maybe `style` and `emoji`, and its own template, and answers in `clicked`.

    Args:
        hero_id: the hero's number.
    """

    kind: str
    label: str
    style = discord.ButtonStyle.secondary
    emoji: str | None = None

    def __init__(self, hero_id: int) -> None:
        self.hero_id = hero_id
        custom_id = f"hero:{self.kind}:{hero_id}"
        super().__init__(ui.Button(label=self.label, style=self.style, emoji=self.emoji, custom_id=custom_id))

    def __init_subclass__(cls, *, kind: str) -> None:
        cls.kind = kind
        super().__init_subclass__(template=rf"hero:{kind}:(?P<id>\d{{1,18}})")

    @classmethod
    def in_row(cls, hero_id: int) -> ui.ActionRow[Any]:
        """Return a row with nothing but this button."""
        return ui.ActionRow[Any](cls(hero_id))

    @classmethod
    @override
    async def from_custom_id(
        cls, interaction: discord.Interaction[Any], item: ui.Item[Any], match: re.Match[str], /
    ) -> Self:
        # The message may be older than the last restart.
        return cls(int(match["id"]))

    @override
    async def callback(self, interaction: discord.Interaction[Any]) -> None:
        await self.clicked(interaction)

    def clicked(self, _interaction: Interaction, /) -> Coroutine[Any, Any, None]:
        """Answer the click."""
        raise NotImplementedError
