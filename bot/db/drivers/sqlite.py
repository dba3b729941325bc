"""aiosqlite with one round trip to its thread for each statement, and BEGIN IMMEDIATE on the first.

SQLAlchemy's own adapter makes four: one each to make a cursor, execute, fetch and close. A round trip wakes a
thread and waits for Python's lock twice, which costs more than most statements do.

It relies on these names, which are private or undocumented, in the versions below:

- aiosqlite: `Connection._conn`, `Connection._execute`, `Connection._thread`;
- SQLAlchemy: `AsyncAdapt_aiosqlite_connection`, `AsyncAdapt_aiosqlite_cursor`, `AsyncAdapt_aiosqlite_dbapi`
  and the methods that are overridden below; `sqlalchemy.util.concurrency.await_` and `in_greenlet`.

It brings a find in 0.4 ms in place of 0.9 and an add in 1.7 in place of 2.3, and a statement that waits for a
lock ends 0.15 s after its command was cancelled, not 9.97 s. With other versions the stock driver takes its
place: `driver` returns None, and everything works, more slowly. `tests/db/test_driver_names.py` names each
private name. If `sqlalchemy/dialects/sqlite/aiosqlite.py` (https://github.com/sqlalchemy/sqlalchemy) executed
and fetched in one round trip, most of this would be needless.
"""

import asyncio
import logging
import sqlite3
import time
from collections import deque
from contextlib import suppress
from importlib.metadata import version
from typing import Any, Final

import aiosqlite
from sqlalchemy import Connection, Engine, event
from sqlalchemy.dialects.sqlite.aiosqlite import (
    AsyncAdapt_aiosqlite_connection,
    AsyncAdapt_aiosqlite_cursor,
    AsyncAdapt_aiosqlite_dbapi,
)
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.pool import ConnectionPoolEntry
from sqlalchemy.util.concurrency import await_, in_greenlet
from typing_extensions import override

log = logging.getLogger(__name__)

VERSIONS: Final = {"aiosqlite": "0.22.", "sqlalchemy": "2.1."}
"""The version prefixes in which the private names are known to exist."""

LOCK_STEP_SECONDS: Final = 0.2
"""Seconds that SQLite waits for a lock at a time. Nothing interrupts its wait, so it is asked repeatedly."""

READS: Final = "hero_roster_reads"
"""The execution option of an engine whose sessions only read, each statement on its own."""

_BEGIN: Final = "BEGIN IMMEDIATE"
"""The statement waits for the lock at the beginning, not half-way through the transaction."""


class _Cursor(AsyncAdapt_aiosqlite_cursor):
    """A cursor that executes and fetches in one round trip, and needs none to be made or closed."""

    __slots__ = ()
    _awaitable_cursor_close = False
    _cursor: Any
    _connection: Any
    _adapt_connection: Any

    def _make_new_cursor(self, connection: Any) -> Any:
        return connection._conn.cursor()  # noqa: SLF001 - aiosqlite's own cursor makes a round trip

    def _aenter_cursor(self, cursor: Any) -> Any:
        return cursor

    async def _execute_async(self, operation: Any, parameters: Any) -> None:
        def work() -> list[Any]:
            self._begin()
            self._execute_patiently(operation, parameters or ())
            return self._cursor.fetchall()

        async with self._adapt_connection._execute_mutex:  # noqa: SLF001 # pyright: ignore[reportPrivateUsage]
            self._rows = deque(await self._connection._execute(work))  # noqa: SLF001

    async def _executemany_async(self, operation: Any, seq_of_parameters: Any) -> None:
        def work() -> None:
            self._begin()
            self._cursor.executemany(operation, seq_of_parameters)

        async with self._adapt_connection._execute_mutex:  # noqa: SLF001 # pyright: ignore[reportPrivateUsage]
            await self._connection._execute(work)  # noqa: SLF001

    def _begin(self) -> None:
        if self._adapt_connection.begins:
            self._adapt_connection.begins = False
            self._execute_patiently(_BEGIN, ())

    def _execute_patiently(self, operation: Any, parameters: Any) -> None:
        """Execute, and wait for a lock that others hold."""
        until = None
        while True:
            try:
                self._cursor.execute(operation, parameters)
            except sqlite3.OperationalError as error:
                code = getattr(error, "sqlite_errorcode", None)
                if code not in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_BUSY_RECOVERY):
                    raise
                now = time.monotonic()
                if until is None:
                    until = now - LOCK_STEP_SECONDS + self._adapt_connection.lock_wait_seconds
                if now >= until or self._adapt_connection.terminated:
                    raise
                # SQLite does not wait at all for the lock that turns a new file to WAL.
                time.sleep(0.001)
            else:
                return


