"""SQLite's settings, and its driver where a statement or a connection fails."""

import asyncio
import sqlite3
import threading
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import URL, event
from sqlalchemy.exc import OperationalError
from sqlmodel import delete

from bot.db.engine import Database
from bot.db.models import Hero
from bot.db.open import open_database


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
