"""The card of a hero, in one place."""

import io
from typing import Any

import discord
from discord import ui
from sqlmodel.ext.asyncio.session import AsyncSession

from bot.db.models import Hero
from bot.interactions.panel import Panel
from bot.roster.portraits import portrait_of
from bot.text import escape
from cogs.ui.secret import SecretIdentity

_PORTRAIT = "portrait.webp"


def facts(hero: Hero) -> str:
    """Return one line about a hero: age, who plays it, and since when it is in the roster."""
    since = discord.utils.format_dt(hero.created_at, "D")
    played = f"Played by <@{hero.owner_id}> · here since {since}"
    return played if hero.age is None else f"**Age** {hero.age:,} · {played}"


def hero_card(hero: Hero, *buttons: ui.Item[Any], portrait: bytes | None = None, note: str = "") -> Panel:
    """Return a hero's card: name, description, facts, portrait, and buttons.

    Args:
        hero: the hero; its secret identity is never on the card.
        buttons: up to 5 things to do with it.
        portrait: WebP.
        note: a line above the card that says what has just happened.
    """
    paragraphs = [f"## {escape(hero.name)}", facts(hero)]
    if hero.description is not None:
        paragraphs.insert(1, escape(hero.description))
    if note:
        paragraphs.insert(0, f"-# {note}")
    row = [ui.ActionRow[Any](*buttons)] if buttons else []
    if portrait is None:
        return Panel(*paragraphs, *row)
    text = ui.TextDisplay[Any]("\n".join(paragraphs))
    picture = ui.Thumbnail[Any](f"attachment://{_PORTRAIT}", description="The hero's portrait")
    file = discord.File(io.BytesIO(portrait), _PORTRAIT)
    return Panel(ui.Section[Any](text, accessory=picture), *row, files=[file])


async def load_card(session: AsyncSession, hero: Hero, *buttons: ui.Item[Any], note: str = "") -> Panel:
    """Return a hero's card with its portrait, and a button for the secret identity after the others.

    Args:
        session: one that reads.
        hero: see `hero_card`.
        buttons: see `hero_card`; up to 4.
        note: see `hero_card`.
    """
    portrait = await portrait_of(session, hero)
    return hero_card(hero, *buttons, SecretIdentity(hero.id), portrait=portrait, note=note)
