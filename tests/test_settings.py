from pathlib import Path

import pytest
from sqlalchemy import URL

from bot.db.url import parse_url
from bot.errors import OperatorError
from bot.roster.vault import new_key
from bot.settings import Settings, load_settings


@pytest.mark.parametrize(
    ("given", "database"),
    [
        ("sqlite:///data/heroes.db", "data/heroes.db"),
        ("sqlite:////var/lib/heroes.db", "/var/lib/heroes.db"),
        ("sqlite+aiosqlite:///x.db", "x.db"),
    ],
)
def test_sqlite_urls(given: str, database: str) -> None:
    url = parse_url(given)
    assert (url.drivername, url.database) == ("sqlite+aiosqlite", database)


@pytest.mark.parametrize("scheme", ["postgres", "postgresql", "postgresql+psycopg2", "postgresql+asyncpg"])
@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("", {}),
        ("?sslmode=require", {"ssl": "require"}),
        ("?sslmode=verify-full&channel_binding=require", {"ssl": "verify-full"}),
        ("?host=/run/postgresql&pgbouncer=true", {"host": "/run/postgresql"}),
    ],
)
def test_postgresql_urls_as_hosts_hand_them_out(scheme: str, query: str, expected: dict[str, str]) -> None:
    url = parse_url(f"{scheme}://ann:p%40ss@db.example:5433/heroes{query}")

    assert url.drivername == "postgresql+asyncpg"
    assert (url.username, url.password, url.host, url.port) == ("ann", "p@ss", "db.example", 5433)
    assert url.database == "heroes"
    assert dict(url.query) == expected


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ("mysql://ann:hunter2@db/heroes", "does not know"),
        ("hunter2", "not a database URL"),
        ("postgres://ann:hunter2@db:port/heroes", "not a database URL"),
        ("postgres://ann:hunter2@db", "names no database"),
        ("sqlite://", "names no file"),
        ("sqlite:///:memory:", "names no file"),
        ("sqlite://heroes.db", "three slashes"),
    ],
)
def test_urls_that_cannot_work_say_what_to_write_and_never_repeat_a_password(given: str, says: str) -> None:
    with pytest.raises(ValueError, match=says) as caught:
        parse_url(given)
    assert "hunter2" not in str(caught.value)


def test_a_missing_driver_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bot.db.url._DRIVERS", {"sqlite": "aiosqlite_that_is_not_there"})
    with pytest.raises(ValueError, match="pip install aiosqlite_that_is_not_there"):
        parse_url("sqlite:///x.db")


def test_the_defaults() -> None:
    settings = load_settings()
    assert settings.discord_token is None
    assert settings.database_url == URL.create("sqlite+aiosqlite", database="data/heroes.db")
    assert (settings.log_level, settings.log_format, settings.log_sql) == ("INFO", "text", False)


def test_the_environment_wins_over_the_file_and_empty_means_default(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / ".env").write_text("LOG_LEVEL=error\nLOG_FORMAT=json\nDATABASE_URL=\nUNKNOWN=1\n")
    monkeypatch.setenv("LOG_LEVEL", "debug")

    settings = load_settings()

    assert (settings.log_level, settings.log_format) == ("DEBUG", "json")


def test_every_wrong_variable_is_named_at_once_and_none_is_echoed(monkeypatch: pytest.MonkeyPatch) -> None:
    wrong = {
        "DISCORD_TOKEN": "hunter2 hunter2",
        "DATABASE_URL": "mysql://ann:hunter2@db/heroes",
        "DISCORD_API_URL": "hunter2",
        "DISCORD_GATEWAY_URL": "http://hunter2/",
        "LOG_LEVEL": "hunter2",
        "LOG_FORMAT": "hunter2",
        "LOG_SQL": "hunter2",
        "DEV_GUILD_ID": "hunter2",
    }
    for name, value in wrong.items():
        monkeypatch.setenv(name, value)

    with pytest.raises(OperatorError) as caught:
        load_settings()

    assert caught.value.code == 78
    lines = caught.value.line.splitlines()[1:]
    assert [line.split()[0] for line in lines] == list(wrong)
    assert "hunter2" not in caught.value.line


def test_no_secret_shows_in_the_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DISCORD_TOKEN", "hunter2")
    monkeypatch.setenv("DATABASE_URL", "postgres://ann:hunter2@db/heroes")

    settings = load_settings()

    assert "hunter2" not in f"{settings!r} {settings} {settings.database_url}"


def test_the_example_documents_every_variable() -> None:
    example = Path(__file__).parent.parent.joinpath(".env.example").read_text()
    named = {line.partition("=")[0] for line in example.splitlines() if line and not line.startswith("#")}
    assert named == {name.upper() for name in Settings.model_fields}


def test_bad_keys_are_refused_and_not_echoed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECRET_KEYS", f"{new_key()},hunter2")
    with pytest.raises(OperatorError) as caught:
        load_settings()
    assert "SECRET_KEYS must hold keys" in caught.value.line
    assert "hunter2" not in caught.value.line
    monkeypatch.setenv("SECRET_KEYS", f"{new_key()}, {new_key()}")
    assert len(load_settings().secret_keys) == 2
