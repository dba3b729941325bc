"""How a hero is shown, in one place."""

from typing import Any

import discord
from discord import ui

from bot.db.models import Hero
from bot.panel import Panel
from bot.text import escape


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
