"""What can be clicked on cards. Each carries what it needs in its custom id, so it outlives a restart."""

import re
from collections.abc import Coroutine, Sequence
from typing import Any, Self

import discord
from discord import ui

from bot.answer import Answer, Interaction, Private, To, answers, guild_of
from bot.panel import Panel
from bot.roster.errors import NotYoursError
from bot.roster.heroes import hero_by_id, secret_of
from bot.roster.search import find_hero
from bot.text import escape, quote
from cogs.ui.card import hero_card


class HeroButton(ui.DynamicItem[ui.Button[Any]], template=r"hero:\w+:(?P<id>\d{1,18})"):
    """A button that belongs to one hero, whose number is the last part of its custom id."""

    def __init__(self, hero_id: int, button: ui.Button[Any]) -> None:
        super().__init__(button)
        self.hero_id = hero_id

    @classmethod
    async def from_custom_id(
        cls, interaction: discord.Interaction[Any], item: ui.Item[Any], match: re.Match[str], /
    ) -> Self:
        """Back from a click, maybe on a message from before the last restart."""
        assert isinstance(item, ui.Button)
        self = cls.__new__(cls)
        HeroButton.__init__(self, int(match["id"]), item)
        return self

    async def callback(self, interaction: discord.Interaction[Any]) -> None:
        """Called by discord.py."""
        await self.clicked(interaction)

    def clicked(self, _interaction: Interaction, /) -> Coroutine[Any, Any, None]:
        """Answer the click."""
        raise NotImplementedError


class Announce(HeroButton, template=r"hero:announce:(?P<id>\d{1,18})"):
    """Posts the card of a hero for everyone, at the wish of its owner."""

    def __init__(self, hero_id: int) -> None:
        custom_id = f"hero:announce:{hero_id}"
        super().__init__(
            hero_id, ui.Button(label="Announce", style=discord.ButtonStyle.primary, custom_id=custom_id)
        )

    @answers(To.EVERYONE)
    async def clicked(self, interaction: Interaction) -> Answer:
        """Post the card as the hero is now."""
        async with interaction.client.db.read() as session:
            hero = await hero_by_id(session, guild_id=guild_of(interaction), hero_id=self.hero_id)
        if hero.owner_id != interaction.user.id:
            raise NotYoursError("Only the hero's owner can announce it. `/hero find` shows its card, too.")
        return hero_card(hero, SecretIdentity(hero.id))


class SecretIdentity(HeroButton, template=r"hero:secret:(?P<id>\d{1,18})"):
    """Shows the secret identity of a hero to whoever clicks, if they may read it."""

    def __init__(self, hero_id: int) -> None:
        super().__init__(
            hero_id, ui.Button(label="Secret identity", emoji="🎭", custom_id=f"hero:secret:{hero_id}")
        )

    @answers(To.ASKER)
    async def clicked(self, interaction: Interaction) -> Answer:
        """Tell it privately."""
        async with interaction.client.db.read() as session:
            hero = await hero_by_id(session, guild_id=guild_of(interaction), hero_id=self.hero_id)
        secret = secret_of(hero, asker_id=interaction.user.id)
        return f"{quote(hero.name)} is secretly **{escape(secret)}**."


class NearMisses(ui.DynamicItem[ui.Select[Any]], template="hero:near"):
    """A menu of names that come close to what was typed; picking one shows its card to everyone."""

    @classmethod
    def of(cls, names: Sequence[str]) -> Self:
        """A menu of 1 to 25 names."""
        options = [discord.SelectOption(label=name, value=name) for name in names]
        return cls(ui.Select(custom_id="hero:near", placeholder="Pick a hero to show", options=options))

    @classmethod
    async def from_custom_id(
        cls, interaction: discord.Interaction[Any], item: ui.Item[Any], match: re.Match[str], /
    ) -> Self:
        """Back from a pick."""
        assert isinstance(item, ui.Select)
        return cls(item)

    async def callback(self, interaction: discord.Interaction[Any]) -> None:
        """Called by discord.py."""
        await self.picked(interaction)

    @answers(To.EVERYONE)
    async def picked(self, interaction: Interaction) -> Answer:
        """Show the picked hero, as `/hero find` does."""
        async with interaction.client.db.read() as session:
            hero = await find_hero(session, guild_id=guild_of(interaction), name=self.item.values[0])
        return hero_card(hero, SecretIdentity(hero.id))


def near_misses(sentence: str, names: Sequence[str]) -> Private:
    """A private answer that offers names to pick from.

    Args:
        sentence: what it says above the menu.
        names: 1 to 25 names of heroes.
    """
    return Private(Panel(sentence, ui.ActionRow[Any](NearMisses.of(names))))
