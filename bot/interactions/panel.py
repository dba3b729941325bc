"""The frame in which the bot shows things."""

from collections.abc import Sequence
from typing import Any, Final

import discord
from discord import ui

ACCENT: Final = discord.Colour(0xC0392B)
"""The colour at the edge of what the bot shows."""


class Panel(ui.LayoutView):
    """Text and controls in a frame of the bot's colour, sent once and never listened to.

    Its controls are dynamic items, so discord.py need not keep a view of it in memory.

    Args:
        items: its parts, from top to bottom; a string is a paragraph in Discord's markup.
        files: the files that the items show as `attachment://name`.
    """

    def __init__(self, *items: str | ui.Item[Any], files: Sequence[discord.File] = ()) -> None:
        super().__init__(timeout=None)
        self.files = list(files)
        shown = (ui.TextDisplay[Any](item) if isinstance(item, str) else item for item in items)
        self.add_item(ui.Container[Any](*shown, accent_colour=ACCENT))
        self.stop()


def attachment(file: discord.File) -> ui.Item[Any]:
    """Return an item that offers one of a panel's `files` for download."""
    return ui.File[Any](f"attachment://{file.filename}")
