"""How a hero is shown, in one place."""

from typing import Any, Final

import discord
from discord import ui

from bot.db.models import Hero
from bot.text import escape

ACCENT: Final = discord.Colour(0xC0392B)
"""The colour at the edge of what the bot shows."""


class Panel(ui.LayoutView):
    """Text and controls in a frame of the bot's colour, sent once and never listened to.

    What can be clicked in it are dynamic items, so discord.py keeps no view of it in memory.

    Args:
        items: what stands in it, from top to bottom; a string is a paragraph in Discord's markup.
    """

    def __init__(self, *items: str | ui.Item[Any]) -> None:
        super().__init__(timeout=None)
        shown = (ui.TextDisplay[Any](item) if isinstance(item, str) else item for item in items)
        self.add_item(ui.Container[Any](*shown, accent_colour=ACCENT))


def facts(hero: Hero) -> str:
    """One line of what is known about a hero: age, who plays it and since when."""
    since = discord.utils.format_dt(hero.created_at, "D")
    played = f"Played by <@{hero.owner_id}> since {since}"
    return played if hero.age is None else f"**Age** {hero.age:,} · {played}"


def hero_card(hero: Hero, *buttons: ui.Item[Any]) -> Panel:
    """A hero's card: name, description, facts, and the buttons that fit where it is shown.

    Args:
        hero: the hero; its secret identity is never on the card.
        buttons: 1 to 5 things to do with it, or none.
    """
    paragraphs = [f"## {escape(hero.name)}", facts(hero)]
    if hero.description is not None:
        paragraphs.insert(1, escape(hero.description))
    return Panel(*paragraphs, *([ui.ActionRow[Any](*buttons)] if buttons else []))
