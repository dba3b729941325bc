"""Commands, suggestions and menus, each a little or altogether wrong."""

from collections.abc import Iterator
from typing import Any

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from tests.endurance.forgery import FILE_ID, FILES, WHOLE, Nonsense, names, texts
from tests.wire import Upload
from tests.wire.records import AUTOCOMPLETE, SLASH, Json


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


def forged_commands(registered: list[Json], ids: list[int]) -> SearchStrategy[Nonsense]:
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


def forged_menus(registered: list[Json], ids: list[int]) -> SearchStrategy[Nonsense]:
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
