"""Opening the database at the start, or one clear line about why that is impossible."""

from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from typing import Any, Final

from sqlalchemy import URL
from sqlalchemy.exc import DBAPIError

from bot.db.engine import Database
from bot.db.migrate import migrate
from bot.errors import EX_CONFIG, EX_UNAVAILABLE, OperatorError

_POSTGRES: Final = {
    "28P01": "PostgreSQL refuses the user or the password",
    "28000": "PostgreSQL refuses the user",
    "3D000": "PostgreSQL has no database of that name",
    "42501": "PostgreSQL does not let this user make tables",
    "53300": "PostgreSQL has no connection to spare",
    "57P03": "PostgreSQL is still starting",
}
"""By SQLSTATE: https://www.postgresql.org/docs/current/errcodes-appendix.html"""
_SQLITE: Final = {
    "SQLITE_CANTOPEN": "the file can't be opened; check its folder and permissions",
    "SQLITE_READONLY": "the file can't be written; check its permissions",
    "SQLITE_NOTADB": "the file is not a SQLite database; correct the path, or restore a backup",
    "SQLITE_CORRUPT": "the file is damaged; restore a backup",
    "SQLITE_BUSY": "another process keeps the file locked",
    "SQLITE_FULL": "the disk is full",
}
"""By the primary result code: https://www.sqlite.org/rescode.html"""


@asynccontextmanager
async def plain_faults(url: URL) -> AsyncGenerator[None]:
    """Turn what a driver raises while the bot starts into an `OperatorError` that names the cause."""
    where = (
        url.database if url.get_backend_name() == "sqlite" else f"{url.host or 'the socket'}/{url.database}"
    )
    try:
        yield
    except DBAPIError as error:
        raise OperatorError(f"DATABASE_URL ({where}): {_reason(error)}.", EX_UNAVAILABLE) from error
    except TimeoutError as error:
        raise OperatorError(f"DATABASE_URL ({where}): no answer in time.", EX_UNAVAILABLE) from error
    except OSError as error:
        raise OperatorError(
            f"DATABASE_URL ({where}): nothing answers there ({error.strerror or type(error).__name__}).",
            EX_UNAVAILABLE,
        ) from error
    except ValueError as error:
        # asyncpg's word for an option of the URL that it does not understand.
        raise OperatorError(
            f"DATABASE_URL ({where}): an option of the URL is not valid.", EX_CONFIG
        ) from error


def _reason(error: DBAPIError) -> str:
    name: str = getattr(error.orig, "sqlite_errorname", "")
    state: str = getattr(error.orig, "sqlstate", None) or ""
    for code, reason in _SQLITE.items():
        if name.startswith(code):
            return reason
    return _POSTGRES.get(state) or f"the database says {name or state or type(error.orig).__name__}"


async def open_database(
    url: URL, *, log_sql: bool = False, info: Mapping[str, Any] | None = None
) -> Database:
    """Make the engine and bring the schema up to date; see `Database`.

    Raises:
        OperatorError: the database is unreachable, unwritable or unusable; the line says why.
    """
    database = Database(url, log_sql=log_sql, info=info)
    try:
        async with plain_faults(url):
            await migrate(database)
    except BaseException:
        await database.dispose()
        raise
    return database
