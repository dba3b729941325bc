"""What nobody's client would send: interactions of every kind, each a little or altogether wrong.

They are made from the commands that the bot registered and from the patterns of its buttons and forms, so
new ones are tried without a word here. All have the shape that Discord gives them: what discord.py itself
could not read (a command without a name, an option without a type, a click without a message, an unresolved
attachment or target) is left out, since Discord says that it never comes.
"""

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


def nonsense(registered: list[Json], people: People) -> SearchStrategy[Nonsense]:
    """Interactions of every kind.

    Args:
        registered: the commands that the bot has registered.
        people: who take part.
    """
    commands, clicks, forms = _commands(registered, people.ids), _clicks(people), _submissions(people)
    shares = [commands] * 4 + [clicks] * 3 + [forms] * 2 + [_menus(registered, people.ids)]
    # `one_of` would take what is there twice for one.
    return st.sampled_from(shares).flatmap(lambda share: share)


def _leaves(node: Json) -> Iterator[tuple[tuple[Json, ...], list[Json]]]:
    """Each command that can be used, as its path from the top, and its options."""
    below = [each for each in node.get("options", ()) if each["type"] in (1, 2)]
    for each in below:
        for path, options in _leaves(each):
            yield (node, *path), options
    if not below:
        yield (node,), list(node.get("options", ()))


def _value(kind: int, ids: list[int]) -> SearchStrategy[Any]:
    words = st.booleans().flatmap(lambda known: names if known else texts)
    whole = st.integers(-(2**53), 2**53) | st.sampled_from([-1, 10**12, 10**30])
    return {
        4: whole,
        5: st.booleans(),
        10: st.floats(allow_nan=False, allow_infinity=False) | whole,
        11: st.just(FILE_ID),
    }.get(kind, words if kind == 3 else st.sampled_from(ids).map(str))


def _options(specs: list[Json], ids: list[int]) -> SearchStrategy[list[Json]]:
    """Options as declared, of another type, of another name; some missing, in any order, some twice."""
    keys = st.sampled_from([spec["name"] for spec in specs] or ["x"]) | st.sampled_from(["nope", "x" * 32])
    kinds = st.sampled_from([3, 4, 5, 6, 7, 8, 9, 10, 11])
    stray = st.tuples(keys, kinds)
    declared = [st.just((spec["name"], spec["type"])) for spec in specs]
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
            for each in options:
                if each["type"] == WHOLE and draw(st.booleans()):
                    # What somebody has typed so far need not be of its type.
                    each["value"] = draw(texts)
        else:
            # Discord asks for suggestions only while somebody types.
            kind = SLASH
        nested = options
        for node, name in zip(path[:0:-1], names[:0:-1], strict=True):
            nested = [{"name": name, "type": node["type"], "options": nested}]
        data: Json = {"id": path[0].get("id", "1"), "name": names[0], "type": 1, "options": nested}
        named = [each["value"] for each in options if each["type"] in (6, 9)]
        if named and kind == SLASH:
            data["resolved"] = _people(named, here=draw(st.sampled_from([True, True, False])))
        by = draw(st.integers(0, 1))
        if kind == SLASH and any(each["type"] == 11 for each in options):
            return Nonsense(kind, data, None, by, draw(_uploads), draw(_claims))
        return Nonsense(kind, data, by=by)

    return command()


FILE_ID: Final = "1"
"""Stands for the attachment until the file is uploaded."""
_uploads: SearchStrategy[Upload] = st.builds(
    Upload,
    filename=st.sampled_from(["a.png", "a", "a.exe"]),
    data=st.sampled_from(FILES) | st.binary(max_size=200),
    content_type=st.sampled_from(["image/png", "text/html"]),
)
_claims: SearchStrategy[Json] = st.fixed_dictionaries(
    {},
    optional={
        "size": st.sampled_from([0, 1, 8 << 20, (8 << 20) + 1, 2**40]),
        "filename": texts,
        "content_type": st.sampled_from([None, "", "image/svg+xml"]),
        "width": st.sampled_from([None, 0, 2**31]),
    },
)


