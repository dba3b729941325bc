"""Logging without leaks: messages of exceptions are dropped, since they may quote what a member typed."""

import json
import logging
import sys
import traceback
from collections.abc import Iterator
from datetime import UTC, datetime
from types import TracebackType
from typing import Any, Literal, TypeAlias

from typing_extensions import override

_ExcInfo: TypeAlias = (
    tuple[type[BaseException], BaseException, TracebackType | None] | tuple[None, None, None]
)


def _code(error: BaseException) -> str:
    """Return the part of an error that is safe to log: a code that its library defines."""
    for attribute in ("sqlite_errorname", "sqlstate", "code", "errno"):
        code = getattr(error, attribute, None)
        if isinstance(code, int | str) and code:
            return f" [{attribute} {code}]"
    return ""


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    """Yield an exception and its causes, the last one first."""
    while error is not None:
        yield error
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)


class _SafeFormatter(logging.Formatter):
    """Format an exception as its traceback, type and code, without its message.

    Messages of database drivers quote rows, `int()` quotes its argument, and so on.
    """

    @override
    def formatException(self, ei: _ExcInfo) -> str:
        """Return the causes of an exception, the first one first."""
        parts: list[str] = []
        for error in reversed(list(_chain(ei[1]))):
            frames = "".join(traceback.format_tb(error.__traceback__))
            kind = type(error)
            parts.append(f"{frames}{kind.__module__}.{kind.__qualname__}{_code(error)}")
        return "\n".join(parts)


class _JsonFormatter(_SafeFormatter):
    """Format a record as one JSON object on one line."""

    @override
    def format(self, record: logging.LogRecord) -> str:
        """Return time in ISO 8601, level, logger and message, with the traceback if there is one."""
        line: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
        }
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return json.dumps(line, ensure_ascii=False)


def configure_logging(level: str, form: Literal["text", "json"]) -> None:
    """Log to standard error.

    Args:
        level: the lowest level to log.
        form: text for people, json for log collectors.
    """
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        _JsonFormatter()
        if form == "json"
        else _SafeFormatter("{asctime} {levelname:<7} {name}: {message}", style="{")
    )
    logging.basicConfig(level=level, handlers=[handler], force=True)
    # At DEBUG these log what Discord sends, interaction tokens and the parameters of statements.
    for name in ("discord", "aiosqlite", "asyncio"):
        logging.getLogger(name).setLevel(max(logging.INFO, logging.getLevelNamesMapping()[level]))
    # `bot.db.migrate` logs each migration itself.
    logging.getLogger("alembic").setLevel(logging.WARNING)
