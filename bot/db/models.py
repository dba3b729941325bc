"""The tables, one class each."""

from datetime import UTC, datetime

from sqlalchemy import CheckConstraint, Index, MetaData, Text
from sqlmodel import Field, SQLModel, text

from bot.db.types import RowId, Snowflake, UtcDateTime, binary_text

# Alembic needs a name for each constraint to change it later, above all on SQLite.
SQLModel.metadata.naming_convention = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
        "pk": "pk_%(table_name)s",
    }
).naming_convention


def utcnow() -> datetime:
    """The present moment, aware, in UTC."""
    return datetime.now(UTC)


class Hero(SQLModel, table=True):
    """A character that a member plays. `bot.roster.rules` says what each field may hold."""

    __table_args__ = (
        CheckConstraint("length(name) BETWEEN 1 AND 80", "name"),
        CheckConstraint("length(name_key) >= 1", "name_key"),
        CheckConstraint("length(secret_name) >= 1", "secret_name"),
        CheckConstraint("age BETWEEN 0 AND 1000000", "age"),
        CheckConstraint("length(description) BETWEEN 1 AND 1000", "description"),
        CheckConstraint("version >= 1", "version"),
        # A removed hero's name is free for the next one.
        Index(
            "uq_hero_guild_id_name_key",
            "guild_id",
            "name_key",
            unique=True,
            sqlite_where=text("removed_at IS NULL"),
            postgresql_where=text("removed_at IS NULL"),
        ),
        # A number is never used twice: old messages keep buttons that name it.
        {"sqlite_autoincrement": True},
    )

    id: int = Field(default=None, primary_key=True, sa_type=RowId)
    """Numbered by the database."""
    guild_id: int = Field(sa_type=Snowflake)
    owner_id: int = Field(sa_type=Snowflake)
    name: str = Field(sa_type=binary_text(80))
    name_key: str = Field(sa_type=binary_text(400))
    secret_name: str = Field(sa_type=Text, repr=False)
    age: int | None = None
    description: str | None = Field(default=None, sa_type=Text)
    created_at: datetime = Field(default_factory=utcnow, sa_type=UtcDateTime)
    updated_at: datetime = Field(default_factory=utcnow, sa_type=UtcDateTime)
    removed_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    version: int = 1


class SyncedCommands(SQLModel, table=True):
    """The commands that Discord was last told about, so that it is told again only when they changed."""

    __tablename__ = "synced_commands"  # pyright: ignore[reportAssignmentType] - SQLModel takes a string

    application_id: int = Field(
        primary_key=True, sa_type=Snowflake, sa_column_kwargs={"autoincrement": False}
    )
    guild_id: int = Field(primary_key=True, sa_type=Snowflake, sa_column_kwargs={"autoincrement": False})
    """The guild they were registered in; 0 means everywhere."""
    fingerprint: str = Field(sa_type=Text)
    synced_at: datetime = Field(default_factory=utcnow, sa_type=UtcDateTime)
