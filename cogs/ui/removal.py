"""Removing a hero and bringing it back."""

import re
from typing import Any

import discord
from discord import ui
from typing_extensions import override

from bot.db.models import Hero
from bot.interactions.answer import answers, asker_of
from bot.interactions.form import Form
from bot.interactions.host import Interaction
from bot.interactions.panel import Panel
from bot.interactions.send import Answer, To
from bot.interactions.sentences import sentence_of
from bot.roster.errors import NameTakenError
from bot.roster.removal import KEPT_FOR, remove_hero, restore_hero
from bot.roster.rules import MAX_NAME
from bot.text import quote
from cogs.ui.buttons import HeroButton
from cogs.ui.card import load_card


class Remove(HeroButton, kind="remove"):
    """Remove the hero that the question names."""

    label = "Remove"
    style = discord.ButtonStyle.danger

    @answers(To.MESSAGE)
    async def clicked(self, interaction: Interaction) -> Answer:
        """Remove the hero, if the member who clicks may, and offer to undo that."""
        async with interaction.client.db.write() as session:
            hero = await remove_hero(session, asker_of(interaction), self.hero_id)
        return Panel(
            f"{quote(hero.name)} is removed.",
            f"-# You can undo this for {KEPT_FOR.days} days, here or with `/hero restore`.",
            Undo.in_row(hero.id),
        )


class Keep(HeroButton, kind="keep"):
    """Keep the hero that the question names."""

    label = "Keep"

    @answers(To.MESSAGE)
    async def clicked(self, interaction: Interaction) -> Answer:
        """Answer that nothing was removed."""
        return Panel("Nothing was removed.")


class Undo(HeroButton, kind="undo"):
    """Restore a removed hero."""

    label = "Undo"

    @answers(To.ASKER)
    async def clicked(self, interaction: Interaction) -> Answer:
        """Restore the hero, or ask for a new name if another hero has taken its name."""
        return await bring_back(interaction, self.hero_id)


class NewNameForm(Form):
    """The form that asks for a new name for a removed hero, whose own another hero has taken.

    Args:
        hero_id: the hero's number.
    """

    template = re.compile(r"hero:rename:(?P<id>\d{1,18})")

    def __init__(self, hero_id: int) -> None:
        super().__init__(title="Its name was taken meanwhile", custom_id=f"hero:rename:{hero_id}")
        self.add_text("name", "A new name for this hero", most=MAX_NAME)

    @classmethod
    @override
    @answers(To.ASKER)
    async def submitted(
        cls, interaction: discord.Interaction[Any], match: re.Match[str], typed: dict[str, str]
    ) -> Answer:
        return await bring_back(interaction, int(match["id"]), new_name=typed.get("name", ""))


def ask_before_removing(hero: Hero) -> Panel:
    """Return the question that `/hero remove` asks."""
    question = f"Remove {quote(hero.name)} from the roster?"
    kept = f"-# It can be brought back for {KEPT_FOR.days} days."
    return Panel(question, kept, ui.ActionRow[Any](Remove(hero.id), Keep(hero.id)))


async def bring_back(interaction: Interaction, hero_id: int, new_name: str | None = None) -> Answer:
    """Restore a hero for the asker; see `restore_hero`.

    Returns:
        Its card, or the form that asks for a new name if its own is taken.
    """
    try:
        async with interaction.client.db.write() as session:
            hero = await restore_hero(session, asker_of(interaction), hero_id, new_name=new_name)
            return await load_card(session, hero, note="It is back in the roster.")
    except NameTakenError as error:
        if interaction.type is discord.InteractionType.modal_submit:
            # Discord opens no form as the answer to a form.
            return Panel(sentence_of(error), Undo.in_row(hero_id))
        return NewNameForm(hero_id)
