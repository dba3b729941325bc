"""Draft the next migration: what the models have and the newest schema has not."""

import argparse
import asyncio
import tempfile
from pathlib import Path

from alembic import command
from sqlalchemy import URL, Connection

from bot.db.migrate import alembic_config, newest_revision
from bot.db.open import open_database


def _draft(connection: Connection, name: str) -> None:
    number = int(newest_revision() or "0") + 1
    command.revision(alembic_config(connection), name, autogenerate=True, rev_id=f"{number:04}")


async def draft(name: str) -> None:
    """Compare the models with a new SQLite database of the newest schema, and write the difference."""
    with tempfile.TemporaryDirectory() as folder:
        url = URL.create("sqlite+aiosqlite", database=str(Path(folder, "heroes.db")))
        database = await open_database(url)
        try:
            async with database.engine.connect() as connection:
                await connection.run_sync(_draft, name)
        finally:
            await database.dispose()


def _name(text: str) -> str:
    if not text.strip():
        raise argparse.ArgumentTypeError('say what it does: make migration NAME="a column for the colour"')
    return text


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("name", type=_name, help="what the migration does")
    asyncio.run(draft(parser.parse_args().name))
