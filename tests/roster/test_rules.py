import unicodedata
from typing import Literal

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from bot.interactions.sentences import sentence_of
from bot.roster.errors import InvalidHeroError
from bot.roster.rules import clean_age, clean_description, clean_name, name_key
from bot.text import escape, quote

anything = st.text(st.characters(), max_size=120)


@given(anything)
def test_a_name_is_either_refused_with_a_sentence_or_fit_to_show(text: str) -> None:
    try:
        name = clean_name(text)
    except InvalidHeroError as error:
        assert "Please" in sentence_of(error)
        return
    assert 1 <= len(name) <= 80
    assert name == name.strip()
    assert "  " not in name
    assert not {unicodedata.category(character) for character in name} & {"Cc", "Cf", "Cs", "Zl", "Zp"}
    assert clean_name(name) == name, "cleaning twice changes nothing"
    assert name_key(name), "every name can be compared"
    assert len(name_key(name)) <= 400, "and its key fits its column"


@given(anything)
def test_a_key_is_its_own_key(text: str) -> None:
    assert name_key(name_key(text)) == name_key(text)


@given(anything, st.sampled_from(["NFC", "NFD", "NFKC", "NFKD"]))
def test_the_composition_of_accents_makes_no_difference(
    text: str, form: Literal["NFC", "NFD", "NFKC", "NFKD"]
) -> None:
    assert name_key(unicodedata.normalize(form, text)) == name_key(text)


@given(anything)
def test_case_makes_no_difference(text: str) -> None:
    # Some letters have no way back from their other case, such as the dotless i.
    assume(text.upper().casefold() == text.casefold())
    assert name_key(text.upper()) == name_key(text)


@given(st.lists(st.text(st.characters(codec="ascii", categories=["L", "N", "P"]), min_size=1), min_size=1))
def test_white_space_makes_no_difference(words: list[str]) -> None:
    assert name_key(" \t ".join(words) + "  ") == name_key(" ".join(words))


def test_different_names_stay_different() -> None:
    names = ["Deadpond", "Dead pond", "Deadpool", "Déadpond", "Deadpond 2", "Dead-pond"]
    assert len({name_key(name) for name in names}) == len(names)


@given(st.one_of(st.none(), st.integers()))
def test_ages(age: int | None) -> None:
    if age is None or 0 <= age <= 1_000_000:
        assert clean_age(age) == age
    else:
        with pytest.raises(InvalidHeroError):
            clean_age(age)


def test_a_description_keeps_lines_and_emoji() -> None:
    assert clean_description("  one\r\ntwo 👨‍👩‍👧  ") == "one\ntwo 👨‍👩‍👧"
    assert clean_description("   ") is None
    assert clean_description("x" * 1_000) == "x" * 1_000


@given(anything)
def test_escaping_loses_nothing_and_leaves_no_markup(text: str) -> None:
    escaped = escape(text)
    for mark in "*_~`|<@#[]()>":
        assert escaped.replace(f"\\{mark}", "").count(mark) == 0
    assert len(quote(text)) <= 2 * 80 + 2
    assert "\n" not in quote(text)
