"""The frame in which the bot shows things."""

from collections.abc import Sequence
from typing import Any, Final

import discord
from discord import ui

ACCENT: Final = discord.Colour(0xC0392B)
"""The colour at the edge of what the bot shows."""


class Panel(ui.LayoutView):
    """Text and controls in a frame of the bot's colour, sent once and never listened to.

    What can be clicked in it are dynamic items, so discord.py need not keep a view of it in memory.

    Args:
        items: what stands in it, from top to bottom; a string is a paragraph in Discord's markup.
        files: what the items show as `attachment://name`.
    """

    def __init__(self, *items: str | ui.Item[Any], files: Sequence[discord.File] = ()) -> None:
        super().__init__(timeout=None)
        self.files = list(files)
        shown = (ui.TextDisplay[Any](item) if isinstance(item, str) else item for item in items)
        self.add_item(ui.Container[Any](*shown, accent_colour=ACCENT))
        self.stop()

    def take_apart(self) -> None:
        """Let go of what stands in it, once it is sent.

        What stands in a frame knows its frame, and things that refer to each other in a circle stay in memory
        until Python halts everything to look for such.
        """
        for item in self.walk_children():
            item._parent = None  # noqa: SLF001 # pyright: ignore[reportPrivateUsage]
        self.clear_items()


def attachment(file: discord.File) -> ui.Item[Any]:
    """What shows, in a panel, a file to be downloaded that is among its `files`."""
    return ui.File[Any](f"attachment://{file.filename}")
