"""Bring a database to the newest schema, also when several processes try at once."""

import logging
from typing import Any, Final

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection
from sqlalchemy.ext.asyncio import AsyncEngine

from bot.db.engine import Database
from bot.errors import EX_CONFIG, OperatorError

log = logging.getLogger(__name__)

LOCK: Final = 0x4845524F
"""PostgreSQL's advisory lock that a migrating process holds; the number spells HERO."""


def alembic_config(connection: Connection | None = None) -> Config:
    """Return Alembic's settings, for use on `connection`."""
    config = Config()
    # In the installed package too, where there is no pyproject.toml.
    config.set_main_option("script_location", "bot.db:migrations")
    config.set_main_option("file_template", "%%(rev)s_%%(slug)s")
    config.attributes["connection"] = connection
    return config


def newest_revision() -> str | None:
    """The revision that this version of the bot needs."""
    return ScriptDirectory.from_config(alembic_config()).get_current_head()


def known_revisions() -> set[str]:
    """Every revision that this version of the bot can upgrade from, or needs."""
    return {script.revision for script in ScriptDirectory.from_config(alembic_config()).walk_revisions()}


def _revision(connection: Connection) -> str | None:
    return MigrationContext.configure(connection).get_current_revision()


async def current_revision(engine: AsyncEngine) -> str | None:
    """The revision that the database has; None where nothing has been migrated yet."""
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
    command.upgrade(alembic_config(connection), "head")
    log.info("migrated the database from schema %s to %s", have or "none", need)


async def migrate(database: Database) -> None:
    """Upgrade to the newest revision in one transaction: all of it or nothing.

    A second process that starts meanwhile waits for the first one's lock, then finds nothing to do.

    Raises:
        OperatorError: the database was made by a newer version of the bot.
        sqlalchemy.exc.DBAPIError: the database can't be reached or written.
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
