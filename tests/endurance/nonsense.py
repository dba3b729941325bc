"""What nobody's client would send: interactions of every kind, each a little or altogether wrong.

They are made from the commands that the bot registered and from the patterns of its buttons and forms, so
new ones are tried without a word here. All have the shape that Discord gives them: what discord.py itself
could not read (a command without a name, an option without a type, a click without a message, an unresolved
attachment) is left out, since Discord says that it never comes.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

from discord import ui
from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

import cogs.hero
from bot.form import Form
from tests.wire.records import AUTOCOMPLETE, COMPONENT, MODAL, SLASH, Json

BUTTON, SELECT, TEXT_INPUT, LABEL = 2, 3, 4, 18
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
texts: SearchStrategy[str] = (
    st.sampled_from(ODD) | st.text(max_size=40) | st.sampled_from([*PRECIOUS.values(), "prec"])
)


@dataclass(frozen=True)
class Nonsense:
    """One interaction.

    Args:
        kind: of the interaction.
        data: its data.
        components: what stands on the message that is clicked.
        by: which of the members sends it.
    """

    kind: int
    data: Json
    components: list[Json] | None = None
    by: int = 0

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
FORMS: Items = {each.template: 0 for each in _heirs(Form)}


def nonsense(registered: list[Json], ids: list[int]) -> SearchStrategy[Nonsense]:
    """Interactions of every kind.

    Args:
        registered: the commands that the bot has registered.
        ids: of members and guilds.
    """
    odd = st.sampled_from([*ids, 0, 2**31, 2**53, 10**18 - 1, 2**63 - 1, 2**63, 10**19])
    numbers = (st.sampled_from(list(PRECIOUS)) | odd).map(str)
    return st.one_of(_commands(registered, ids), _clicks(numbers), _submissions(numbers))


def _leaves(node: Json) -> Iterator[tuple[tuple[Json, ...], list[Json]]]:
    """Each command that can be used, as its path from the top, and its options."""
    below = [each for each in node.get("options", ()) if each["type"] in (1, 2)]
    for each in below:
        for path, options in _leaves(each):
            yield (node, *path), options
    if not below:
        yield (node,), list(node.get("options", ()))


def _value(kind: int, ids: list[int]) -> SearchStrategy[Any]:
    whole = st.integers(-(2**53), 2**53) | st.sampled_from([-1, 10**12, 10**30])
    return {
        4: whole,
        5: st.booleans(),
        10: st.floats(allow_nan=False, allow_infinity=False) | whole,
    }.get(kind, texts if kind == 3 else st.sampled_from(ids).map(str))


def _options(specs: list[Json], ids: list[int]) -> SearchStrategy[list[Json]]:
    """Options as declared, of another type, of another name; some missing, in any order, some twice."""
    names = st.sampled_from([spec["name"] for spec in specs] or ["x"]) | st.sampled_from(["nope", "x" * 32])
    # 11, an attachment, comes with a file.
    kinds = st.sampled_from([3, 4, 5, 6, 7, 8, 9, 10])
    stray = st.tuples(names, kinds)
    declared = [st.just((spec["name"], spec["type"] if spec["type"] != 11 else 3)) for spec in specs]
    right = st.tuples(*declared).map(list)
    chosen = right | st.lists(st.one_of(stray, *declared), max_size=5)
    return chosen.flatmap(
        lambda pairs: st.tuples(
            *(
                st.fixed_dictionaries(
                    {"name": st.just(name), "type": st.just(kind), "value": _value(kind, ids)}
                )
                for name, kind in pairs
            )
        ).map(list)
    )


def _people(ids: list[str], *, here: bool) -> Json:
    """What Discord says of the users that are named, who are members of the guild, or not."""
    users: Json = {each: {"id": each, "username": "x", "discriminator": "0", "avatar": None} for each in ids}
    member: Json = {"roles": [], "flags": 0, "joined_at": "2024-01-01T00:00:00+00:00", "permissions": "0"}
    return {"users": users, "members": {each: dict(member) for each in ids if here}}


def _commands(registered: list[Json], ids: list[int]) -> SearchStrategy[Nonsense]:
    leaves = [leaf for command in registered for leaf in _leaves(command) if command["type"] == 1]

    @st.composite
    def command(draw: st.DrawFn) -> Nonsense:
        path, specs = draw(st.sampled_from(leaves))
        options = draw(_options(specs, ids))
        names = [each["name"] for each in path]
        if draw(st.integers(0, 5)) == 0:
            names[draw(st.integers(0, len(names) - 1))] = draw(
                st.sampled_from(["nope", "list", "hero", "ad"])
            )
        kind = draw(st.sampled_from([SLASH, SLASH, SLASH, AUTOCOMPLETE]))
        typing = [each for each in options if each["type"] == 3]
        if kind == AUTOCOMPLETE and typing:
            draw(st.sampled_from(typing))["focused"] = True
        else:
            # Discord asks for suggestions only while somebody types.
            kind = SLASH
        nested = options
        for node, name in zip(path[:0:-1], names[:0:-1], strict=True):
            nested = [{"name": name, "type": node["type"], "options": nested}]
        data: Json = {"id": path[0].get("id", "1"), "name": names[0], "type": 1, "options": nested}
        named = [each["value"] for each in options if each["type"] in (6, 9)]
        if named and kind == SLASH:
            data["resolved"] = _people(named, here=draw(st.booleans()))
        return Nonsense(kind, data, by=draw(st.integers(0, 1)))

    return command()


def _custom_ids(items: Items, numbers: SearchStrategy[str]) -> SearchStrategy[tuple[str, int]]:
    """Forged custom ids, and for which type of component."""

    @st.composite
    def forged(draw: st.DrawFn) -> tuple[str, int]:
        pattern, kind = draw(st.sampled_from(list(items.items())))
        custom_id = draw(st.from_regex(pattern, fullmatch=True))
        if draw(st.booleans()):
            custom_id = re.sub(r"\d+", lambda _: draw(numbers), custom_id)
        return custom_id[:100], kind

    def is_known(text: str) -> bool:
        return any(pattern.fullmatch(text) for pattern in items)

    # Discord knows which component bears an id of ours: only that one can be used.
    unknown = texts.map(lambda text: text[:100] or "x").filter(lambda text: not is_known(text))
    return forged() | st.tuples(unknown, st.sampled_from([BUTTON, SELECT]))


def _clicks(numbers: SearchStrategy[str]) -> SearchStrategy[Nonsense]:
    @st.composite
    def click(draw: st.DrawFn) -> Nonsense:
        custom_id, kind = draw(_custom_ids(ITEMS, numbers))
        used: Json = {"custom_id": custom_id}
        shown: Json = {"type": kind, "id": 2, "custom_id": custom_id}
        if kind == BUTTON:
            shown |= {"style": 2, "label": "x"}
        else:
            shown |= {"options": [{"label": "x", "value": "x"}]}
            used |= {"values": draw(st.lists(texts, min_size=1, max_size=3))}
        components: list[Json] = [{"type": 1, "id": 1, "components": [shown]}]
        return Nonsense(COMPONENT, {"component_type": kind, **used}, components, draw(st.integers(0, 1)))

    # What stands on a message of the bot was put there by the bot: an offer there has been made.
    return click().filter(lambda each: not str(each.data["custom_id"]).startswith("offer:accept"))


def _submissions(numbers: SearchStrategy[str]) -> SearchStrategy[Nonsense]:
    names = st.sampled_from(["name", "secret_name", "age", "description", "x", ""])
    fields = st.fixed_dictionaries(
        {"type": st.just(TEXT_INPUT), "id": st.just(2), "custom_id": names, "value": texts}
    )
    labels = fields.map(lambda field: {"type": LABEL, "id": 1, "component": field})
    data = st.fixed_dictionaries(
        {
            "custom_id": _custom_ids(FORMS, numbers).map(lambda forged: forged[0]),
            "components": st.lists(labels, max_size=6),
        }
    )
    return st.builds(Nonsense, st.just(MODAL), data, by=st.integers(0, 1))
