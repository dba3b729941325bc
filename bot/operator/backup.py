"""Copying a SQLite database that is in use, and putting a copy back."""

import errno
import fcntl
import os
import sqlite3
from collections.abc import Callable, Generator
from contextlib import ExitStack, closing, contextmanager
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from sqlalchemy import URL

from bot.db.migrate import known_revisions
from bot.errors import EX_CONFIG, EX_UNAVAILABLE, OperatorError

_PAGES: Final = 256
"""Copied at a time, of 4 KiB each; then the progress is told."""
_LOCKS: Final = (512, 0x40000000)
"""How many bytes SQLite locks, from where: https://www.sqlite.org/fileformat.html#the_lock_byte_page"""
_BESIDE: Final = ("-wal", "-shm", "-journal")
"""Ends of the names of files that belong to a database: https://www.sqlite.org/tempfiles.html"""

Progress = Callable[[int, int], None]
"""Called with how many pages are copied, and of how many."""


def backup(url: URL, target: Path, progress: Progress) -> None:
    """Copy the database as it is at this moment, while the bot goes on writing to it.

    Args:
        url: of a SQLite database.
        target: a file that is not there yet; only its owner can read it.
        progress: told now and then.

    Raises:
        OperatorError: it is no SQLite database, it is not there, or the target is there already.
    """
    source = _file_of(url)
    if not source.exists():
        raise OperatorError(f"{source} is not there, so there is nothing to back up.", EX_CONFIG)
    with _new_file(target), _faults(), closing(sqlite3.connect(source)) as database:
        _copy(database, target, progress)


def restore(url: URL, copy: Path, progress: Progress) -> Path | None:
    """Put a backup in the place of the database, which is kept beside it. The bot must not be running.

    Broken off at any moment, it leaves the old database or the new one there, whole. A damaged database
    is replaced as well.

    Args:
        url: of the SQLite database.
        copy: a file that `backup` made.
        progress: told now and then.

    Returns:
        Where the old database is now; None if there was none.

    Raises:
        OperatorError: the copy is not whole or not of this bot, the database is in use, or the disk fails.
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
        with _alone(target) as there, _folder_beside(target) as folder:
            new = folder / target.name
            with _new_file(new), closing(_read_only(copy)) as source:
                _copy(source, new, progress)
            # What is checked now is what the bot will open, whatever became of the copy meanwhile.
            _check(new, copy)
            return _swap(new, target, there=there)


def _file_of(url: URL) -> Path:
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
    """Make an empty file that only its owner can read; it goes again if the block fails."""
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


def _check(database: Path, copy: Path) -> None:
    """Let pass a whole database of this version of the bot, or an older one; `copy` is what it is called."""
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
def _alone(target: Path) -> Generator[bool]:
    """Keep everybody else from the database until the end of the block; says whether there is one."""
    if not target.exists():
        yield False
        return
    in_use = OperatorError("The database is in use. Stop the bot first; nothing was changed.", EX_CONFIG)
    try:
        with closing(sqlite3.connect(target, timeout=0, isolation_level=None)) as database:
            # Takes the log into the database, so that all of it is one file.
            database.execute("PRAGMA journal_mode=DELETE")
    except sqlite3.DatabaseError as error:
        code = error.sqlite_errorcode & 0xFF
        if code == sqlite3.SQLITE_BUSY:
            raise in_use from None
        if code not in (sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_CORRUPT):
            raise
    # SQLite itself can't lock a damaged one.
    with target.open("rb+") as file:
        try:
            fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB, *_LOCKS)
        except (BlockingIOError, PermissionError):
            raise in_use from None
        yield True


@contextmanager
def _folder_beside(target: Path) -> Generator[Path]:
    """A folder on the same disk, which goes at the end of the block with all that is in it."""
    with TemporaryDirectory(
        prefix=f"{target.name}.new-", dir=target.parent, ignore_cleanup_errors=True
    ) as folder:
        yield Path(folder)


def _swap(new: Path, target: Path, *, there: bool) -> Path | None:
    """Put `new` in the place of the database; returns where that one is kept, None if there was none.

    Where the file system has hard links there is no moment without a database in its place.
    """
    kept = _free_name(target)
    with ExitStack() as undo:
        for end in (*_BESIDE, ""):
            undo.callback(_put_back, _named(kept, end), _named(target, end))
        if there:
            _link(target, kept)
        for end in _BESIDE:
            # A log that is not its own would spoil the new one.
            if _named(target, end).exists():
                _named(target, end).rename(_named(kept, end))
        _sync(target.parent)
        if there:
            new.replace(target)
        else:
            _link(new, target)
            undo.callback(target.unlink)
        _sync(target.parent)
        undo.pop_all()
    return kept if there else None


def _named(database: Path, end: str) -> Path:
    return database.with_name(database.name + end)


def _free_name(target: Path) -> Path:
    first = _named(target, f".before-{datetime.now(UTC):%Y%m%d-%H%M%S}")
    names = (first if number == 1 else _named(first, f"-{number}") for number in count(1))
    return next(name for name in names if not any(_named(name, end).exists() for end in ("", *_BESIDE)))


def _link(old: Path, new: Path) -> None:
    """Give a file a second name that nothing has yet; where that can't be, a new one."""
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
    """Let the names in a folder survive a power cut."""
    opened = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)
