"""Copying a SQLite database that is in use, and putting a copy back."""

import os
import sqlite3
from collections.abc import Callable, Generator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from sqlalchemy import URL

from bot.db.migrate import known_revisions
from bot.errors import EX_CONFIG, EX_UNAVAILABLE, StartError

_PAGES: Final = 256
"""Copied at a time, of 4 KiB each; then the progress is told."""

Progress = Callable[[int, int], None]
"""Called with how many pages are copied, and of how many."""


def backup(url: URL, target: Path, progress: Progress) -> None:
    """Copy the database as it is at this moment, while the bot goes on writing to it.

    Args:
        url: of a SQLite database.
        target: a file that is not there yet; only its owner can read it.
        progress: told now and then.

    Raises:
        StartError: it is no SQLite database, it is not there, or the target is there already.
    """
    source = _file_of(url)
    if not source.exists():
        raise StartError(f"{source} is not there, so there is nothing to back up.", EX_CONFIG)
    with _new_file(target), _faults(), closing(sqlite3.connect(source)) as database:
        _copy(database, target, progress)


def restore(url: URL, copy: Path, progress: Progress) -> Path | None:
    """Put a backup in the place of the database, which is kept beside it. The bot must not be running.

    Args:
        url: of the SQLite database.
        copy: a file that `backup` made.
        progress: told now and then.

    Returns:
        Where the old database is now; None if there was none.

    Raises:
        StartError: the copy is not whole or not of this bot, or the database is in use.
    """
    target = _file_of(url)
    if not copy.exists():
        raise StartError(f"{copy} is not there.", EX_CONFIG)
    with _faults():
        _check(copy)
        kept = _set_aside(target) if target.exists() else None
        target.parent.mkdir(parents=True, exist_ok=True)
        with _new_file(target), closing(_read_only(copy)) as source:
            _copy(source, target, progress)
    return kept


def _file_of(url: URL) -> Path:
    if url.get_backend_name() != "sqlite" or url.database is None:
        raise StartError("This is for SQLite. For PostgreSQL, use pg_dump and pg_restore.", EX_CONFIG)
    return Path(url.database)


@contextmanager
def _faults() -> Generator[None]:
    try:
        yield
    except (sqlite3.Error, OSError) as error:
        raise StartError(f"That did not work: {error}.", EX_UNAVAILABLE) from error


@contextmanager
def _new_file(path: Path) -> Generator[None]:
    """Make an empty file that only its owner can read; it goes again if the block fails."""
    try:
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
    except FileExistsError:
        raise StartError(
            f"{path} is there already. Choose another name; nothing was changed.", EX_CONFIG
        ) from None
    except OSError as error:
        raise StartError(f"{path} can't be made: {error.strerror}.", EX_CONFIG) from error
    try:
        yield
    except BaseException:
        path.unlink(missing_ok=True)
        raise


def _copy(source: sqlite3.Connection, target: Path, progress: Progress) -> None:
    # An open transaction holds on to one state of the database: without it, each write of the bot would
    # make the copy begin anew. https://www.sqlite.org/backup.html
    source.isolation_level = None
    source.execute("BEGIN")
    source.execute("SELECT count(*) FROM sqlite_master").fetchone()

    def copied(_status: int, remaining: int, total: int) -> None:
        progress(total - remaining, total)

    with closing(sqlite3.connect(target)) as copy:
        source.backup(copy, pages=_PAGES, progress=copied)
        # The copy is one file, whole by itself.
        copy.execute("PRAGMA journal_mode=DELETE")
    source.execute("ROLLBACK")
    with target.open("rb") as file:
        os.fsync(file.fileno())


def _read_only(path: Path) -> sqlite3.Connection:
    return sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro&immutable=1", uri=True)


def _check(copy: Path) -> None:
    """Let pass a whole database of this version of the bot, or an older one."""
    try:
        with closing(_read_only(copy)) as database:
            faults = [row[0] for row in database.execute("PRAGMA integrity_check(3)")]
            revisions = {row[0] for row in database.execute("SELECT version_num FROM alembic_version")}
    except sqlite3.Error:
        raise StartError(f"{copy} is not a backup of this bot. Nothing was changed.", EX_CONFIG) from None
    if faults != ["ok"]:
        raise StartError(f"{copy} is damaged. Nothing was changed.", EX_CONFIG)
    if not revisions <= known_revisions():
        raise StartError(f"{copy} is of a newer Hero Roster. Update this one first.", EX_CONFIG)


def _set_aside(target: Path) -> Path:
    """Rename the database, if nobody uses it."""
    with closing(sqlite3.connect(target, timeout=0, isolation_level=None)) as database:
        try:
            database.execute("PRAGMA locking_mode=EXCLUSIVE")
            # Leaving WAL mode takes the database for itself alone, and the log into it.
            mode = database.execute("PRAGMA journal_mode=DELETE").fetchone()[0]
        except sqlite3.OperationalError:
            mode = ""
    if mode != "delete":
        raise StartError("The database is in use. Stop the bot first; nothing was changed.", EX_CONFIG)
    kept = target.with_name(f"{target.name}.before-{datetime.now(UTC):%Y%m%d-%H%M%S}")
    target.rename(kept)
    return kept
