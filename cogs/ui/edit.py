"""The form that edits a hero."""

import re
from typing import Any

import discord
from sqlmodel.ext.asyncio.session import AsyncSession

from bot.db.models import Hero
from bot.interactions.answer import Answer, Interaction, Private, To, answers, asker_of, guild_of
from bot.interactions.form import TITLE_MOST, Form
from bot.interactions.panel import Panel
from bot.roster.editing import Edit, StaleEditError, edit_hero
from bot.roster.errors import InvalidHeroError, RosterError
from bot.roster.heroes import hero_by_id
from bot.roster.rules import AGE_MAX, DESCRIPTION_MAX, NAME_MAX
from bot.roster.secrets import may_read_secret, read_secret
from bot.text import escape
from cogs.ui.announce import Announce
from cogs.ui.buttons import HeroButton
from cogs.ui.card import load_card

_NOW_MOST, _TYPED_MOST = 1_200, 2_500
"""A message takes 4,000 characters, and escaping can double a text: what one typed has the greater claim."""


class EditForm(Form):
    """A hero's fields as they are, to be changed. It remembers which version of the hero it shows.

    Args:
        hero: the hero.
        secret_name: the secret identity, for whoever may read it; None for others.
    """

    template = re.compile(r"hero:edit:(?P<id>\d{1,18}):(?P<version>\d{1,9})")

    def __init__(self, hero: Hero, secret_name: str | None) -> None:
        title = f"Edit {hero.name}"
        super().__init__(
            title=title if len(title) <= TITLE_MOST else "Edit a hero",
            custom_id=f"hero:edit:{hero.id}:{hero.version}",
        )
        self.add_text("name", "Name", value=hero.name, most=NAME_MAX)
        if secret_name is not None:
            self.add_text(
                "secret_name",
                "Secret identity",
                hint="Only you and whom you trust can read it",
                value=secret_name,
                most=NAME_MAX,
            )
        age = None if hero.age is None else str(hero.age)
        self.add_text(
            "age", "Age", hint="In years; empty if it is unknown", value=age, most=9, required=False
        )
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
                    vault=interaction.client.vault,
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

    label = "Open the form again"

    @answers(To.ASKER)
    async def clicked(self, interaction: Interaction) -> Answer:
        """Open it, if whoever clicks may."""
        async with interaction.client.db.write() as session:
            hero = await hero_by_id(session, guild_id=guild_of(interaction), hero_id=self.hero_id)
            return await edit_form(session, interaction, hero)


async def edit_form(session: AsyncSession, interaction: Interaction, hero: Hero) -> EditForm:
    """The form for whoever interacts, with the secret identity if they may read it.

    Args:
        session: one that writes: that a confidant looked is kept.
        interaction: of the asker.
        hero: the hero.

    Raises:
        NotYoursError: the asker is neither its owner nor a keeper.
    """
    asker = asker_of(interaction)
    asker.require_care_of(hero)
    if not await may_read_secret(session, hero, asker):
        return EditForm(hero, None)
    _, secret_name = await read_secret(
        session,
        guild_id=hero.guild_id,
        hero_id=hero.id,
        asker=asker,
        vault=interaction.client.vault,
        now=interaction.created_at,
    )
    return EditForm(hero, secret_name)


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
        parts.append(("**It is now**\n" + _fields(current))[:_NOW_MOST])
    parts.append(("**You had typed** (copy it from here)\n" + _fields(typed))[:_TYPED_MOST])
    return Private(Panel(*parts, EditAgain.in_row(hero_id)))


def _fields(fields: dict[str, Any]) -> str:
    names = {"name": "Name", "secret_name": "Secret identity", "age": "Age", "description": "Description"}
    return "\n".join(
        f"{names[field]}: {escape(str(value))}"
        for field, value in fields.items()
        if field in names and value not in (None, "")
    )
