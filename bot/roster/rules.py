"""The rules for the fields of a hero, and for comparing names."""

import re
import unicodedata
from typing import Final

from bot.roster.errors import InvalidHeroError, Refusal

MAX_NAME: Final = 80
"""Characters in a name or a secret identity."""
MAX_AGE: Final = 1_000_000
"""Years. Some heroes are gods."""
MAX_DESCRIPTION: Final = 1_000
"""Characters in a description."""

_SPACES: Final = re.compile(r"\s+")
_BANNED: Final = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
"""Unicode's general categories of control, format (bidi and zero-width among them), surrogate,
private, unassigned and line-breaking characters."""
_BLANK: Final = frozenset("\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0")
"""Letters and symbols that show nothing: a name that consists of them looks like no name."""


def _is_hidden(character: str) -> bool:
    return character in _BLANK or unicodedata.category(character) in _BANNED


def _is_plain(text: str) -> bool:
    """Return whether a text is one line of ASCII, as most are: nothing hidden, and in every normal form."""
    return text.isascii() and text.isprintable()


def _hides(text: str, *, but: str = "") -> bool:
    """Return whether a text holds a hidden character other than those."""
    return not _is_plain(text) and any(_is_hidden(character) and character not in but for character in text)


def _line(text: str, field: str) -> str:
    """Check and tidy a name-like field: one visible line of 1 to `MAX_NAME` characters."""
    # Before normalising: NFKC turns some characters into a plain space, and would hide what was typed.
    if _hides(text.strip()):
        raise InvalidHeroError(Refusal.HIDDEN_CHARACTERS, field=field)
    line = _SPACES.sub(" ", unicodedata.normalize("NFKC", text)).strip()
    # Marks and variation selectors alone show nothing either.
    if not any(unicodedata.category(character)[0] in "LNPS" for character in line):
        raise InvalidHeroError(Refusal.NOTHING_VISIBLE, field=field)
    if len(line) > MAX_NAME:
        raise InvalidHeroError(Refusal.TOO_LONG, field=field, most=MAX_NAME, length=len(line))
    return line


def clean_name(text: str) -> str:
    """Return a hero's name as it is stored: NFKC, trimmed, white space collapsed, 1 to 80 characters.

    Raises:
        InvalidHeroError: it is empty, too long or holds control, bidi or zero-width characters.
    """
    return _line(text, "name")


def clean_secret_name(text: str) -> str:
    """Return a secret identity as it is stored; the same rules as for a name.

    Raises:
        InvalidHeroError: see `clean_name`. The error never repeats what was typed.
    """
    return _line(text, "secret_name")


def clean_age(age: int | None) -> int | None:
    """Return an age in years, 0 to 1,000,000, or None for unknown.

    Raises:
        InvalidHeroError: it lies outside.
    """
    if age is not None and not 0 <= age <= MAX_AGE:
        raise InvalidHeroError(Refusal.AGE_OUT_OF_RANGE, most=MAX_AGE)
    return age


def clean_description(text: str | None) -> str | None:
    """Return a description of up to 1,000 characters, its line breaks kept; None where nothing is left.

    Raises:
        InvalidHeroError: it is too long or holds control or bidi characters.
    """
    if text is None:
        return None
    # NFC, not NFKC: a description is read, not compared. Joiners stay, since emoji are made with them.
    lines = unicodedata.normalize("NFC", text).replace("\r\n", "\n").strip()
    if _hides(lines, but="\n\t\u200c\u200d"):
        raise InvalidHeroError(Refusal.HIDDEN_IN_DESCRIPTION)
    if len(lines) > MAX_DESCRIPTION:
        raise InvalidHeroError(Refusal.TOO_LONG, field="description", most=MAX_DESCRIPTION, length=len(lines))
    return lines or None


def name_key(text: str) -> str:
    """Return the form that all spellings of a name share, for any text: for comparing, not for showing.

    Case, width, the composition of accents and white space make no difference, as in Unicode's
    NFKC_Casefold (The Unicode Standard, 3.13, D146). Characters that a name cannot hold are left out.
    """
    if _is_plain(text):
        return _SPACES.sub(" ", text.lower()).strip()
    visible = "".join(character for character in text if character.isspace() or not _is_hidden(character))
    folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", visible).casefold())
    # Folding can decompose anew; a second round reaches the fixed point.
    folded = unicodedata.normalize("NFKC", folded.casefold())
    return _SPACES.sub(" ", folded).strip()
