"""Buttons that turn pages, for everybody who sees them, also after a restart and when the list changed."""

import re
from collections.abc import Coroutine
from typing import Any, Final, Self

import discord
from discord import ui
from typing_extensions import override

from bot.interactions.host import Interaction
from bot.roster.page import Page

_LAST: Final = 999_999
"""Beyond every page; the roster answers with the last one."""
_MOVES: Final = {"first": "First", "back": "Back", "next": "Next", "last": "Last"}


class PageButton(ui.DynamicItem[ui.Button[Any]], template=r"\w+:(?P<move>\w+):(?P<page>\d{1,6}):(?P<key>.*)"):
    """A button that turns the pages of one list.

    A subclass names the `kind` of list and the pattern of the `key` that says which one.

    Args:
        button: as shown.
        page: the page that it leads to.
        key: the list, among those of its kind.
    """

    kind: str

    def __init__(self, button: ui.Button[Any], page: int, key: str) -> None:
        super().__init__(button)
        self.page = page
        self.key = key

    def __init_subclass__(cls, *, kind: str, key: str) -> None:
        cls.kind = kind
        moves = "|".join(_MOVES)
        super().__init_subclass__(template=rf"{kind}:(?P<move>{moves}):(?P<page>\d{{1,6}}):(?P<key>{key})")

    @classmethod
    @override
    async def from_custom_id(
        cls, interaction: discord.Interaction[Any], item: ui.Item[Any], match: re.Match[str], /
    ) -> Self:
        button = ui.Button[Any](custom_id=match.string)
        return cls(button, _target(match["move"], int(match["page"])), match["key"])

    @classmethod
    def rows(cls, page: Page[Any], key: str) -> list[ui.ActionRow[Any]]:
        """Return the buttons First, Back, Next and Last; nothing if there is one page.

        Args:
            page: the page below which they are shown.
            key: the list, among those of the kind; matches the pattern of the class.
        """
        if page.pages == 1:
            return []
        buttons: list[ui.Item[Any]] = []
        for move, label in _MOVES.items():
            no_move = page.number == (1 if move in ("first", "back") else page.pages)
            button = ui.Button[Any](
                label=label, disabled=no_move, custom_id=f"{cls.kind}:{move}:{page.number}:{key}"
            )
            buttons.append(cls(button, _target(move, page.number), key))
        return [ui.ActionRow[Any](*buttons)]

    @override
    async def callback(self, interaction: discord.Interaction[Any]) -> None:
        await self.turned(interaction)

    def turned(self, _interaction: Interaction, /) -> Coroutine[Any, Any, None]:
        """Show `page` of the list that `key` names."""
        raise NotImplementedError


def _target(move: str, page: int) -> int:
    return {"first": 1, "back": page - 1, "next": page + 1, "last": _LAST}[move]
