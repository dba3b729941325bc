"""Back up a SQLite database that is in use, and restore a backup."""

import errno
import os
import sqlite3
import sys
from collections.abc import Callable, Generator
from contextlib import ExitStack, closing, contextmanager
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import IO, TYPE_CHECKING, Final

from bot.db.migrate import known_revisions
from bot.errors import EX_CONFIG, EX_UNAVAILABLE, OperatorError

if TYPE_CHECKING:
    from sqlalchemy import URL

_STEP_PAGES: Final = 256
"""Pages of 4 KiB that are copied between two reports of progress."""
_LOCK_BYTES: Final = (512, 0x40000000)
"""Length and start of the range that SQLite locks: https://www.sqlite.org/fileformat.html#the_lock_byte_page"""
_SUFFIXES: Final = ("-wal", "-shm", "-journal")
"""Suffixes of the files that belong to a database: https://www.sqlite.org/tempfiles.html"""

Progress = Callable[[int, int], None]
"""Takes the number of pages that are copied and the number of all pages."""


def backup(url: "URL", target: Path, progress: Progress) -> None:
    """Copy the database as it is at this moment, while the bot continues to write to it.

    Args:
        url: the URL of a SQLite database.
        target: the file to create; only its owner can read it.
        progress: called after every step.

    Raises:
        OperatorError: the database is missing or not SQLite, the target exists, or the disk fails.
    """
    source = _file_of(url)
    if not source.exists():
        raise OperatorError(f"{source} is not there, so there is nothing to back up.", EX_CONFIG)
    with _new_file(target), _faults(), closing(sqlite3.connect(source)) as database:
        _copy(database, target, progress)


def restore(url: "URL", copy: Path, progress: Progress) -> Path | None:
    """Replace the database by a backup, and keep the old database beside it. The bot must not be running.

    An interruption at any moment leaves either the old database or the new one in place, complete. A damaged
    database is replaced as well.

    Args:
        url: the URL of the SQLite database.
        copy: a file that `backup` made.
        progress: called after every step.

    Returns:
        Where the old database is now; None if there was none.

    Raises:
        OperatorError: the copy is damaged or not of this bot, the database is in use, or the disk fails.
    """
    target = _file_of(url)
    if target.is_symlink():
        target = target.resolve()
    if not copy.exists():
        raise OperatorError(f"{copy} is not there.", EX_CONFIG)
    with _faults():
        if target.exists() and copy.samefile(target):
            raise OperatorError(
                f"{copy} is the database itself, not a backup. Nothing was changed.", EX_CONFIG
            )
        _check(copy, copy)
        target.parent.mkdir(parents=True, exist_ok=True)
        with _locked(target) as exists, _folder_beside(target) as folder:
            new = folder / target.name
            with _new_file(new), closing(_read_only(copy)) as source:
                _copy(source, new, progress)
            # The bot will open this file. The copy may have changed since the first check.
            _check(new, copy)
            return _swap(new, target, exists=exists)


def _file_of(url: "URL") -> Path:
    if url.get_backend_name() != "sqlite" or url.database is None:
        raise OperatorError("This is for SQLite. For PostgreSQL, use pg_dump and pg_restore.", EX_CONFIG)
    return Path(url.database)


@contextmanager
def _faults() -> Generator[None]:
    try:
        yield
    except (sqlite3.Error, OSError) as error:
        raise OperatorError(f"That did not work: {error}. Nothing was changed.", EX_UNAVAILABLE) from error


@contextmanager
def _new_file(path: Path) -> Generator[None]:
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


def _copy(source: sqlite3.Connection, target: Path, progress: Progress) -> None:
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


def _read_only(path: Path) -> sqlite3.Connection:
    return sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro&immutable=1", uri=True)


def _check(database: Path, copy: Path) -> None:
    """Raise an error unless a database is intact and of this version of the bot or an older one.

    Args:
        database: the file to check.
        copy: the name to use in the error.
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
            _lock(file)
        except (BlockingIOError, PermissionError):
            raise in_use from None
        yield True


def _lock(file: IO[bytes]) -> None:
    """Take SQLite's locks on an open database file until it is closed.

    Raises:
        BlockingIOError, PermissionError: another process has one of them.
    """
    if sys.platform == "win32":
        # Windows refuses to replace a file that another process has open.
        return
    import fcntl  # noqa: PLC0415

    fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB, *_LOCK_BYTES)


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
    """Create a hard link under a free name; rename the file where hard links are impossible."""
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
    if sys.platform == "win32":
        # Windows does not open folders.
        return
    opened = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)
