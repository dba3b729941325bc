"""What the interactions that nobody's client would send are made of."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from io import BytesIO
from typing import Any, Final, TypeAlias

from discord import ui
from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy
from PIL import Image

import cogs.hero
import cogs.mydata
from bot.interactions.form import Form
from tests.wire import Upload
from tests.wire.records import AUTOCOMPLETE, COMPONENT, MODAL, SLASH, Json

BUTTON, SELECT, TEXT_INPUT, LABEL = 2, 3, 4, 18
WHOLE = 4
"""The type of options that are whole numbers."""
ODD: Final = (
    "",
    " ",
    "\x00",
    "a\nb",
    "\ud800",  # half a character; JSON can hold it
    "x\udfff",
    "\u202eevil",
    "\u200b",
    "\U000e0001",
    "ﷺ" * 80,
    "Z͑ͫ̓ͪ̂ͫ̽͏̴̙̤̞͉͚̯̞̠͍A̴̵̜̰͔ͫ͗͢",
    "İ",
    "ß",
    "@everyone <@1> <@&2> <#3>",
    "**`||# [a](https://a.example)",
    "'; DROP TABLE hero; --",
    "%_\\",
    "{0} %s ${x}",
    "-1",
    "1e400",
    "nan",
    "٣",
    "9" * 400,
    "A" * 6000,
)
PRECIOUS: Final = {1: "Precious One", 2: "Precious Two", 3: "Precious Three"}
"""The heroes that must stay as they are, by their number."""
OWN: Final = "Own One"
"""A hero that each sender plays, in the sender's own guild."""
names = st.sampled_from([*PRECIOUS.values(), OWN, OWN])
texts: SearchStrategy[str] = (
    st.sampled_from(ODD) | st.text(max_size=40) | names | st.sampled_from(["prec", "ERASE"])
)


def _picture() -> bytes:
    drawn = BytesIO()
    Image.new("RGB", (4, 3), "red").save(drawn, "PNG")
    return drawn.getvalue()


FILE_ID: Final = "1"
"""Stands for the attachment until the file is uploaded."""
PICTURE: Final = _picture()
FILES: Final = (PICTURE, PICTURE[:-20], PICTURE * 2, b"", b"GIF89a", b"\xff\xd8\xff\xda" * 600, b"<svg/>")


@dataclass(frozen=True)
class People:
    """Who takes part, by id.

    Args:
        victim: whose heroes must stay as they are.
        robber: a member of the victim's guild.
        keeper: a keeper of another guild.
        guilds: the one, and the other.
    """

    victim: int
    robber: int
    keeper: int
    guilds: tuple[int, int]

    @property
    def ids(self) -> list[int]:
        return [self.victim, self.robber, self.keeper, *self.guilds]


@dataclass(frozen=True)
class Nonsense:
    """One interaction.

    Args:
        kind: of the interaction.
        data: its data.
        components: what stands on the message that is clicked.
        by: which of the members sends it: 0 is the robber, 1 the keeper.
        file: what is uploaded for every attachment in `data`.
        claimed: what Discord says of it that is not so.
    """

    kind: int
    data: Json
    components: list[Json] | None = None
    by: int = 0
    file: Upload | None = None
    claimed: Json | None = None

    @property
    def what(self) -> str:
        """What it counts as."""
        if self.kind == SLASH and self.data["type"] != 1:
            return "menus"
        return {SLASH: "commands", AUTOCOMPLETE: "suggestions", COMPONENT: "clicks", MODAL: "forms"}[
            self.kind
        ]

    @property
    def owed(self) -> bool:
        """Whether there must be an answer: it is a command, or a button or form that the bot knows."""
        known = FORMS if self.kind == MODAL else ITEMS
        name = str(self.data.get("custom_id"))
        return self.kind in (SLASH, AUTOCOMPLETE) or any(each.fullmatch(name) for each in known)


def _heirs(kind: type[Any]) -> Iterator[type[Any]]:
    for each in kind.__subclasses__():
        yield each
        yield from _heirs(each)


Items: TypeAlias = dict[re.Pattern[str], int]
"""Patterns of custom ids, each with the type of the component that bears it."""


def _items() -> Items:
    ours = cogs.hero.__package__
    assert ours is not None
    items = [each for each in _heirs(ui.DynamicItem) if each.__module__.startswith(ours)]
    return {
        each.__discord_ui_compiled_template__: SELECT if "Select" in repr(each.__orig_bases__) else BUTTON
        for each in items
        if not each.__subclasses__()
    }


ITEMS = _items()
OFFER: Final = re.compile(r"offer:accept:\d+:\d+:(?P<receiver>\d+)")
FORMS: Items = {each.template: 0 for each in _heirs(Form) if each.__module__.startswith("cogs.")}
assert {each.__module__ for each in _heirs(Form)} >= {cogs.mydata.__name__}
