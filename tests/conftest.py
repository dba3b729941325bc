import os
from collections.abc import AsyncGenerator, Iterator
from pathlib import Path

import pytest
from simcord import Env
from sqlalchemy import URL

from bot.db.engine import Database
from bot.db.open import open_database
from bot.settings import Settings
from tests.support.databases import PostgresServer, postgres_server
from tests.support.world import World, discord_on, populate

# No test, nor a process that it starts, reads the settings of whoever runs the tests.
for variable in set(os.environ):
    if variable.lower() in Settings.model_fields:
        del os.environ[variable]


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    with postgres_server() as server:
        yield server


@pytest.fixture(scope="session")
def shared_postgres_url(postgres: PostgresServer) -> Iterator[URL]:
    with postgres.shared_database() as created:
        yield created


@pytest.fixture(autouse=True)
def _own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:  # pyright: ignore[reportUnusedFunction]
    """Neither the .env nor the database of whoever runs the tests is in reach."""
    monkeypatch.chdir(tmp_path)


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path_url: URL) -> URL:
    """A migrated database with nothing in it, or the file where one will be; each test runs on both."""
    if request.param == "sqlite":
        return tmp_path_url
    shared: URL = request.getfixturevalue("shared_postgres_url")
    request.getfixturevalue("postgres").empty()
    return shared


@pytest.fixture(params=["sqlite", "postgresql"])
def new_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[URL]:
    """A database that nobody has migrated."""
    if request.param == "sqlite":
        yield URL.create("sqlite+aiosqlite", database=str(tmp_path / "new" / "heroes.db"))
        return
    postgres: PostgresServer = request.getfixturevalue("postgres")
    with postgres.new_database() as url:
        yield url


@pytest.fixture
def tmp_path_url(tmp_path: Path) -> URL:
    """A SQLite file, for tests of what does not depend on the database."""
    return URL.create("sqlite+aiosqlite", database=str(tmp_path / "heroes.db"))


@pytest.fixture
async def db(url: URL) -> AsyncGenerator[Database]:
    database = await open_database(url)
    yield database
    await database.dispose()


@pytest.fixture
async def other(db: Database) -> AsyncGenerator[Database]:
    """The same database by an engine with connections of its own, as another process would have."""
    database = Database(db.engine.url)
    yield database
    await database.dispose()


@pytest.fixture
async def env(url: URL) -> AsyncGenerator[Env]:
    async with discord_on(url) as running:
        yield running


@pytest.fixture
def world(env: Env) -> World:
    return populate(env)
