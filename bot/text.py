"""Typed text, made into text that Discord shows as it was typed."""

import re
from typing import Final

_MARKUP: Final = re.compile(r"([\\*_~`|>#+\-\[\]()<@:/.])")
_MAX_QUOTED: Final = 80
"""Characters."""


def escape(text: str) -> str:
    """Put a backslash before each character that Discord could read as markup, a link or a mention.

    discord.py's own escape leaves links, headings in the middle of a text and custom emoji alive.
    """
    return _MARKUP.sub(r"\\\1", text)


def quote(text: str) -> str:
    """Return typed text as a quotation in a sentence: escaped, on one line, at most 80 characters of it."""
    line = " ".join(text.split())
    shown = line if len(line) <= _MAX_QUOTED else line[: _MAX_QUOTED - 1] + "…"
    return f"“{escape(shown)}”"
