"""Back up a SQLite database that is in use."""

import os
import sqlite3
from collections.abc import Generator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Final

from sqlalchemy import URL

from bot.errors import EX_CONFIG, EX_UNAVAILABLE, OperatorError
from bot.operator.progress import Progress

_STEP_PAGES: Final = 256
"""Pages of 4 KiB that are copied between two reports of the progress."""


def backup(url: URL, target: Path, progress: Progress) -> None:
    """Copy the database as it is at this moment, while the bot continues to write to it.

    Args:
        url: the URL of a SQLite database.
        target: the file to create; only its owner can read it.
        progress: called after each step, with the pages copied.

    Raises:
        OperatorError: the database is missing or not SQLite, the target exists, or the disk fails.
    """
    source = sqlite_file(url)
    if not source.exists():
        raise OperatorError(f"{source} is not there, so there is nothing to back up.", EX_CONFIG)
    with new_file(target), disk_faults(), closing(sqlite3.connect(source)) as database:
        copy_database(database, target, progress)


def sqlite_file(url: URL) -> Path:
    """Return the file that a SQLite URL names.

    Raises:
        OperatorError: the URL is of another database.
    """
    if url.get_backend_name() != "sqlite" or url.database is None:
        raise OperatorError("This is for SQLite. For PostgreSQL, use pg_dump and pg_restore.", EX_CONFIG)
    return Path(url.database)


@contextmanager
def disk_faults() -> Generator[None]:
    """Turn errors of SQLite and of the disk into an `OperatorError`."""
    try:
        yield
    except (sqlite3.Error, OSError) as error:
        raise OperatorError(f"That did not work: {error}. Nothing was changed.", EX_UNAVAILABLE) from error


@contextmanager
def new_file(path: Path) -> Generator[None]:
    """Create an empty file that only its owner can read; delete it if the block fails."""
    try:
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
    except FileExistsError:
        raise OperatorError(
            f"{path} is there already. Choose another name; nothing was changed.", EX_CONFIG
        ) from None
    except OSError as error:
        raise OperatorError(f"{path} can't be made: {error.strerror}.", EX_CONFIG) from error
    try:
        yield
    except BaseException:
        path.unlink(missing_ok=True)
        raise


def copy_database(source: sqlite3.Connection, target: Path, progress: Progress) -> None:
    """Copy a snapshot of an open database into `target`, an empty file, and flush it to the disk."""
    # An open transaction keeps one snapshot of the database. Without it, each write of the bot would restart
    # the copy: https://www.sqlite.org/backup.html
    source.isolation_level = None
    source.execute("BEGIN")
    source.execute("SELECT count(*) FROM sqlite_master").fetchone()

    def copied(_status: int, remaining: int, total: int) -> None:
        progress(total - remaining, total)

    with closing(sqlite3.connect(target)) as copy:
        source.backup(copy, pages=_STEP_PAGES, progress=copied)
        # Without a write-ahead log, the copy is a single file.
        copy.execute("PRAGMA journal_mode=DELETE")
    source.execute("ROLLBACK")
    with target.open("rb") as file:
        os.fsync(file.fileno())
