"""The engine, the schema, and how queries run."""

import asyncio
import sqlite3
import threading
from collections.abc import Awaitable, Callable
from contextlib import closing
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import URL, Connection, event, insert, text
from sqlalchemy.exc import IntegrityError, OperationalError, StatementError
from sqlmodel import SQLModel, delete, select
from sqlmodel.ext.asyncio.session import AsyncSession

from bot.db.engine import ON_POSTGRESQL, ON_SQLITE, Database
from bot.db.migrate import alembic_config, current_revision, migrate, newest_revision
from bot.db.models import Hero
from bot.db.open import open_database
from bot.errors import OperatorError
from bot.roster.adding import add_hero, new_hero
from bot.roster.asker import Asker
from bot.roster.heroes import heroes_named
from bot.roster.quota import Quota, take_turns
from bot.roster.search import find_hero, suggest_names
from bot.roster.vault import Vault

ANN = Asker(2, quota=Quota(changes_per_minute=1_000, heroes_per_member=1_000))


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


async def test_sqlite_is_tuned_as_promised(tmp_path: Path) -> None:
    database = await open_database(URL.create("sqlite+aiosqlite", database=str(tmp_path / "heroes.db")))
    async with database.read() as session:
        connection = await session.connection()
        values = {
            name: (await connection.exec_driver_sql(f"PRAGMA {name}")).scalar_one()
            for name in ("journal_mode", "foreign_keys", "synchronous", "busy_timeout")
        }
    await database.dispose()

    assert values == {"journal_mode": "wal", "foreign_keys": 1, "synchronous": 2, "busy_timeout": 200}


async def test_a_block_that_fails_leaves_nothing_behind(db: Database) -> None:
    with pytest.raises(ZeroDivisionError):
        async with db.write() as session:
            await add_hero(
                session,
                new_hero(guild_id=1, owner_id=ANN.id, vault=Vault(), name="Deadpond", secret_name="x"),
                ANN.quota,
            )
            raise ZeroDivisionError

    async with db.write() as session:
        await add_hero(
            session,
            new_hero(guild_id=1, owner_id=ANN.id, vault=Vault(), name="Deadpond", secret_name="x"),
            ANN.quota,
        )
    async with db.read() as session:
        assert len((await session.exec(select(Hero))).all()) == 1


async def test_many_writers_queue_and_all_succeed(db: Database) -> None:
    async def add(number: int) -> None:
        async with db.write() as session:
            await add_hero(
                session,
                new_hero(guild_id=1, owner_id=ANN.id, vault=Vault(), name=f"Hero {number}", secret_name="x"),
                ANN.quota,
            )

    await asyncio.gather(*(add(number) for number in range(100)))

    async with db.read() as session:
        assert len((await session.exec(select(Hero.id))).all()) == 100


async def test_who_waits_for_a_connection_gets_it_before_who_comes_anew(db: Database) -> None:
    connections = ON_SQLITE if db.is_sqlite else ON_POSTGRESQL
    order: list[str] = []
    all_taken, all_wait = asyncio.Barrier(connections + 1), asyncio.Event()

    async def use(name: str) -> None:
        async with db.read() as session:
            await session.connection()
            order.append(name)
            await session.exec(select(1))

    async def hold() -> None:
        async with db.read() as session:
            await session.exec(select(1))
            await all_taken.wait()
            await all_wait.wait()
        await use("again")

    async with asyncio.timeout(10), asyncio.TaskGroup() as group:
        for _ in range(connections):
            group.create_task(hold())
        await all_taken.wait()
        for _ in range(connections):
            group.create_task(use("waited"))
        # They begin to wait.
        await asyncio.sleep(0)
        all_wait.set()

    assert order == ["waited"] * connections + ["again"] * connections


@pytest.mark.parametrize("new_url", ["postgresql"], indirect=True)
async def test_what_was_committed_meanwhile_is_counted_whatever_the_server_would_rather(new_url: URL) -> None:
    before = await open_database(new_url)
    async with before.engine.connect() as connection:
        await connection.execute(
            text(f"ALTER DATABASE {new_url.database} SET default_transaction_isolation = 'repeatable read'")
        )
        await connection.commit()
    await before.dispose()

    database = await open_database(new_url)
    async with database.write() as session:
        connection = await session.connection()
        assert (await connection.execute(text("SHOW transaction_isolation"))).scalar() == "read committed"
    async with database.write() as session:
        await take_turns(session, 1)
        connection = await session.connection()
        assert (await connection.execute(text("SHOW transaction_isolation"))).scalar() == "read committed"
    await database.dispose()


