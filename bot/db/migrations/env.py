"""Run the migrations on the connection that the caller hands to Alembic; the caller commits."""

from alembic import context
from sqlalchemy import Connection
from sqlmodel import SQLModel

from bot.db import models

assert models.SQLModel.metadata is SQLModel.metadata
connection: Connection = context.config.attributes["connection"]
context.configure(
    connection=connection,
    target_metadata=SQLModel.metadata,
    render_as_batch=connection.dialect.name == "sqlite",
    transaction_per_migration=False,
)
with context.begin_transaction():
    context.run_migrations()
