"""Column types that mean the same on SQLite and PostgreSQL."""

from datetime import UTC, datetime
from enum import StrEnum

from sqlalchemy import BigInteger, DateTime, Dialect, Enum, Integer, String, TypeDecorator

Snowflake = BigInteger
"""A Discord id: 64 bits, more than PostgreSQL's INTEGER holds."""

RowId = BigInteger().with_variant(Integer(), "sqlite")
"""A primary key of 64 bits on both; SQLite numbers rows by itself only in a column declared INTEGER."""


def binary_text(length: int) -> String:
    """Return a type for text that compares by code point on both databases, whatever the server's locale.

    Args:
        length: characters it holds at most.
    """
    return String(length).with_variant(String(length, collation="C"), "postgresql")


def words(kind: type[StrEnum]) -> Enum:
    """Return a type for an enumeration, as text of up to 20 characters: a new word needs no new schema."""

    def values(_kind: type[StrEnum]) -> list[str]:
        return [member.value for member in kind]

    return Enum(kind, native_enum=False, length=20, values_callable=values)


class UtcDateTime(TypeDecorator[datetime]):
    """An aware moment in UTC, also from SQLite, which keeps no time zones."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Store in UTC; refuse a naive moment, whose meaning is a guess."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a moment needs a time zone")
        return value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Read as aware UTC."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)