SNOWFLAKE = 2**63 - 1


@pytest.mark.parametrize(
    "wrong",
    [
        {"name": ""},
        {"name": "x" * 81},
        {"age": -1},
        {"age": 1_000_001},
        {"description": ""},
        {"description": "x" * 1_001},
        {"secret_name": ""},
        {"version": 0},
        {"owner_id": None},
    ],
    ids=str,
)
async def test_the_database_itself_refuses_what_the_rules_forbid(db: Database, wrong: dict[str, Any]) -> None:
    values: dict[str, Any] = {
        "guild_id": SNOWFLAKE,
        "owner_id": SNOWFLAKE,
        "name": "Deadpond",
        "name_key": "deadpond",
        "secret_name": "x",
        "version": 1,
    }
    hero = Hero(**(values | wrong))
    # The length of a VARCHAR is PostgreSQL's own error, not a constraint's.
    with pytest.raises((IntegrityError, StatementError)):
        async with db.write() as session:
            session.add(hero)
            await session.flush()


async def test_moments_and_snowflakes_come_back_as_they_went(db: Database) -> None:
    moment = datetime(2026, 3, 1, 12, 30, 15, 123456, timezone(timedelta(hours=-5)))
    hero = Hero(
        guild_id=SNOWFLAKE, owner_id=SNOWFLAKE, name="A", name_key="a", secret_name="b", created_at=moment
    )
    async with db.write() as session:
        session.add(hero)
    async with db.read() as session:
        read = (await session.exec(select(Hero))).one()

    assert (read.guild_id, read.owner_id) == (SNOWFLAKE, SNOWFLAKE)
    assert read.created_at == moment
    assert read.created_at.tzinfo is UTC


async def test_a_number_is_never_used_twice(db: Database) -> None:
    async def add(name: str) -> int:
        async with db.write() as session:
            return (
                await add_hero(
                    session,
                    new_hero(guild_id=1, owner_id=ANN.id, vault=Vault(), name=name, secret_name="x"),
                    ANN.quota,
                )
            ).id

    await add("First")
    last = await add("Last")
    async with db.write() as session:
        await session.delete(await session.get_one(Hero, last))

    assert await add("Next") > last