def _menus(registered: list[Json], ids: list[int]) -> SearchStrategy[Nonsense]:
    """Menus of members and of messages, known or not, on a member of the guild or somebody else."""
    known = st.sampled_from([command["name"] for command in registered if command["type"] == 2])

    @st.composite
    def menu(draw: st.DrawFn) -> Nonsense:
        name = draw(known | st.sampled_from(["heroes", "hero", "nope"]))
        target = str(draw(st.sampled_from([*ids, 2**63 - 1])))
        people = _people([target], here=draw(st.booleans()))
        data: Json = {"id": "1", "name": name, "type": draw(st.sampled_from([2, 2, 2, 3]))}
        return Nonsense(SLASH, data | {"target_id": target, "resolved": people}, by=draw(st.integers(0, 1)))

    return menu()


def _custom_ids(items: Items, people: People) -> SearchStrategy[tuple[str, int]]:
    """Forged custom ids, and for which type of component."""
    odd = st.sampled_from([*people.ids, 0, 2**31, 2**53, 10**18 - 1, 2**63 - 1, 2**63, 10**19])
    precious = st.sampled_from(list(PRECIOUS))
    aims: dict[str, SearchStrategy[int]] = {
        "id": precious,
        "hero": precious,
        "version": st.just(1),
        "owner": st.just(people.victim),
        "receiver": st.sampled_from(people.ids),
    }

    @st.composite
    def forged(draw: st.DrawFn) -> tuple[str, int]:
        pattern, kind = draw(st.sampled_from(list(items.items())))
        custom_id = draw(st.from_regex(pattern, fullmatch=True))
        change = draw(st.sampled_from(["nothing", "numbers", "aim", "aim"]))
        if change == "numbers":
            custom_id = re.sub(r"\d+", lambda _: str(draw(precious | odd)), custom_id)
        elif change == "aim":
            match = pattern.fullmatch(custom_id)
            assert match is not None
            for name in sorted(aims.keys() & match.groupdict(), key=match.start, reverse=True):
                custom_id = (
                    f"{custom_id[: match.start(name)]}{draw(aims[name])}{custom_id[match.end(name) :]}"
                )
        return custom_id[:100], draw(st.sampled_from([kind, kind, BUTTON, SELECT]))

    unknown = texts.map(lambda text: text[:100] or "x")
    return forged() | st.tuples(unknown, st.sampled_from([BUTTON, SELECT]))


def _clicks(people: People) -> SearchStrategy[Nonsense]:
    @st.composite
    def click(draw: st.DrawFn) -> Nonsense:
        custom_id, kind = draw(_custom_ids(ITEMS, people))
        used: Json = {"custom_id": custom_id}
        shown: Json = {"type": kind, "id": 2, "custom_id": custom_id}
        if kind == BUTTON:
            shown |= {"style": 2, "label": "x"}
        else:
            shown |= {"options": [{"label": "x", "value": "x"}]}
            used |= {"values": draw(st.lists(texts, min_size=1, max_size=3))}
        components: list[Json] = [{"type": 1, "id": 1, "components": [shown]}]
        return Nonsense(COMPONENT, {"component_type": kind, **used}, components, draw(st.integers(0, 1)))

    def is_made(clicked: Nonsense) -> bool:
        """Whether it accepts an offer of the victim's to the robber, in their guild."""
        match = OFFER.fullmatch(clicked.data["custom_id"])
        return match is not None and clicked.by == 0 and int(match["receiver"]) == people.robber

    # What stands on a message of the bot was put there by the bot: such an offer has been made.
    return click().filter(lambda clicked: not is_made(clicked))


def _submissions(people: People) -> SearchStrategy[Nonsense]:
    keys = st.sampled_from(["name", "secret_name", "age", "description", "word", "x", ""])
    fields = st.fixed_dictionaries(
        {"type": st.just(TEXT_INPUT), "id": st.just(2), "custom_id": keys, "value": texts}
    )
    labels = fields.map(lambda field: {"type": LABEL, "id": 1, "component": field})
    data = st.fixed_dictionaries(
        {
            "custom_id": _custom_ids(FORMS, people).map(lambda forged: forged[0]),
            "components": st.lists(labels, max_size=6),
        }
    )
    return st.builds(Nonsense, st.just(MODAL), data, by=st.integers(0, 1))
