"""The one engine of the process, and the two ways to a session on it."""

import asyncio
from asyncio import CancelledError
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, nullcontext
from pathlib import Path
from typing import Final

from sqlalchemy import URL, Connection, event
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import InvalidatePoolError
from sqlalchemy.ext.asyncio import AsyncEngine, async_sessionmaker, create_async_engine
from sqlalchemy.pool import ConnectionPoolEntry, PoolProxiedConnection
from sqlmodel.ext.asyncio.session import AsyncSession

from bot.db.drivers import postgres
from bot.db.drivers.sqlite import LOCK_STEP, Driver, DriverConnection
from bot.errors import EX_CONFIG, OperatorError

WAIT: Final = 10.0
"""Seconds that a command waits for the database at most: for a connection, a lock or a statement."""


_TRUNCATE: Final = "PRAGMA wal_checkpoint(TRUNCATE)"
"""Returns whether it was kept from it, in the first column."""


ON_SQLITE: Final = 5
ON_POSTGRESQL: Final = 10
"""Connections of a process at most."""


class GivenUp(TimeoutError):  # noqa: N818 - nothing is wrong with the database
    """The process is ending, and nothing of this transaction is stored."""


class _Patience:
    """A block that `give_up` breaks off, as a timeout would.

    Args:
        among: where it is while it lasts.
    """

    __slots__ = ("_among", "_given_up", "_task")

    def __init__(self, among: "set[_Patience]") -> None:
        self._among = among
        self._given_up = False

    def __enter__(self) -> None:
        task = asyncio.current_task()
        assert task is not None, "sessions are used in tasks"
        self._task = task
        self._among.add(self)

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _trace: object) -> None:
        self._among.discard(self)
        # If somebody else cancels the task as well, that is what happens to it.
        if self._given_up and not self._task.uncancel() and kind is CancelledError:
            raise GivenUp from error

    def give_up(self) -> None:
        self._given_up = True
        self._task.cancel()


class Database:
    """One async engine, shared by everything in the process.

    Make it where an event loop runs (the bot does so in its `setup_hook`) and dispose of it last.

    Args:
        url: a URL with an async driver, as `bot.db.url.parse_url` makes it.
        log_sql: log each statement at INFO; never its parameters.

    Raises:
        OperatorError: the folder of a SQLite file can't be made.
    """

    def __init__(self, url: URL, *, log_sql: bool = False) -> None:
        self.is_sqlite = url.get_backend_name() == "sqlite"
        self.engine = _sqlite(url, log_sql=log_sql) if self.is_sqlite else _postgres(url, log_sql=log_sql)
        self._session = async_sessionmaker(self.engine, class_=AsyncSession, expire_on_commit=False)
        # A clone shares the engine's pool. On SQLite the real isolation level costs a trip to the
        # driver's thread for each session, so `begun` below reads an option of our own instead.
        self._reading = self.engine.execution_options(
            **{"reads_only": True} if self.is_sqlite else {"isolation_level": "AUTOCOMMIT"}
        )
        self._connections = asyncio.Semaphore(ON_SQLITE if self.is_sqlite else ON_POSTGRESQL)
        self._writer = asyncio.Semaphore(1)
        self._given_up = False
        self._waiting: set[_Patience] = set()

    @asynccontextmanager
    async def read(self) -> AsyncGenerator[AsyncSession]:
        """A session that only reads, each statement on its own: no transaction to begin or end.

        Raises:
            TimeoutError: no connection came free within `WAIT` seconds.
            GivenUp: see `give_up`.
        """
        async with self._turn(self._connections):
            session = self._session(bind=self._reading)
            try:
                with self._until_given_up():
                    yield session
            finally:
                # No transaction is open, so this waits for nothing. `async with` would make a task of it, to
                # keep a rollback from being cancelled half-way.
                await session.close()

    @asynccontextmanager
    async def write(self) -> AsyncGenerator[AsyncSession]:
        """A session in one transaction: committed at the end of the block, rolled back if it raises.

        On SQLite writers queue here, in asyncio, so that none of them meets the file's lock.

        Raises:
            TimeoutError: the writers ahead took more than `WAIT` seconds, or no connection came free in them.
            GivenUp: see `give_up`.
        """
        writing = self._turn(self._writer) if self.is_sqlite else nullcontext()
        async with writing, self._turn(self._connections), self._session() as session:
            with self._until_given_up():
                yield session
                await session.flush()
            # This is not given up: nobody could tell whether it is stored.
            await session.commit()

    @asynccontextmanager
    async def _turn(self, turns: asyncio.Semaphore) -> AsyncGenerator[None]:
        """Wait for one of so many turns, first come, first served.

        Of the pool's connections whoever asks when one is given back gets it at once, before those who wait.

        Raises:
            TimeoutError: none came within `WAIT` seconds.
            GivenUp: see `give_up`.
        """
        with self._until_given_up():
            if turns.locked():
                async with asyncio.timeout(WAIT):
                    await turns.acquire()
            else:
                await turns.acquire()
        try:
            yield
        finally:
            turns.release()

    def _until_given_up(self) -> "_Patience":
        if self._given_up:
            raise GivenUp
        return _Patience(self._waiting)

    def give_up(self) -> None:
        """Let every session that is not being committed yet fail at once, and any that comes later."""
        self._given_up = True
        for patience in self._waiting:
            patience.give_up()

    async def truncate_log(self) -> None:
        """Move SQLite's write-ahead log into the database, so that nothing older is left in it.

        Where others are reading just now it may stay, until the next time. PostgreSQL has no such log.
        """
        if self.is_sqlite:
            async with self.read() as session:
                connection = await session.connection()
                until = asyncio.get_running_loop().time() + WAIT
                while (await connection.exec_driver_sql(_TRUNCATE)).scalar():
                    if asyncio.get_running_loop().time() > until:
                        return
                    # SQLite does not wait by itself while another connection moves the log.
                    await asyncio.sleep(LOCK_STEP)

    async def dispose(self) -> None:
        """Close every connection. The database is of no use afterwards."""
        await self.engine.dispose()


