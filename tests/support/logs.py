"""The log as the operator has it."""

import logging
from collections.abc import Generator
from contextlib import contextmanager
from typing import Literal

from bot.operator.log import configure_logging


@contextmanager
def logging_as(form: Literal["text", "json"]) -> Generator[None]:
    """Log to standard error in that form, at DEBUG, for as long as the block lasts."""
    root = logging.getLogger()
    handlers = root.handlers[:]
    levels = {
        name: logging.getLogger(name).level for name in ("", "discord", "aiosqlite", "asyncio", "alembic")
    }
    # It closes the handlers that it replaces.
    root.handlers[:] = []
    try:
        configure_logging("DEBUG", form)
        yield
    finally:
        root.handlers[:] = handlers
        for name, level in levels.items():
            logging.getLogger(name).setLevel(level)
