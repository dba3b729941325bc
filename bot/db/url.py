"""Database URLs as people and hosts write them, turned into what SQLAlchemy's async drivers take."""

from importlib.util import find_spec
from typing import Any, Final

from sqlalchemy import URL, make_url
from sqlalchemy.exc import ArgumentError

DEFAULT_URL: Final = URL.create("sqlite+aiosqlite", database="data/heroes.db")

_DRIVERS: Final = {"sqlite": "aiosqlite", "postgres": "asyncpg", "postgresql": "asyncpg"}


def parse_url(value: Any) -> URL:
    """Turn a `sqlite:///`, `postgres://` or `postgresql://` URL into one with its async driver.

    libpq's `sslmode` becomes asyncpg's `ssl`, which knows the same words. Other options that hosts
    append for libpq alone, such as `channel_binding` and `pgbouncer`, are left out.

    Args:
        value: a URL in text, or one already parsed.

    Raises:
        ValueError: with what to write instead; it never repeats the URL, which may hold a password.
    """
    try:
        url = make_url(value)
    except (ArgumentError, ValueError):
        raise ValueError(
            "is not a database URL; write sqlite:///data/heroes.db or postgresql://user:password@host/name"
        ) from None
    backend = url.drivername.partition("+")[0]
    driver = _DRIVERS.get(backend)
    if driver is None:
        raise ValueError("names a database that Hero Roster does not know; use sqlite:// or postgresql://")
    if find_spec(driver) is None:
        raise ValueError(
            f"needs the driver {driver}, which is missing here; install it: pip install {driver}"
        )
    return _sqlite(url) if backend == "sqlite" else _postgresql(url)


def _sqlite(url: URL) -> URL:
    if url.host:
        raise ValueError(
            "needs three slashes before a relative path (sqlite:///data/heroes.db), "
            "four before an absolute one"
        )
    if not url.database or url.database == ":memory:":
        raise ValueError("names no file; write sqlite:///data/heroes.db")
    return url.set(drivername="sqlite+aiosqlite")


def _postgresql(url: URL) -> URL:
    if not url.database:
        raise ValueError("names no database; end it with one: postgresql://user:password@host/name")
    query = {key: word for key, word in url.query.items() if key in ("host", "port", "ssl")}
    if "sslmode" in url.query:
        query["ssl"] = url.query["sslmode"]
    return url.set(drivername="postgresql+asyncpg", query=query)