def _sqlite(url: URL, *, log_sql: bool) -> AsyncEngine:
    assert url.database is not None, "parse_url lets no such URL through"
    folder = Path(url.database).parent
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OperatorError(
            f"The folder of the database, {folder}, can't be made: {error.strerror}.", EX_CONFIG
        ) from None
    engine = create_async_engine(
        url,
        module=Driver(WAIT),
        echo=log_sql,
        hide_parameters=True,
        pool_size=ON_SQLITE,
        max_overflow=0,
        pool_use_lifo=True,
        pool_timeout=WAIT,
    )

    def connected(connection: DBAPIConnection, _entry: ConnectionPoolEntry) -> None:
        # The driver's own BEGIN would come late; `begun` below says it instead.
        connection.isolation_level = None
        cursor = connection.cursor()
        cursor.execute("PRAGMA journal_mode=WAL")
        cursor.execute("PRAGMA foreign_keys=ON")
        # In KiB, for each connection: the system keeps the file in memory as well.
        cursor.execute("PRAGMA cache_size=-256")
        # FULL: what the bot has confirmed to a member survives a power cut, also in WAL mode.
        cursor.execute("PRAGMA synchronous=FULL")
        # What is erased is overwritten, not just forgotten.
        cursor.execute("PRAGMA secure_delete=ON")
        cursor.execute(f"PRAGMA busy_timeout={int(LOCK_STEP * 1000)}")
        cursor.close()

    def begun(connection: Connection) -> None:
        # IMMEDIATE: a lock that can't be had is waited for here, not refused half-way through.
        if not connection.get_execution_options().get("reads_only"):
            driver = connection.connection.dbapi_connection
            assert isinstance(driver, DriverConnection)
            driver.begin_with = "BEGIN IMMEDIATE"

    event.listen(engine.sync_engine, "connect", connected)
    event.listen(engine.sync_engine, "begin", begun)
    return engine


def _postgres(url: URL, *, log_sql: bool) -> AsyncEngine:
    milliseconds = str(int(WAIT * 1000))
    engine = create_async_engine(
        url,
        module=postgres.Driver(),
        # Whoever has waited for a member's turn counts what was committed meanwhile.
        isolation_level="READ COMMITTED",
        echo=log_sql,
        hide_parameters=True,
        pool_size=ON_POSTGRESQL,
        # In seconds: sooner than networks forget a connection that nobody uses.
        pool_recycle=300,
        max_overflow=0,
        pool_timeout=WAIT,
        connect_args={
            "timeout": 5.0,
            # The client gives up after the server, whose refusal leaves the connection in order.
            "command_timeout": WAIT + 2,
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
        # asyncpg sees a server go without asking it; to ping takes three trips to PostgreSQL.
        if connection.driver_connection.is_closed():
            raise InvalidatePoolError

    event.listen(engine.sync_engine, "checkout", checked_out)
    return engine
