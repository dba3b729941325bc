"""asyncpg with a first statement on the trip that begins a transaction.

A trip to PostgreSQL takes longer than most of what a short statement does there.
"""

from importlib import import_module
from typing import Any

from sqlalchemy.dialects.postgresql.asyncpg import AsyncAdapt_asyncpg_connection, AsyncAdapt_asyncpg_dbapi
from sqlalchemy.util.concurrency import await_
from sqlmodel.ext.asyncio.session import AsyncSession


class _Begun:
    """A transaction for SQLAlchemy to end; asyncpg's own would begin it on a trip of its own."""

    __slots__ = ("_connection",)

    def __init__(self, connection: Any) -> None:
        self._connection = connection

    async def commit(self) -> None:
        await self._connection.execute("COMMIT")

    async def rollback(self) -> None:
        await self._connection.execute("ROLLBACK")


class _Connection(AsyncAdapt_asyncpg_connection):
    begin_with: str | None = None
    """What is executed along with the next BEGIN."""
    isolation_level: str | None
    _connection: Any
    _transaction: Any

    @property
    def has_begun(self) -> bool:
        return self._transaction is not None or self.begin_with is not None

    async def _start_transaction(self) -> None:
        first, self.begin_with = self.begin_with, None
        if first is None:
            await super()._start_transaction()  # pyright: ignore[reportPrivateUsage]
            return
        # It has begun also when what follows fails, and is to be rolled back then.
        self._transaction = _Begun(self._connection)
        try:
            await self._connection.execute(f"BEGIN ISOLATION LEVEL READ COMMITTED; {first}")
        except Exception as error:  # noqa: BLE001 - becomes one of SQLAlchemy's
            self._handle_exception(error)

    def rollback(self) -> None:
        """Called by SQLAlchemy."""
        self.begin_with = None
        super().rollback()

    def commit(self) -> None:
        """Called by SQLAlchemy."""
        self.begin_with = None
        super().commit()


class Driver(AsyncAdapt_asyncpg_dbapi):
    """The `module` for `create_async_engine`, whose `connect_args` can then be asyncpg's alone."""

    asyncpg: Any

    def __init__(self) -> None:
        # Not before it is needed, which on SQLite is never.
        super().__init__(import_module("asyncpg"))

    def connect(self, *arg: Any, **kw: Any) -> AsyncAdapt_asyncpg_connection:
        """Called by SQLAlchemy's pool."""
        return await_(_Connection.create(self, self.asyncpg.connect(*arg, **kw)))


async def begin_with(session: AsyncSession, sql: str) -> bool:
    """Have something executed on the trip on which the transaction of a session begins.

    Args:
        session: one that writes, on PostgreSQL.
        sql: has no parameters, returns nothing of interest, and is not logged.

    Returns:
        False if it has begun already, or is to begin with something else; then nothing is done.
    """
    connection = (await session.connection()).sync_connection
    assert connection is not None
    driver = connection.connection.dbapi_connection
    assert isinstance(driver, _Connection)
    assert driver.isolation_level != "autocommit", "a session that only reads has no transaction"
    if driver.has_begun:
        return False
    driver.begin_with = sql
    return True