@pytest.mark.parametrize("url", ["postgresql"], indirect=True)
async def test_connections_that_the_server_dropped_are_replaced_unnoticed(db: Database) -> None:
    async with db.write() as session:
        await add_hero(
            session,
            new_hero(guild_id=1, owner_id=ANN.id, vault=Vault(), name="Deadpond", secret_name="x"),
            ANN.quota,
        )
    hung_up = asyncio.Event()

    def hangs_up(_connection: object) -> None:
        hung_up.set()

    async with db.engine.connect() as connection:
        driver: Any = (await connection.get_raw_connection()).driver_connection
        driver.add_termination_listener(hangs_up)

    other = Database(db.engine.url)
    async with other.engine.connect() as connection:
        dropped = await connection.exec_driver_sql(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            "WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
        assert len(dropped.all()) == 1
    await other.dispose()
    # It hangs up when it gets to it.
    async with asyncio.timeout(10):
        await hung_up.wait()

    async with db.read() as session:
        assert (await find_hero(session, guild_id=1, name="Deadpond")).owner_id == 2


@pytest.fixture
async def crowded(db: Database) -> Database:
    """100,000 heroes in guild 1 and 1,000 in each of a few others."""
    rows = [
        {
            "guild_id": 1 if number < 100_000 else 2 + number % 10,
            "owner_id": number % 500,
            "name": f"Hero {number}",
            "name_key": f"hero {number}",
            "secret_name": "x",
        }
        for number in range(110_000)
    ]
    async with db.engine.begin() as connection:
        await connection.execute(insert(Hero), rows)
        await connection.execute(text("ANALYZE"))
    return db


async def plan(db: Database, work: Callable[[AsyncSession], Awaitable[object]], how: str) -> list[str]:
    """How the database goes about each statement of some work."""
    statements: list[tuple[str, Any]] = []

    def executed(_c: object, _cursor: object, statement: str, parameters: Any, *_rest: object) -> None:
        statements.append((statement, parameters))

    async with db.read() as session:
        event.listen(db.engine.sync_engine, "before_cursor_execute", executed)
        await work(session)
        event.remove(db.engine.sync_engine, "before_cursor_execute", executed)
        connection = await session.connection()
        return [
            "\n".join(str(row) for row in await connection.exec_driver_sql(f"{how} {sql}", parameters))
            for sql, parameters in statements
        ]


async def test_finding_and_suggesting_among_100_000_use_the_index(crowded: Database) -> None:
    async def work(session: AsyncSession) -> None:
        hero = await find_hero(session, guild_id=1, name="HERO 99999")
        several = await heroes_named(session, [(1, "hero 99998"), (2, "hero 7"), (1, "hero 5")])
        names = await suggest_names(session, guild_id=1, typed="hero 9999")
        assert [each and each.name for each in several] == ["Hero 99998", None, "Hero 5"]
        assert hero.name == "Hero 99999"
        assert names == ["Hero 9999", *(f"Hero 9999{digit}" for digit in range(10))]

    explain = "EXPLAIN QUERY PLAN" if crowded.is_sqlite else "EXPLAIN"
    exact, together, suggesting = await plan(crowded, work, explain)
    for found in (exact, together):
        assert "uq_hero_guild_id_name_key" in found, found
        assert "Seq Scan" not in found, found
        assert "SCAN hero" not in found, found
    assert not crowded.is_sqlite or "name_key=?" in together, together
    # What holds it elsewhere takes a look at the whole guild, by whichever way the planner finds shorter.
    starts = "name_key>? AND name_key<?" if crowded.is_sqlite else "name_key)::text >= 'hero 9999'"
    assert starts in suggesting, suggesting


async def test_nothing_is_looked_for_inside_names_where_enough_start_with_it(crowded: Database) -> None:
    async def work(session: AsyncSession) -> None:
        assert len(await suggest_names(session, guild_id=1, typed="hero 9")) == 25

    if not crowded.is_sqlite:
        [ran] = await plan(crowded, work, "EXPLAIN ANALYZE")
        assert "never executed" in ran, ran
        return
    steps = 0

    def stepped() -> None:
        nonlocal steps
        steps += 1000

    async with crowded.read() as session:
        raw = await (await session.connection()).get_raw_connection()
        assert raw.driver_connection is not None
        await raw.driver_connection.set_progress_handler(stepped, 1000)
        await work(session)
    assert steps < 10_000, "a look at each name takes a step at least"


async def test_a_statement_cancelled_twice_leaves_no_task_behind(tmp_path: Path) -> None:
    url = URL.create("sqlite+aiosqlite", database=str(tmp_path / "heroes.db"))
    db = await open_database(url)
    executing = asyncio.Event()
    event.listen(db.engine.sync_engine, "before_cursor_execute", lambda *_: executing.set())

    async def write() -> None:
        async with db.write() as session:
            await session.exec(delete(Hero))

    with closing(sqlite3.connect(tmp_path / "heroes.db", isolation_level=None)) as other_process:
        other_process.execute("BEGIN IMMEDIATE")
        writing = asyncio.create_task(write())
        await executing.wait()
        for _ in range(2):
            # As by whoever started it, and again by a process that ends.
            await asyncio.sleep(0)
            await asyncio.sleep(0)
            writing.cancel()
    left = asyncio.all_tasks() - {asyncio.current_task()}
    _, pending = await asyncio.wait(left, timeout=10)
    assert not pending
    assert writing.cancelled()
    await db.dispose()


async def test_a_file_that_cannot_be_opened_leaves_no_thread_behind(tmp_path: Path) -> None:
    before = set(threading.enumerate())
    database = Database(URL.create("sqlite+aiosqlite", database=str(tmp_path)))

    with pytest.raises(OperationalError):
        async with database.engine.connect():
            pass

    # Those of other tests may end meanwhile.
    assert set(threading.enumerate()) <= before
    await database.dispose()
