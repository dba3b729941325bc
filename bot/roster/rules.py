"""What the fields of a hero may hold, and how names are compared."""

import re
import unicodedata
from typing import Final

from bot.roster.errors import InvalidHeroError

NAME_MAX: Final = 80
AGE_MAX: Final = 1_000_000
DESCRIPTION_MAX: Final = 1_000

_SPACES: Final = re.compile(r"\s+")
_BANNED: Final = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
"""Unicode's general categories of control, format (bidi and zero-width among them), surrogate,
private, unassigned and line-breaking characters."""
_BLANK: Final = frozenset("\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0")
"""Letters and symbols that show nothing: a name of these alone could not be told from no name."""


def _is_hidden(character: str) -> bool:
    return character in _BLANK or unicodedata.category(character) in _BANNED


def _is_plain(text: str) -> bool:
    """Whether it is one line of ASCII, as most texts are: nothing hidden, and in every normal form."""
    return text.isascii() and text.isprintable()


def _hides(text: str, *, but: str = "") -> bool:
    """Whether it holds a hidden character other than those."""
    return not _is_plain(text) and any(_is_hidden(character) and character not in but for character in text)


def _line(text: str, what: str) -> str:
    """Check and tidy a name-like field: one visible line of 1 to `NAME_MAX` characters."""
    # Before normalising: NFKC turns some characters into a plain space, and would hide what was typed.
    if _hides(text.strip()):
        raise InvalidHeroError(
            f"{what} can't hold line breaks or invisible characters. Please type it as one plain line."
        )
    line = _SPACES.sub(" ", unicodedata.normalize("NFKC", text)).strip()
    # Marks and variation selectors alone show nothing either.
    if not any(unicodedata.category(character)[0] in "LNPS" for character in line):
        raise InvalidHeroError(f"{what} needs at least one visible character. Please type one.")
    if len(line) > NAME_MAX:
        raise InvalidHeroError(
            f"{what} can have at most {NAME_MAX} characters; this has {len(line):,}. Please shorten it."
        )
    return line


def clean_name(text: str) -> str:
    """A hero's name as it is stored: NFKC, trimmed, white space collapsed, 1 to 80 characters.

    Raises:
        InvalidHeroError: it is empty, too long or holds control, bidi or zero-width characters.
    """
    return _line(text, "A hero's name")


def clean_secret_name(text: str) -> str:
    """A secret identity as it is stored; the same rules as for a name.

    Raises:
        InvalidHeroError: see `clean_name`. The sentence never repeats what was typed.
    """
    return _line(text, "A secret identity")


def clean_age(age: int | None) -> int | None:
    """An age in years, 0 to 1,000,000, or None for unknown.

    Raises:
        InvalidHeroError: it lies outside.
    """
    if age is not None and not 0 <= age <= AGE_MAX:
        raise InvalidHeroError(
            f"An age is a whole number from 0 to {AGE_MAX:,}. Please correct it, or leave it out."
        )
    return age


def clean_description(text: str | None) -> str | None:
    """A description of up to 1,000 characters, its line breaks kept; None where nothing is left of it.

    Raises:
        InvalidHeroError: it is too long or holds control or bidi characters.
    """
    if text is None:
        return None
    # NFC, not NFKC: a description is read, not compared. Joiners stay, since emoji are made with them.
    lines = unicodedata.normalize("NFC", text).replace("\r\n", "\n").strip()
    if _hides(lines, but="\n\t\u200c\u200d"):
        raise InvalidHeroError(
            "A description can't hold invisible control characters. Please type it as plain text."
        )
    if len(lines) > DESCRIPTION_MAX:
        raise InvalidHeroError(
            f"A description can have at most {DESCRIPTION_MAX:,} characters; this has {len(lines):,}. "
            "Please shorten it."
        )
    return lines or None


def name_key(text: str) -> str:
    """What two spellings of a name have in common, for any text; made for comparing, not for showing.

    Case, width, the composition of accents and white space make no difference, as in Unicode's
    NFKC_Casefold (The Unicode Standard, 3.13, D146). What a name can't hold is left out.
    """
    if _is_plain(text):
        return _SPACES.sub(" ", text.lower()).strip()
    visible = "".join(character for character in text if character.isspace() or not _is_hidden(character))
    folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", visible).casefold())
    # Folding can decompose anew; a second round reaches the fixed point.
    folded = unicodedata.normalize("NFKC", folded.casefold())
    return _SPACES.sub(" ", folded).strip()
