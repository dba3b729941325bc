"""How Alembic runs: on the connection it is handed, or, from its own command line, on DATABASE_URL's."""

import asyncio

from alembic import context
from sqlalchemy import Connection
from sqlmodel import SQLModel

from bot.db import models
from bot.db.engine import Database
from bot.settings import load_settings


def run(connection: Connection) -> None:
    """Run the migrations on an open connection; whoever opened it commits."""
    context.configure(
        connection=connection,
        target_metadata=SQLModel.metadata,
        render_as_batch=connection.dialect.name == "sqlite",
        transaction_per_migration=False,
    )
    with context.begin_transaction():
        context.run_migrations()


async def run_alone() -> None:
    """Serve `alembic revision --autogenerate` and its kin."""
    database = Database(load_settings().database_url)
    try:
        async with database.engine.begin() as connection:
            await connection.run_sync(run)
    finally:
        await database.dispose()


assert models.SQLModel.metadata is SQLModel.metadata
handed: Connection | None = context.config.attributes.get("connection")
if handed is None:
    asyncio.run(run_alone())
else:
    run(handed)
