"""Forms that work after a restart: the custom id says what a form belongs to."""

import re
from collections.abc import Coroutine
from typing import Any, ClassVar

import discord
from discord import ui


class Form(ui.Modal):
    """A form whose submission is handled by its class, not by the object that was shown.

    discord.py would keep each shown form in memory until it is submitted, if ever, and forget it at a
    restart. A subclass names the custom ids that are its own and decorates `submitted` with `answers`.

    Args:
        title: 1-45 characters.
        custom_id: 1-100 characters that `template` matches.
    """

    template: ClassVar[re.Pattern[str]]

    def __init__(self, *, title: str, custom_id: str) -> None:
        super().__init__(title=title, custom_id=custom_id, timeout=None)
        self.stop()

    def add_text(
        self,
        name: str,
        label: str,
        *,
        value: str | None = None,
        hint: str | None = None,
        most: int,
        required: bool = True,
        paragraph: bool = False,
    ) -> None:
        """Add a field for text.

        Args:
            name: under which `submitted` gets what was typed.
            label: shown above it, 1-45 characters.
            value: the text that the field holds already.
            hint: shown below the label, up to 100 characters.
            most: the most characters it takes, 1-4,000. Declared, unlike a command's: when a form is refused,
                what was typed is lost.
            required: whether it may stay empty.
            paragraph: whether it has several lines.
        """
        style = discord.TextStyle.paragraph if paragraph else discord.TextStyle.short
        field = ui.TextInput[Any](
            custom_id=name, default=value, max_length=most, required=required, style=style
        )
        self.add_item(ui.Label(text=label, description=hint, component=field))

    @classmethod
    def submitted(
        cls, interaction: discord.Interaction[Any], /, match: re.Match[str], typed: dict[str, str]
    ) -> Coroutine[Any, Any, None]:
        """Handle a submission.

        Args:
            interaction: to answer.
            match: the match of the custom id with `template`.
            typed: the text of each field, by its name.
        """
        raise NotImplementedError


def typed_in(data: Any) -> dict[str, str]:
    """Return the text that was typed into each field of a submitted form, by the field's custom id."""
    typed: dict[str, str] = {}
    for part in data.get("components", ()):
        field = part.get("component", part)
        if isinstance(field.get("value"), str):
            typed[field["custom_id"]] = field["value"]
        typed |= typed_in(field)
    return typed
