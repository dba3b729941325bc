"""The form that edits a hero."""

import re
from typing import Any

import discord
from sqlmodel.ext.asyncio.session import AsyncSession
from typing_extensions import override

from bot.db.models import Hero
from bot.discord_limits import MAX_FORM_TITLE
from bot.interactions.answer import answers, asker_of
from bot.interactions.faults import Refused, excuse
from bot.interactions.form import Form
from bot.interactions.host import Interaction
from bot.interactions.panel import Panel
from bot.interactions.send import Answer, Private, To
from bot.roster.asker import Asker, Right
from bot.roster.editing import Edit, StaleEditError, edit_hero
from bot.roster.errors import RosterError
from bot.roster.heroes import hero_by_id
from bot.roster.rules import MAX_AGE, MAX_DESCRIPTION, MAX_NAME
from bot.roster.secrets import may_read_secret, read_secret
from bot.roster.vault import Vault
from bot.text import escape
from cogs.ui.announce import Announce
from cogs.ui.buttons import HeroButton
from cogs.ui.card import load_card

_MAX_CURRENT, _MAX_TYPED = 1_200, 2_500
"""Characters. A message takes 4,000, and escaping can double a text: what was typed has the greater claim."""


class EditForm(Form):
    """A hero's fields as they are, to be changed. Its custom id holds which version of the hero it shows.

    Args:
        hero: the hero.
        secret_name: the secret identity, if the asker may read it.
    """

    template = re.compile(r"hero:edit:(?P<id>\d{1,18}):(?P<version>\d{1,9})")

    def __init__(self, hero: Hero, secret_name: str | None) -> None:
        title = f"Edit {hero.name}"
        super().__init__(
            title=title if len(title) <= MAX_FORM_TITLE else "Edit a hero",
            custom_id=f"hero:edit:{hero.id}:{hero.version}",
        )
        self.add_text("name", "Name", value=hero.name, most=MAX_NAME)
        if secret_name is not None:
            self.add_text(
                "secret_name",
                "Secret identity",
                hint="Only you and whom you trust can read it",
                value=secret_name,
                most=MAX_NAME,
            )
        age = None if hero.age is None else str(hero.age)
        self.add_text(
            "age", "Age", hint="In years; empty if it is unknown", value=age, most=9, required=False
        )
        self.add_text(
            "description",
            "Description",
            value=hero.description,
            most=MAX_DESCRIPTION,
            required=False,
            paragraph=True,
        )

    @classmethod
    @override
    @answers(To.ASKER)
    async def submitted(
        cls, interaction: discord.Interaction[Any], match: re.Match[str], typed: dict[str, str]
    ) -> Answer:
        hero_id, bot, asker = int(match["id"]), interaction.client, asker_of(interaction)
        try:
            edit = Edit(
                version=int(match["version"]),
                name=typed.get("name", ""),
                age=_age(typed.get("age", "")),
                description=typed.get("description"),
                secret_name=typed.get("secret_name"),
            )
            async with bot.db.write() as session:
                hero = await edit_hero(session, asker, bot.vault, hero_id, edit)
                buttons = [Announce(hero.id)] if asker.id == hero.owner_id else []
                return await load_card(session, hero, *buttons, note="Saved.")
        except (RosterError, Refused) as error:
            current = error.hero if isinstance(error, StaleEditError) else None
            return _given_back(excuse(interaction, error), typed, hero_id, current)


class EditAgain(HeroButton, kind="edit"):
    """Open the form with the hero as it is now."""

    label = "Open the form again"

    @answers(To.ASKER)
    async def clicked(self, interaction: Interaction) -> Answer:
        """Open the form, if the member who clicks may edit the hero."""
        asker = asker_of(interaction)
        async with interaction.client.db.write() as session:
            hero = await hero_by_id(session, asker, self.hero_id, Right.OWNER_OR_KEEPER)
            return await edit_form(session, asker, interaction.client.vault, hero)


async def edit_form(session: AsyncSession, asker: Asker, vault: Vault, hero: Hero) -> EditForm:
    """Return the form for the asker, with the secret identity if they may read it.

    Args:
        session: one that writes: if a confidant looks, the history says so.
        asker: who edits, whose right was checked before.
        vault: unseals the secret identity.
        hero: the hero.
    """
    if not await may_read_secret(session, asker, hero):
        return EditForm(hero, None)
    _, secret_name = await read_secret(session, asker, vault, hero.id)
    return EditForm(hero, secret_name)


def _age(typed: str) -> int | None:
    digits = re.sub(r"[\s,.']", "", typed)
    if not digits:
        return None
    if not re.fullmatch(r"-?[0-9]+", digits):
        raise Refused(f"An age is a whole number from 0 to {MAX_AGE:,}, or left empty.")
    return int(digits)


def _given_back(sentence: str, typed: dict[str, str], hero_id: int, current: Hero | None) -> Private:
    """Return the sentence along with the typed text, so that nothing of it is lost."""
    parts = [sentence]
    if current is not None:
        fields = {"name": current.name, "age": current.age, "description": current.description}
        parts.append(("**It is now**\n" + _fields(fields))[:_MAX_CURRENT])
    parts.append(("**You had typed** (copy it from here)\n" + _fields(typed))[:_MAX_TYPED])
    return Private(Panel(*parts, EditAgain.in_row(hero_id)))


def _fields(fields: dict[str, Any]) -> str:
    names = {"name": "Name", "secret_name": "Secret identity", "age": "Age", "description": "Description"}
    return "\n".join(
        f"{names[field]}: {escape(str(value))}"
        for field, value in fields.items()
        if field in names and value not in (None, "")
    )
