"""Restore a backup of a SQLite database."""

import errno
import fcntl
import os
import sqlite3
from collections.abc import Generator
from contextlib import ExitStack, closing, contextmanager
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from sqlalchemy import URL

from bot.db.migrate import known_revisions
from bot.errors import EX_CONFIG, EX_UNAVAILABLE, OperatorError
from bot.operator.backup import copy_database, disk_faults, new_file, sqlite_file
from bot.operator.progress import Progress

_LOCK_BYTES: Final = (512, 0x40000000)
"""Length and start of the range that SQLite locks: https://www.sqlite.org/fileformat.html#the_lock_byte_page"""
_SUFFIXES: Final = ("-wal", "-shm", "-journal")
"""Suffixes of the files that belong to a database: https://www.sqlite.org/tempfiles.html"""


def restore(url: URL, copy: Path, progress: Progress) -> Path | None:
    """Replace the database by a backup, and keep the old database beside it. The bot must not be running.

    An interruption at any moment leaves either the old database or the new one in place, complete. A damaged
    database is replaced as well.

    Args:
        url: the URL of the SQLite database.
        copy: a file that `backup` made.
        progress: called after each step, with the pages copied.

    Returns:
        Where the old database is now; None if there was none.

    Raises:
        OperatorError: the copy is damaged or not of this bot, the database is in use, or the disk fails.
    """
    target = sqlite_file(url)
    if target.is_symlink():
        target = target.resolve()
    if not copy.exists():
        raise OperatorError(f"{copy} is not there.", EX_CONFIG)
    with disk_faults():
        if target.exists() and copy.samefile(target):
            raise OperatorError(
                f"{copy} is the database itself, not a backup. Nothing was changed.", EX_CONFIG
            )
        _check(copy, copy)
        target.parent.mkdir(parents=True, exist_ok=True)
        with _locked(target) as exists, _folder_beside(target) as folder:
            new = folder / target.name
            with new_file(new), closing(_read_only(copy)) as source:
                copy_database(source, new, progress)
            # The bot will open this file. The copy may have changed since the first check.
            _check(new, copy)
            return _swap(new, target, exists=exists)


def _read_only(path: Path) -> sqlite3.Connection:
    return sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro&immutable=1", uri=True)


def _check(database: Path, copy: Path) -> None:
    """Check that a database is intact and of this version of the bot or an older one.

    Args:
        database: the file to check.
        copy: the file to name in the error.

    Raises:
        OperatorError: it is not; the line says why.
    """
    try:
        with closing(_read_only(database)) as opened:
            faults = [row[0] for row in opened.execute("PRAGMA integrity_check(3)")]
            revisions = {row[0] for row in opened.execute("SELECT version_num FROM alembic_version")}
    except sqlite3.Error:
        raise OperatorError(f"{copy} is not a backup of this bot. Nothing was changed.", EX_CONFIG) from None
    if faults != ["ok"]:
        raise OperatorError(f"{copy} is damaged. Nothing was changed.", EX_CONFIG)
    if not revisions <= known_revisions():
        raise OperatorError(f"{copy} is of a newer Hero Roster. Update this one first.", EX_CONFIG)


@contextmanager
def _locked(target: Path) -> Generator[bool]:
    """Lock the database against every other process during the block; yield whether it exists."""
    if not target.exists():
        yield False
        return
    in_use = OperatorError("The database is in use. Stop the bot first; nothing was changed.", EX_CONFIG)
    try:
        with closing(sqlite3.connect(target, timeout=0, isolation_level=None)) as database:
            # A checkpoint of the write-ahead log: from now on the database is a single file.
            database.execute("PRAGMA journal_mode=DELETE")
    except sqlite3.DatabaseError as error:
        code = error.sqlite_errorcode & 0xFF
        if code == sqlite3.SQLITE_BUSY:
            raise in_use from None
        if code not in (sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_CORRUPT):
            raise
    # SQLite itself does not lock a damaged database.
    with target.open("rb+") as file:
        try:
            fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB, *_LOCK_BYTES)
        except (BlockingIOError, PermissionError):
            raise in_use from None
        yield True


@contextmanager
def _folder_beside(target: Path) -> Generator[Path]:
    """Create a folder on the same disk, and delete it with its files after the block."""
    with TemporaryDirectory(
        prefix=f"{target.name}.new-", dir=target.parent, ignore_cleanup_errors=True
    ) as folder:
        yield Path(folder)


def _swap(new: Path, target: Path, *, exists: bool) -> Path | None:
    """Replace the database by `new`; return where the old database is kept, None if there was none.

    On a file system with hard links, a database is in place at every moment.
    """
    kept = _free_name(target)
    with ExitStack() as undo:
        for suffix in (*_SUFFIXES, ""):
            undo.callback(_put_back, _named(kept, suffix), _named(target, suffix))
        if exists:
            _link(target, kept)
        for suffix in _SUFFIXES:
            # The write-ahead log of the old database would corrupt the new one.
            if _named(target, suffix).exists():
                _named(target, suffix).rename(_named(kept, suffix))
        _sync(target.parent)
        if exists:
            new.replace(target)
        else:
            _link(new, target)
            undo.callback(target.unlink)
        _sync(target.parent)
        undo.pop_all()
    return kept if exists else None


def _named(database: Path, suffix: str) -> Path:
    return database.with_name(database.name + suffix)


def _free_name(target: Path) -> Path:
    first = _named(target, f".before-{datetime.now(UTC):%Y%m%d-%H%M%S}")
    names = (first if number == 1 else _named(first, f"-{number}") for number in count(1))
    return next(
        name for name in names if not any(_named(name, suffix).exists() for suffix in ("", *_SUFFIXES))
    )


def _link(old: Path, new: Path) -> None:
    """Create a hard link under a free name; rename the file on a file system without hard links."""
    try:
        os.link(old, new)
    except OSError as error:
        if error.errno not in (errno.EPERM, errno.EOPNOTSUPP, errno.ENOSYS) or new.exists():
            raise
        old.rename(new)


def _put_back(kept: Path, target: Path) -> None:
    if not kept.exists():
        return
    try:
        if target.exists() and target.samefile(kept):
            kept.unlink()
        else:
            kept.replace(target)
    except OSError as error:
        raise OperatorError(
            f"That did not work, and the old database is still set aside: rename {kept} to {target}.",
            EX_UNAVAILABLE,
        ) from error


def _sync(folder: Path) -> None:
    """Flush the names in a folder to the disk, so that they survive a power cut."""
    opened = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)
