"""aiosqlite with one trip to its thread for each statement.

SQLAlchemy makes four: one each to make a cursor, execute, fetch and close. A trip wakes a thread and
waits for Python's lock twice, which costs more than what most statements do.
"""

import asyncio
import sqlite3
import time
from collections import deque
from contextlib import suppress
from typing import Any, Final

import aiosqlite
from sqlalchemy.dialects.sqlite.aiosqlite import (
    AsyncAdapt_aiosqlite_connection,
    AsyncAdapt_aiosqlite_cursor,
    AsyncAdapt_aiosqlite_dbapi,
)
from sqlalchemy.util.concurrency import await_, in_greenlet

LOCK_STEP: Final = 0.2
"""Seconds that SQLite waits for a lock at a time. Nothing ends its wait, so it is asked again and again."""


class _Cursor(AsyncAdapt_aiosqlite_cursor):
    """Executes and fetches in the thread; making and closing a cursor are too little for a trip."""

    __slots__ = ()
    _awaitable_cursor_close = False
    _cursor: Any
    _connection: Any
    _adapt_connection: Any

    def _make_new_cursor(self, connection: Any) -> Any:
        return connection._conn.cursor()  # noqa: SLF001 - aiosqlite's own cursor makes the trip

    def _aenter_cursor(self, cursor: Any) -> Any:
        return cursor

    async def _execute_async(self, operation: Any, parameters: Any) -> None:
        def work() -> list[Any]:
            self._begin()
            self._in_turn(operation, parameters or ())
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
        begin, self._adapt_connection.begin_with = self._adapt_connection.begin_with, None
        if begin is not None:
            self._in_turn(begin, ())

    def _in_turn(self, operation: Any, parameters: Any) -> None:
        """Execute, when others let go of the lock that it takes."""
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
                    until = now - LOCK_STEP + self._adapt_connection.patience
                if now >= until or self._adapt_connection.terminated:
                    raise
                # SQLite does not wait at all for the lock that turns a new file to WAL.
                time.sleep(0.001)
            else:
                return


class DriverConnection(AsyncAdapt_aiosqlite_connection):
    """Makes no trip to end a transaction that was never begun, as after reading."""

    __slots__ = ("begin_with", "patience", "terminated")
    _cursor_cls = _Cursor

    def __init__(self, dbapi: Any, connection: Any, patience: float) -> None:
        super().__init__(dbapi, connection)
        self.patience = patience
        """Seconds that a statement waits for a lock."""
        self.begin_with: str | None = None
        """What the next statement is to begin a transaction with, on the same trip."""
        self.terminated = False
        """Whether nobody waits for its statement any more."""

    def rollback(self) -> None:
        """Called by SQLAlchemy."""
        self.begin_with = None
        if self._connection.in_transaction:
            super().rollback()

    def commit(self) -> None:
        """Called by SQLAlchemy."""
        self.begin_with = None
        if self._connection.in_transaction:
            super().commit()

    def terminate(self) -> None:
        """Called by SQLAlchemy for a connection whose statement was cancelled.

        Its own also stops the thread where this is cancelled in turn, which leaves the closing that goes
        on meanwhile to wait for the thread for ever, and the process with it.
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


class Driver(AsyncAdapt_aiosqlite_dbapi):
    """The `module` for `create_async_engine`.

    Args:
        patience: seconds that a statement waits for a lock.
    """

    def __init__(self, patience: float) -> None:
        super().__init__(aiosqlite, sqlite3)
        self._patience = patience

    def connect(self, *arg: Any, **kw: Any) -> AsyncAdapt_aiosqlite_connection:
        """Called by SQLAlchemy's pool."""
        connection = self.aiosqlite.connect(*arg, **kw)
        # A connection that is never closed does not keep the process.
        connection._thread.daemon = True  # noqa: SLF001
        try:
            return DriverConnection(self, await_(connection), self._patience)
        except BaseException:
            # aiosqlite has told it to stop, but it still reports to an event loop that may be closed soon.
            if connection._thread.is_alive():  # noqa: SLF001
                connection._thread.join()  # noqa: SLF001
            raise
