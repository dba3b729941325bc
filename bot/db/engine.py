"""The one engine of the process, and the two ways to a session on it."""

import asyncio
from collections.abc import AsyncGenerator, Generator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from functools import partial
from pathlib import Path
from typing import Any, Final, cast

from sqlalchemy import URL, event
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import InvalidatePoolError
from sqlalchemy.ext.asyncio import AsyncEngine, async_sessionmaker, create_async_engine
from sqlalchemy.pool import ConnectionPoolEntry, PoolProxiedConnection
from sqlmodel.ext.asyncio.session import AsyncSession

from bot.db.drivers import sqlite
from bot.db.drivers.session import LazySession
from bot.errors import EX_CONFIG, OperatorError

MAX_WAIT_SECONDS: Final = 10.0
"""Seconds that a command waits for the database: for a connection, a lock or a statement."""
CHECKPOINT_RETRY_SECONDS: Final = 0.2
"""Time between two tries to empty SQLite's write-ahead log."""

SQLITE_POOL_SIZE: Final = 5
POSTGRESQL_POOL_SIZE: Final = 10


class GivenUp(TimeoutError):  # noqa: N818 - nothing is wrong with the database
    """The process is ending, and nothing of this transaction is stored."""


class Database:
    """One async engine, shared by everything in the process.

    Make it where an event loop runs (the bot does so in its `setup_hook`) and dispose of it last.

    Args:
        url: a URL with an async driver, as `bot.db.url.parse_url` makes it.
        log_sql: log each statement at INFO; never its parameters.
        info: the entries that each session carries in its `info`.

    Raises:
        OperatorError: the folder of a SQLite file is impossible to make.
    """

    def __init__(self, url: URL, *, log_sql: bool = False, info: Mapping[str, Any] | None = None) -> None:
        self.is_sqlite = url.get_backend_name() == "sqlite"
        self.engine = _sqlite(url, log_sql=log_sql) if self.is_sqlite else _postgresql(url, log_sql=log_sql)
        self._sessions = async_sessionmaker(
            class_=AsyncSession,
            sync_session_class=LazySession,
            expire_on_commit=False,
            info={**(info or {}), "database": self},
        )
        # Clones share the engine's pool. On SQLite an isolation level costs a round trip to the driver's
        # thread for each session; an option of ours, which the driver reads, costs none.
        self._reading = self.engine.execution_options(
            **{sqlite.READS: True} if self.is_sqlite else {"isolation_level": "AUTOCOMMIT"}
        )
        self._connections = asyncio.Semaphore(SQLITE_POOL_SIZE if self.is_sqlite else POSTGRESQL_POOL_SIZE)
        self._writer = asyncio.Semaphore(1)
        self._given_up = False
        self._open_timeouts: dict[AsyncSession, asyncio.Timeout] = {}

    @asynccontextmanager
    async def read(self) -> AsyncGenerator[AsyncSession]:
        """Open a session that only reads, each statement on its own: no transaction to begin or end.

        It takes a connection when it first needs one, in the order in which sessions ask.

        Raises:
            TimeoutError: no connection came free within `MAX_WAIT_SECONDS`.
            GivenUp: see `give_up`.
        """
        async with AsyncExitStack() as held:
            session = self._sessions(bind=self._reading)
            _sync(session).take_turn = partial(self._take, held, self._connections)
            try:
                async with self._until_given_up(session):
                    yield session
            finally:
                # No transaction is open, so this waits for nothing. `async with` would make a task of it, to
                # keep a rollback from being cancelled half-way.
                await session.close()

    @asynccontextmanager
    async def write(self) -> AsyncGenerator[AsyncSession]:
        """Open a session in one transaction: committed at the end of the block, rolled back if it raises.

        On SQLite writers queue here, in asyncio, so that none of them meets the file's lock.

        Raises:
            TimeoutError: the writers ahead took more than `MAX_WAIT_SECONDS`, or no connection came free.
            GivenUp: see `give_up`.
        """
        turns = (self._writer, self._connections) if self.is_sqlite else (self._connections,)
        async with AsyncExitStack() as held, self._sessions(bind=self.engine) as session:
            _sync(session).take_turn = partial(self._take, held, *turns)
            async with self._until_given_up(session):
                yield session
                pending = session.new or session.dirty or session.deleted
                if _sync(session).take_turn is not None and not pending:
                    # Never used: a batch has stored the changes.
                    return
                await session.flush()
            if session.in_transaction():
                await self._check_begun(session)
            # No `give_up` from here on: nobody could tell whether the transaction is stored.
            await session.commit()

    async def _take(self, held: AsyncExitStack, *turns: asyncio.Semaphore) -> None:
        """Wait for one of so many turns at each semaphore; hold them until `held` is closed.

        SQLAlchemy's pool is not fair: a new caller can overtake those already waiting. A semaphore is FIFO.

        Raises:
            TimeoutError: `MAX_WAIT_SECONDS` went by.
        """
        for semaphore in turns:
            async with asyncio.timeout(MAX_WAIT_SECONDS):
                await semaphore.acquire()
            held.callback(semaphore.release)

    async def _check_begun(self, session: AsyncSession) -> None:
        """Raise if an upgraded library no longer begins transactions as we do: writes would be lost.

        Raises:
            RuntimeError: this session's statements ran outside a transaction.
        """
        raw = await (await session.connection()).get_raw_connection()
        begun = (
            sqlite.has_begun(raw.dbapi_connection)
            if self.is_sqlite
            else cast("Any", raw.driver_connection).is_in_transaction()
        )
        if not begun:
            raise RuntimeError("a session that writes has begun no transaction")

    @asynccontextmanager
    async def _until_given_up(self, session: AsyncSession) -> AsyncGenerator[None]:
        if self._given_up:
            raise GivenUp
        # It has no deadline yet; `give_up` sets one.
        timeout = asyncio.timeout(None)
        try:
            async with timeout:
                self._open_timeouts[session] = timeout
                try:
                    yield
                finally:
                    del self._open_timeouts[session]
        except TimeoutError as error:
            if timeout.expired():
                raise GivenUp from error
            raise

    def give_up(self) -> None:
        """Fail every session that is not being committed yet, at once, and every session that comes later."""
        self._given_up = True
        now = asyncio.get_running_loop().time()
        for timeout in self._open_timeouts.values():
            timeout.reschedule(now)

    @contextmanager
    def left_to_a_batch(self, session: AsyncSession) -> Generator[None]:
        """Spare a session from `give_up` while a batch does its work.

        The batch has a session of its own, which fails in time, or is being committed and does not fail.
        """
        timeout = self._open_timeouts.pop(session)
        try:
            yield
        finally:
            self._open_timeouts[session] = timeout

    async def truncate_log(self) -> None:
        """Checkpoint SQLite's write-ahead log, so that nothing older is left in it.

        If others keep reading, the log may stay until the next time. PostgreSQL has no such log.
        """
        if self.is_sqlite:
            async with self.read() as session:
                connection = await session.connection()
                until = asyncio.get_running_loop().time() + MAX_WAIT_SECONDS
                # The first column says whether somebody kept it from being emptied.
                while (await connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")).scalar():
                    if asyncio.get_running_loop().time() > until:
                        return
                    # SQLite does not wait by itself while another connection checkpoints.
                    await asyncio.sleep(CHECKPOINT_RETRY_SECONDS)

    async def dispose(self) -> None:
        """Close all connections. Do not use the database after this."""
        await self.engine.dispose()


def database_of(session: AsyncSession) -> Database:
    """Return the database that a session belongs to."""
    return session.info["database"]


def is_untouched(session: AsyncSession, *, writes: bool) -> bool:
    """Return whether a session that writes, or one that only reads, has not used the database yet."""
    sync = _sync(session)
    database = database_of(session)
    return sync.take_turn is not None and (sync.bind is database.engine.sync_engine) is writes


def _sync(session: AsyncSession) -> LazySession:
    return cast("LazySession", session.sync_session)


def _sqlite(url: URL, *, log_sql: bool) -> AsyncEngine:
    assert url.database is not None, "parse_url accepts no such URL"
    folder = Path(url.database).parent
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OperatorError(
            f"The folder of the database, {folder}, is impossible to make: {error.strerror}.", EX_CONFIG
        ) from None
    engine = create_async_engine(
        url,
        module=sqlite.driver(MAX_WAIT_SECONDS),
        echo=log_sql,
        hide_parameters=True,
        pool_size=SQLITE_POOL_SIZE,
        max_overflow=0,
        pool_use_lifo=True,
        pool_timeout=MAX_WAIT_SECONDS,
    )
    sqlite.listen(engine.sync_engine, MAX_WAIT_SECONDS)
    return engine


def _postgresql(url: URL, *, log_sql: bool) -> AsyncEngine:
    milliseconds = str(int(MAX_WAIT_SECONDS * 1000))
    engine = create_async_engine(
        url,
        # A transaction that has waited for a lock counts what was committed meanwhile.
        isolation_level="READ COMMITTED",
        echo=log_sql,
        hide_parameters=True,
        pool_size=POSTGRESQL_POOL_SIZE,
        # In seconds: sooner than networks drop an idle connection.
        pool_recycle=300,
        max_overflow=0,
        # The connection used last has its statements prepared already.
        pool_use_lifo=True,
        pool_timeout=MAX_WAIT_SECONDS,
        connect_args={
            "timeout": 5.0,
            # The client gives up after the server, whose refusal leaves the connection in order.
            "command_timeout": MAX_WAIT_SECONDS + 2,
            "server_settings": {
                "application_name": "hero-roster",
                "statement_timeout": milliseconds,
                "lock_timeout": milliseconds,
                "idle_in_transaction_session_timeout": milliseconds,
            },
        },
    )

    def checked_out(
        connection: DBAPIConnection, _entry: ConnectionPoolEntry, _proxy: PoolProxiedConnection
    ) -> None:
        # asyncpg notices a server that closes the connection; a ping would cost three round trips.
        if connection.driver_connection.is_closed():
            raise InvalidatePoolError

    event.listen(engine.sync_engine, "checkout", checked_out)
    return engine
