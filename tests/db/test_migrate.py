"""The schema, and how a database gets to it."""

import asyncio

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import URL, Connection
from sqlmodel import SQLModel

from bot.db.migrate import alembic_config, current_revision, migrate, newest_revision
from bot.db.open import open_database
from bot.errors import OperatorError


async def test_the_migrations_make_what_the_models_say(new_url: URL) -> None:
    def differences(connection: Connection) -> list[object]:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        return list(compare_metadata(context, SQLModel.metadata))

    database = await open_database(new_url)
    async with database.engine.connect() as connection:
        assert await connection.run_sync(differences) == []
    assert await current_revision(database.engine) == newest_revision()
    await database.dispose()


async def test_the_migrations_lead_back_to_nothing(new_url: URL) -> None:
    from alembic import command

    def downgrade(connection: Connection) -> None:
        command.downgrade(alembic_config(connection), "base")

    database = await open_database(new_url)
    async with database.engine.begin() as connection:
        await connection.run_sync(downgrade)
    assert await current_revision(database.engine) is None
    await migrate(database)
    assert await current_revision(database.engine) == newest_revision()
    await database.dispose()


async def test_processes_that_start_at_once_migrate_once(new_url: URL) -> None:
    # Each engine has connections of its own, as each process would.
    databases = await asyncio.gather(*(open_database(new_url) for _ in range(4)))

    for database in databases:
        assert await current_revision(database.engine) == newest_revision()
        await database.dispose()


async def test_the_schema_of_a_newer_version_is_left_alone(new_url: URL) -> None:
    database = await open_database(new_url)
    async with database.engine.begin() as connection:
        await connection.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
    await database.dispose()

    with pytest.raises(OperatorError, match="newer Hero Roster"):
        await open_database(new_url)
