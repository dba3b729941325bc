"""The tables, one class each."""

from datetime import UTC, datetime
from enum import StrEnum
from secrets import token_hex
from typing import NewType

from sqlalchemy import JSON, CheckConstraint, Index, LargeBinary, MetaData, Text, false
from sqlmodel import Field, SQLModel, text

from bot.db.types import RowId, Snowflake, UtcDateTime, binary_text, words

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
    """Return the present moment, aware, in UTC."""
    return datetime.now(UTC)


SealedSecret = NewType("SealedSecret", str)
"""A secret identity as `bot.roster.vault.Vault` seals it, which alone reads it."""


def new_binding() -> str:
    """Return a random text that no other hero has."""
    return token_hex(16)


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
        # With `removed_at`, the heroes of a guild or a member are counted without a look at each.
        Index("ix_hero_guild_id_owner_id_removed_at", "guild_id", "owner_id", "removed_at"),
        # For the start, which looks up the keys in use, and for a rotation, which looks up what is left.
        Index("ix_hero_secret_key", "secret_key"),
        # For the purge: the removed heroes, the first removed first.
        Index(
            "ix_hero_removed_at",
            "removed_at",
            sqlite_where=text("removed_at IS NOT NULL"),
            postgresql_where=text("removed_at IS NOT NULL"),
        ),
        # A number is never used twice: old messages keep buttons that name it.
        {"sqlite_autoincrement": True},
    )

    id: int = Field(default=None, primary_key=True, sa_type=RowId)
    """Numbered by the database."""
    guild_id: int = Field(sa_type=Snowflake)
    owner_id: int = Field(sa_type=Snowflake)
    has_portrait: bool = Field(default=False, sa_column_kwargs={"server_default": false()})
    """Whether a `Portrait` belongs to it, so that a card without one costs no second look."""
    name: str = Field(sa_type=binary_text(80))
    name_key: str = Field(sa_type=binary_text(400))
    sealed_secret: SealedSecret = Field(sa_type=Text, sa_column_kwargs={"name": "secret_name"}, repr=False)
    secret_key: str | None = Field(default=None, sa_type=Text)
    """The name of the key that encrypts the secret identity; None where it is plain text."""
    secret_binding: str = Field(
        default_factory=new_binding,
        sa_type=Text,
        sa_column_kwargs={"name": "secret_seal", "server_default": ""},
    )
    """Encrypted along with the secret identity, so that what was encrypted for another hero does not fit."""
    age: int | None = None
    description: str | None = Field(default=None, sa_type=Text)
    created_at: datetime = Field(default_factory=utcnow, sa_type=UtcDateTime)
    updated_at: datetime = Field(default_factory=utcnow, sa_type=UtcDateTime)
    removed_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    version: int = 1


class Action(StrEnum):
    """The events in a hero's history."""

    ADDED = "added"
    EDITED = "edited"
    PORTRAYED = "portrayed"
    REMOVED = "removed"
    RESTORED = "restored"
    TRANSFERRED = "transferred"
    CLAIMED = "claimed"
    CONFIDED = "confided"
    UNCONFIDED = "unconfided"
    LOOKED = "looked"


class HistoryEntry(SQLModel, table=True):
    """An action of a member on a hero."""

    __tablename__ = "history"  # pyright: ignore[reportAssignmentType] - SQLModel takes a string
    __table_args__ = (
        Index("ix_history_guild_id_hero_id_id", "guild_id", "hero_id", "id"),
        Index("ix_history_actor_id_at", "actor_id", "at"),
        Index("ix_history_other_id", "other_id"),
        {"sqlite_autoincrement": True},
    )

    id: int = Field(default=None, primary_key=True, sa_type=RowId)
    guild_id: int = Field(sa_type=Snowflake)
    hero_id: int = Field(foreign_key="hero.id", ondelete="CASCADE", sa_type=RowId)
    actor_id: int | None = Field(sa_type=Snowflake)
    """The member who did it; None once that member's traces are erased."""
    other_id: int | None = Field(default=None, sa_type=Snowflake)
    """The owner before, or a confidant; None once that member's traces are erased."""
    action: Action = Field(sa_type=words(Action))
    changes: dict[str, list[str | int | None]] = Field(default_factory=dict, sa_type=JSON)
    """Old and new value by the name of the field; of a secret identity only that it changed: no values."""
    at: datetime = Field(default_factory=utcnow, sa_type=UtcDateTime)


class Portrait(SQLModel, table=True):
    """A hero's picture, apart from the hero, whose row would grow a hundredfold."""

    hero_id: int = Field(primary_key=True, foreign_key="hero.id", ondelete="CASCADE", sa_type=RowId)
    guild_id: int = Field(sa_type=Snowflake)
    image: bytes = Field(sa_type=LargeBinary)
    """WebP, at most 512 x 512 pixels."""


class Confidant(SQLModel, table=True):
    """A member whom the owner trusts with the secret identity of one hero."""

    hero_id: int = Field(primary_key=True, foreign_key="hero.id", ondelete="CASCADE", sa_type=RowId)
    user_id: int = Field(
        primary_key=True, index=True, sa_type=Snowflake, sa_column_kwargs={"autoincrement": False}
    )
    guild_id: int = Field(sa_type=Snowflake)
    since: datetime = Field(default_factory=utcnow, sa_type=UtcDateTime)


class Departure(SQLModel, table=True):
    """A guild that the bot was removed from, whose data is deleted some time later."""

    guild_id: int = Field(primary_key=True, sa_type=Snowflake, sa_column_kwargs={"autoincrement": False})
    left_at: datetime = Field(sa_type=UtcDateTime)


class DailyTask(SQLModel, table=True):
    """The last run of a task that runs once a day, in whichever process."""

    __tablename__ = "daily_task"  # pyright: ignore[reportAssignmentType] - SQLModel takes a string

    name: str = Field(primary_key=True)
    started_at: datetime = Field(sa_type=UtcDateTime)


class SyncedCommands(SQLModel, table=True):
    """The commands that Discord was last told about: it is told again only when they changed."""

    __tablename__ = "synced_commands"  # pyright: ignore[reportAssignmentType] - SQLModel takes a string

    application_id: int = Field(
        primary_key=True, sa_type=Snowflake, sa_column_kwargs={"autoincrement": False}
    )
    guild_id: int = Field(primary_key=True, sa_type=Snowflake, sa_column_kwargs={"autoincrement": False})
    """The guild they were registered in; 0 means everywhere."""
    fingerprint: str = Field(sa_type=Text)
    synced_at: datetime = Field(default_factory=utcnow, sa_type=UtcDateTime)
