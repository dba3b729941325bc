"""Buttons that belong to a hero. Each carries its number in the custom id, so it outlives a restart."""

import re
from collections.abc import Coroutine
from typing import Any, Self

import discord
from discord import ui

from bot.interactions.answer import Answer, Interaction, To, answers, asker_of, guild_of
from bot.roster.secrets import read_secret
from bot.text import escape, quote


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
        """A row with nothing but this button."""
        return ui.ActionRow[Any](cls(hero_id))

    @classmethod
    async def from_custom_id(
        cls, interaction: discord.Interaction[Any], item: ui.Item[Any], match: re.Match[str], /
    ) -> Self:
        """Back from a click, maybe on a message from before the last restart."""
        return cls(int(match["id"]))

    async def callback(self, interaction: discord.Interaction[Any]) -> None:
        """Called by discord.py."""
        await self.clicked(interaction)

    def clicked(self, _interaction: Interaction, /) -> Coroutine[Any, Any, None]:
        """Answer the click."""
        raise NotImplementedError


class SecretIdentity(HeroButton, kind="secret"):
    """Shows the secret identity of a hero to whoever clicks, if they may read it."""

    label = "Secret identity"
    emoji = "🎭"

    @answers(To.ASKER)
    async def clicked(self, interaction: Interaction) -> Answer:
        """Tell it privately."""
        return await tell_secret(interaction, self.hero_id)


async def tell_secret(interaction: Interaction, hero_id: int) -> str:
    """A sentence with the secret identity of a hero, for whoever interacts; see `read_secret`."""
    async with interaction.client.db.write() as session:
        hero, secret_name = await read_secret(
            session,
            guild_id=guild_of(interaction),
            hero_id=hero_id,
            asker=asker_of(interaction),
            vault=interaction.client.vault,
            now=interaction.created_at,
        )
    return f"{quote(hero.name)} is secretly **{escape(secret_name)}**."
