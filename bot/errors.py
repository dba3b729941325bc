"""Errors that end the process with one plain line."""

from typing import Final

EX_UNAVAILABLE: Final = 69
"""Something the bot depends on does not answer. From BSD's sysexits.h."""
EX_CONFIG: Final = 78
"""The operator has a setting to correct. From BSD's sysexits.h."""


class OperatorError(Exception):
    """The bot does not start or has to end, for a reason that its operator can act on.

    Args:
        line: what is wrong and what to do; shown as it is, so without secrets.
        code: the exit code of the process.
    """

    def __init__(self, line: str, code: int) -> None:
        super().__init__(line)
        self.line = line
        self.code = code
