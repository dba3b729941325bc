"""Helpers of the operator's commands: settings, errors, a database, a progress bar.

Imports are where they are used; see `bot.operator.cli`.
"""
# ruff: noqa: PLC0415

import logging
from collections.abc import AsyncGenerator, Callable, Coroutine, Generator
from contextlib import asynccontextmanager, contextmanager
from typing import TYPE_CHECKING, Any, NoReturn, TypeVar

import typer

from bot.errors import OperatorError

if TYPE_CHECKING:
    from bot.db.engine import Database
    from bot.settings import Settings

T = TypeVar("T")


def end(error: OperatorError) -> NoReturn:
    """Print the line of an error and exit with its code."""
    typer.echo(error.line, err=True)
    raise typer.Exit(error.code)


@contextmanager
def plain_errors() -> Generator[None]:
    """End the process with one plain line and an exit code on an `OperatorError`."""
    try:
        yield
    except OperatorError as error:
        logging.getLogger(__name__).debug("the cause:", exc_info=error)
        end(error)


def read_settings() -> "Settings":
    """Read the settings and set up logging as they say."""
    from bot.operator.log import configure_logging
    from bot.settings import load_settings

    with plain_errors():
        settings = load_settings()
    configure_logging(settings.log_level, settings.log_format)
    return settings


def run_to_end(work: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine in an event loop and return its result; see `plain_errors`."""
    import asyncio

    with plain_errors():
        return asyncio.run(work)


@asynccontextmanager
async def opened_database(settings: "Settings") -> "AsyncGenerator[Database]":
    """Open the database and bring its schema up to date; close it after the block."""
    from bot.db.open import open_database

    database = await open_database(settings.database_url, log_sql=settings.log_sql)
    try:
        yield database
    finally:
        await database.dispose()


@contextmanager
def progress_bar(work: str) -> Generator[Callable[[int, int], None]]:
    """Show a bar on standard error; yield a function that takes how much is done and of how much."""
    from rich.console import Console
    from rich.progress import Progress

    with Progress(console=Console(stderr=True)) as bar:
        task = bar.add_task(work, total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)
