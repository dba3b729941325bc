"""Each refusal of the roster has a sentence, which can be made of the facts that come with it."""

import ast
from collections import defaultdict
from collections.abc import Iterator
from string import Formatter

import pytest

from bot.interactions.sentences import SENTENCES, sentence_of
from bot.roster.errors import HeroNotFoundError, NameTakenError, Refusal, RosterError
from tests.support.paths import ROOT

EXAMPLES = {"name": "Deadpond", "near": ["Deadpond"], "field": "name"}
"""Facts that are no numbers."""


def raised() -> Iterator[tuple[Refusal, frozenset[str]]]:
    """Each refusal in the source, with the names of its facts there."""
    for folder in ("bot", "cogs"):
        for path in (ROOT / folder).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                match node:
                    case ast.Call(
                        args=[ast.Attribute(value=ast.Name(id="Refusal"), attr=key)], keywords=facts
                    ):
                        assert all(fact.arg is not None for fact in facts), f"{path}: facts by name only"
                        yield Refusal[key], frozenset(str(fact.arg) for fact in facts)
                    case _:
                        pass


def placeholders(key: Refusal) -> set[str]:
    """The facts that a sentence is made of."""
    return {name for _, name, _, _ in Formatter().parse(SENTENCES[key]) if name is not None}


def test_each_refusal_has_a_sentence_and_is_raised() -> None:
    assert set(SENTENCES) == set(Refusal)
    assert {key for key, _ in raised()} == set(Refusal)


def test_each_sentence_fits_the_facts_that_its_raisers_give() -> None:
    given: dict[Refusal, set[frozenset[str]]] = defaultdict(set)
    for key, facts in raised():
        given[key].add(facts)
    assert given == {key: {frozenset(placeholders(key))} for key in Refusal}


@pytest.mark.parametrize("key", Refusal)
def test_each_sentence_can_be_made(key: Refusal) -> None:
    facts = {fact: EXAMPLES.get(fact, 5) for fact in placeholders(key)}

    sentence = sentence_of(RosterError(key, **facts))

    assert sentence[0].isupper() or sentence[0] in "“<5"
    assert sentence[-1] in ".?"
    assert not {"{", "}"} & set(sentence)


def test_typed_text_is_escaped_and_members_are_mentioned() -> None:
    assert sentence_of(NameTakenError("**Dead**", 5)) == (
        r"The name “\*\*Dead\*\*” is taken: <@5> plays that hero. Please choose another name."
    )


@pytest.mark.parametrize(
    ("near", "says"),
    [
        ((), "no name comes close"),
        (("A",), "Did you mean “A”?"),
        (("A", "B", "_C_"), r"Did you mean “A”, “B” or “\_C\_”?"),
    ],
)
def test_names_that_come_close_are_listed(near: tuple[str, ...], says: str) -> None:
    assert says in sentence_of(HeroNotFoundError("Zzz", near))


@pytest.mark.parametrize(("seconds", "says"), [(1, "in 1 second."), (60, "in 60 seconds.")])
def test_one_second_is_singular(seconds: int, says: str) -> None:
    assert says in sentence_of(RosterError(Refusal.TOO_MANY_CHANGES, seconds=seconds))


def test_numbers_have_separators() -> None:
    assert "0 to 1,000,000" in sentence_of(RosterError(Refusal.AGE_OUT_OF_RANGE, most=1_000_000))
