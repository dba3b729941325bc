"""Bring a database to the newest schema, also when several processes try at once.

Alembic takes 8 MB, so it is imported only where there is something to migrate.
"""

import logging
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import Connection, inspect, text
from sqlalchemy.ext.asyncio import AsyncEngine

from bot.db.engine import Database
from bot.errors import EX_CONFIG, OperatorError

if TYPE_CHECKING:
    from alembic.config import Config

log = logging.getLogger(__name__)

LOCK: Final = 0x4845524F
"""PostgreSQL's advisory lock that a migrating process holds; the number spells HERO."""
VERSIONS: Final = Path(__file__).parent / "migrations" / "versions"
"""The migrations. Each file is named after its revision, a number of four digits: `0001_heroes.py`."""


def alembic_config(connection: Connection) -> "Config":
    """Return Alembic's settings, for use on `connection`."""
    from alembic.config import Config  # noqa: PLC0415

    config = Config(attributes={"connection": connection})
    config.set_main_option("script_location", "bot.db:migrations")
    config.set_main_option("file_template", "%%(rev)s_%%(slug)s")
    return config


def known_revisions() -> set[str]:
    """Return every revision that this version of the bot can upgrade from, or needs."""
    return {file.name.partition("_")[0] for file in VERSIONS.glob("[0-9]*.py")}


def newest_revision() -> str:
    """Return the revision that this version of the bot needs."""
    return max(known_revisions())


def _revision(connection: Connection) -> str | None:
    if not inspect(connection).has_table("alembic_version"):
        return None
    revision: str | None = connection.scalar(text("SELECT version_num FROM alembic_version"))
    return revision


async def current_revision(engine: AsyncEngine) -> str | None:
    """Return the revision that the database has; None if nothing has been migrated yet."""
    async with engine.connect() as connection:
        return await connection.run_sync(_revision)


def _upgrade(connection: Connection) -> None:
    have, need = _revision(connection), newest_revision()
    if have == need:
        return
    if have is not None and have not in known_revisions():
        raise OperatorError(
            f"The database has schema {have}, which a newer Hero Roster made. Update this one, "
            "or restore the backup from before the upgrade.",
            EX_CONFIG,
        )
    from alembic import command  # noqa: PLC0415

    command.upgrade(alembic_config(connection), "head")
    log.info("migrated the database from schema %s to %s", have or "none", need)


async def migrate(database: Database) -> None:
    """Upgrade to the newest revision in one transaction: all of it or nothing.

    A second process that starts meanwhile waits for the first one's lock, then finds nothing to do.

    Raises:
        OperatorError: the database was made by a newer version of the bot.
        sqlalchemy.exc.DBAPIError: the database is unreachable or read-only.
    """
    if database.is_sqlite:
        await _migrate_sqlite(database.engine)
        return
    async with database.engine.begin() as connection:
        # A migration may rightly take longer than a command.
        await connection.exec_driver_sql("SET LOCAL statement_timeout = 0")
        await connection.exec_driver_sql("SET LOCAL lock_timeout = 0")
        await connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({LOCK})")
        await connection.run_sync(_upgrade)


async def _migrate_sqlite(engine: AsyncEngine) -> None:
    async with engine.connect() as connection:
        # Batch mode rebuilds a table by dropping the old one; with foreign keys on, that would cascade.
        # SQLite ignores this pragma inside a transaction, so the driver is asked directly, before one.
        driver: Any = (await connection.get_raw_connection()).driver_connection
        await driver.execute("PRAGMA foreign_keys=OFF")
        try:
            async with connection.begin():
                await connection.run_sync(_upgrade)
        finally:
            await driver.execute("PRAGMA foreign_keys=ON")
