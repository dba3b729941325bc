"""The form that edits a hero."""

import re
from typing import Any

import discord

from bot.answer import Answer, Interaction, Private, To, answers, asker_of, guild_of
from bot.db.models import Hero
from bot.form import Form
from bot.panel import Panel
from bot.roster.asker import Asker
from bot.roster.editing import Edit, StaleEditError, edit_hero
from bot.roster.errors import InvalidHeroError, RosterError
from bot.roster.heroes import hero_by_id
from bot.roster.rules import AGE_MAX, DESCRIPTION_MAX, NAME_MAX
from bot.text import escape
from cogs.ui.announce import Announce
from cogs.ui.buttons import HeroButton
from cogs.ui.card import load_card


class EditForm(Form):
    """A hero's fields as they are, to be changed. It remembers which version of the hero it shows.

    Args:
        hero: the hero.
        asker: whoever opens it; only the owner sees the secret identity.
    """

    template = re.compile(r"hero:edit:(?P<id>\d{1,18}):(?P<version>\d{1,9})")

    def __init__(self, hero: Hero, asker: Asker) -> None:
        super().__init__(title="Edit a hero", custom_id=f"hero:edit:{hero.id}:{hero.version}")
        self.add_text("name", "Name", value=hero.name, most=NAME_MAX)
        if asker.id == hero.owner_id:
            self.add_text("secret_name", "Secret identity", value=hero.secret_name, most=NAME_MAX)
        age = None if hero.age is None else str(hero.age)
        self.add_text("age", "Age", hint="In years, or empty", value=age, most=9, required=False)
        self.add_text(
            "description",
            "Description",
            value=hero.description,
            most=DESCRIPTION_MAX,
            required=False,
            paragraph=True,
        )

    @classmethod
    @answers(To.ASKER)
    async def submitted(
        cls, interaction: discord.Interaction[Any], match: re.Match[str], typed: dict[str, str]
    ) -> Answer:
        """Save it, or give back what was typed and say why not."""
        hero_id = int(match["id"])
        asker = asker_of(interaction)
        try:
            edit = Edit(
                name=typed.get("name", ""),
                age=_age(typed.get("age", "")),
                description=typed.get("description"),
                secret_name=typed.get("secret_name"),
            )
            async with interaction.client.db.write() as session:
                hero = await edit_hero(
                    session,
                    guild_id=guild_of(interaction),
                    hero_id=hero_id,
                    version=int(match["version"]),
                    edit=edit,
                    asker=asker,
                    now=interaction.created_at,
                )
                buttons = [Announce(hero.id)] if asker.id == hero.owner_id else []
                return await load_card(session, hero, *buttons, note="Saved.")
        except StaleEditError as error:
            return _given_back(error, typed, hero_id, now=error.hero)
        except RosterError as error:
            return _given_back(error, typed, hero_id)


class EditAgain(HeroButton, kind="edit"):
    """Opens the form with the hero as it is by now."""

    label = "Edit again"

    @answers(To.ASKER)
    async def clicked(self, interaction: Interaction) -> Answer:
        """Open it, if whoever clicks may."""
        async with interaction.client.db.read() as session:
            hero = await hero_by_id(session, guild_id=guild_of(interaction), hero_id=self.hero_id)
        asker = asker_of(interaction)
        asker.require_care_of(hero)
        return EditForm(hero, asker)


def _age(typed: str) -> int | None:
    digits = re.sub(r"[\s,.']", "", typed)
    if not digits:
        return None
    if not re.fullmatch(r"-?[0-9]+", digits):
        raise InvalidHeroError(f"An age is a whole number from 0 to {AGE_MAX:,}, or left empty.")
    return int(digits)


def _given_back(error: RosterError, typed: dict[str, str], hero_id: int, now: Hero | None = None) -> Private:
    """What was wrong, with what one had typed, so that nothing of it is lost."""
    parts = [error.sentence]
    if now is not None:
        current = {"name": now.name, "age": now.age, "description": now.description}
        parts.append("**It is now**\n" + _fields(current))
    parts.append("**You had typed**\n" + _fields(typed))
    return Private(Panel(*parts, EditAgain.in_row(hero_id)))


def _fields(fields: dict[str, Any]) -> str:
    names = {"name": "Name", "secret_name": "Secret identity", "age": "Age", "description": "Description"}
    return "\n".join(
        f"{names[field]}: {escape(str(value))}"
        for field, value in fields.items()
        if field in names and value not in (None, "")
    )