class DriverConnection(AsyncAdapt_aiosqlite_connection):
    """A connection that makes no round trip to end a transaction that never began, as after reading."""

    __slots__ = ("begins", "lock_wait_seconds", "terminated")
    _cursor_cls = _Cursor

    def __init__(self, dbapi: Any, connection: Any, lock_wait_seconds: float) -> None:
        super().__init__(dbapi, connection)
        self.lock_wait_seconds = lock_wait_seconds
        """Seconds that a statement waits for a lock."""
        self.begins = False
        """Whether the next statement begins a transaction, on the same round trip."""
        self.terminated = False
        """Whether nobody waits for its statement any more."""

    @override
    def rollback(self) -> None:
        self.begins = False
        if self._connection.in_transaction:
            super().rollback()

    @override
    def commit(self) -> None:
        self.begins = False
        if self._connection.in_transaction:
            super().commit()

    @override
    def terminate(self) -> None:
        """Close a connection whose statement was cancelled.

        SQLAlchemy's own method also stops the thread if it is cancelled in turn. The closing that is under
        way then waits for that thread for ever, and the process with it.
        """
        self.terminated = True
        if in_greenlet():
            await_(asyncio.shield(self._terminate_graceful_close()))
        else:
            self._terminate_force_close()

    async def _terminate_graceful_close(self) -> None:
        closing = asyncio.ensure_future(self._connection.close())
        while not closing.done():
            # The statement may not have begun yet, or the connection be closed already.
            with suppress(ValueError, sqlite3.ProgrammingError):
                self._connection._conn.interrupt()  # noqa: SLF001 # pyright: ignore[reportPrivateUsage]
            await asyncio.wait({closing}, timeout=0.05)
        await closing


class _Driver(AsyncAdapt_aiosqlite_dbapi):
    """The `module` for `create_async_engine`.

    Args:
        lock_wait_seconds: seconds that a statement waits for a lock.
    """

    def __init__(self, lock_wait_seconds: float) -> None:
        super().__init__(aiosqlite, sqlite3)
        self._lock_wait_seconds = lock_wait_seconds

    @override
    def connect(self, *arg: Any, **kw: Any) -> AsyncAdapt_aiosqlite_connection:
        connection = self.aiosqlite.connect(*arg, **kw)
        # A connection that is never closed does not keep the process.
        connection._thread.daemon = True  # noqa: SLF001
        try:
            return DriverConnection(self, await_(connection), self._lock_wait_seconds)
        except BaseException:
            # aiosqlite has told it to stop, but it still reports to an event loop that may be closed soon.
            if connection._thread.is_alive():  # noqa: SLF001
                connection._thread.join()  # noqa: SLF001
            raise


def driver(lock_wait_seconds: float) -> Any:
    """Return the `module` for `create_async_engine`; None for SQLAlchemy's own if a version is unknown.

    Args:
        lock_wait_seconds: seconds that a statement waits for a lock.
    """
    for library, known in VERSIONS.items():
        if not version(library).startswith(known):
            log.warning(
                "%s %s is not known to our SQLite driver; using the stock one", library, version(library)
            )
            return None
    return _Driver(lock_wait_seconds)


def listen(engine: Engine, lock_wait_seconds: float) -> None:
    """Set up each connection of an engine, and begin its transactions with BEGIN IMMEDIATE.

    Args:
        engine: with our driver, or the stock one.
        lock_wait_seconds: seconds that a statement waits for a lock.
    """

    def connected(connection: DBAPIConnection, _entry: ConnectionPoolEntry) -> None:
        # Python's driver would begin a transaction late, and not IMMEDIATE; `begun` does.
        connection.isolation_level = None
        ours = isinstance(connection, DriverConnection)
        cursor = connection.cursor()
        cursor.execute("PRAGMA journal_mode=WAL")
        cursor.execute("PRAGMA foreign_keys=ON")
        # In KiB, for each connection: the system keeps the file in memory as well.
        cursor.execute("PRAGMA cache_size=-256")
        # FULL: what the bot has confirmed to a member survives a power cut, also in WAL mode.
        cursor.execute("PRAGMA synchronous=FULL")
        # Deleted rows are overwritten, not just forgotten.
        cursor.execute("PRAGMA secure_delete=ON")
        cursor.execute(
            f"PRAGMA busy_timeout={int((LOCK_STEP_SECONDS if ours else lock_wait_seconds) * 1000)}"
        )
        cursor.close()

    def begun(connection: Connection) -> None:
        if connection.get_execution_options().get(READS):
            return
        adapted = connection.connection.dbapi_connection
        if isinstance(adapted, DriverConnection):
            adapted.begins = True
        else:
            connection.exec_driver_sql(_BEGIN)

    event.listen(engine, "connect", connected)
    event.listen(engine, "begin", begun)


def has_begun(connection: Any) -> bool:
    """Return whether we began a connection's transaction, or its first statement is to begin one."""
    if getattr(connection, "begins", False):
        return True
    # With an isolation level, Python's driver has begun it: late, and not IMMEDIATE.
    return connection.driver_connection.in_transaction and connection.isolation_level is None
