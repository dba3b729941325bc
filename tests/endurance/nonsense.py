"""What nobody's client would send: interactions of every kind, each a little or altogether wrong.

They are made from the commands that the bot registered and from the patterns of its buttons and forms, so
new ones are tried without a word here. All have the shape that Discord gives them: what discord.py itself
could not read (a command without a name, an option without a type, a click without a message, an unresolved
attachment or target) is left out, since Discord says that it never comes.
"""

import re

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from tests.endurance.forged_commands import forged_commands, forged_menus
from tests.endurance.forgery import (
    BUTTON,
    FORMS,
    ITEMS,
    LABEL,
    OFFER,
    PRECIOUS,
    SELECT,
    TEXT_INPUT,
    Items,
    Nonsense,
    People,
    texts,
)
from tests.wire.records import COMPONENT, MODAL, Json


def nonsense(registered: list[Json], people: People) -> SearchStrategy[Nonsense]:
    """Interactions of every kind.

    Args:
        registered: the commands that the bot has registered.
        people: who take part.
    """
    commands, clicks, forms = forged_commands(registered, people.ids), _clicks(people), _submissions(people)
    shares = [commands] * 4 + [clicks] * 3 + [forms] * 2 + [forged_menus(registered, people.ids)]
    # `one_of` would take what is there twice for one.
    return st.sampled_from(shares).flatmap(lambda share: share)


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
