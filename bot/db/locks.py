"""Locks that are no rows: a number that one transaction holds at a time."""

from typing import Final

from sqlalchemy import text
from sqlmodel.ext.asyncio.session import AsyncSession

from bot.db.engine import database_of

_LOCK: Final = text(
    "SELECT pg_advisory_xact_lock(number)"
    " FROM (SELECT unnest(CAST(:numbers AS bigint[])) AS number ORDER BY 1) AS numbers"
)


async def lock_until_commit(session: AsyncSession, *numbers: int) -> None:
    """Lock numbers of 64 bits, in ascending order, until the transaction ends.

    SQLite needs no such lock: it has one writer at a time.

    Args:
        session: one that writes.
        numbers: the numbers to lock. To lock a number again in the same transaction changes nothing.
    """
    if not database_of(session).is_sqlite:
        connection = await session.connection()
        await connection.execute(_LOCK, {"numbers": sorted(set(numbers))})
