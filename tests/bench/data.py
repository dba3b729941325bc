"""Heroes in bulk: where they live, what they are called, and how they get into each bot's tables."""

import asyncio
import importlib
import sqlite3
from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import product
from typing import Any, Final

from sqlalchemy import URL

from tests.wire.wire import FIRST_GUILD

ADDING: Final = 0
"""The guild, by its number on the stand-in, in which the bench adds heroes; empty at first."""
USUAL: Final = range(1, 11)
"""Guilds of `USUAL_SIZE` heroes that the bench reads from."""
LARGE: Final = 11
"""The guild of `LARGE_SIZE` heroes, where there are as many."""
GUILDS: Final = 12
"""How many guilds the stand-in has; the bots know the others from their tables alone."""
USUAL_SIZE: Final = 100
LARGE_SIZE: Final = 100_000
OWNERS: Final = 20
"""How many members play a usual guild's heroes."""

_GIVEN = (
    "Amara Bren Cato Dara Edda Falk Gwen Hale Ines Jory Kael Lena Milo Nora Odin Petra Quin Rhea "
    "Sten Tara Ulla Vera Wren Xeno Yara Zane Aldo Bela Cleo Dion Elio Fern Gaia Hugo Iris Juno Kira "
    "Lars Mira Niko"
)
_EPITHETS = (
    "Bold Calm Dark Fair Glad Grey Grim Just Keen Kind Lame Last Late Loud Lost Mad Meek Mild Neat "
    "Odd Old Pale Poor Proud Pure Quick Quiet Rash Red Rich Sad Shy Slow Sly Small Stern Still Stout "
    "Strong Swift Tall Thin Tired True Vain Wary Wild Wise Young Zealous"
)
_PLACES = (
    "Ashford Birchwood Coldwater Dunmore Eastmarch Fairhaven Greystone Highcliff Ironvale Jadefell "
    "Kingsbridge Longmeadow Mossgate Northwick Oakhurst Pinecrest Quarrytown Ravenscar Silverlake "
    "Thornfield Umberland Valecross Westbrook Yarrowdale Zephyrhill Amberton Blackmoor Cedarbrook "
    "Deepwell Elmstead Foxhollow Goldcrest Hawkridge Icefall Junipers Knollwood Lakemont Millbank "
    "Nightshade Orchardton Peakstone Quillport Redfern Stonebury Tanglewood Undermere Violetwick "
    "Windermere Yewbank Zincmore"
)
NAMES: Final = [
    f"{given} the {epithet} of {place}"
    for given, epithet, place in product(_GIVEN.split(), _EPITHETS.split(), _PLACES.split())
]
_STRIDE = 7919  # a prime, so that a guild's names are from all over the list, and none twice


def guild_id(number: int) -> int:
    return (FIRST_GUILD + number) << 22


def hero_name(guild: int, number: int) -> str:
    """What the hero of that number in the guild of that number is called."""
    return NAMES[(guild * USUAL_SIZE + number) * _STRIDE % len(NAMES)]


def _everywhere(total: int) -> Iterator[tuple[int, int, str]]:
    """Guild, owner and name of each hero."""
    large = LARGE_SIZE if total > LARGE_SIZE else 0
    for number in range(large):
        yield guild_id(LARGE), guild_id(LARGE) + 2 + number % (large // 5), hero_name(LARGE, number)
    for number in range(total - large):
        place, index = divmod(number, USUAL_SIZE)
        guild = USUAL[place] if place < len(USUAL) else GUILDS + place
        yield guild_id(guild), guild_id(guild) + 2 + index % OWNERS, hero_name(guild, index)


_WHEN = datetime(2026, 1, 1, tzinfo=UTC)
_DESCRIPTION = "Walks by night, sings by day, and has never once been seen without the hat."
_SEALED = "g" * 164  # as long as an encrypted secret identity, which no measurement reads

PLAIN = {"hero": "id guild_id owner_id name secret_name age description"}
OURS = {
    "hero": "id guild_id owner_id name name_key secret_name secret_key secret_seal age description "
    "created_at updated_at version",
    "history": "guild_id hero_id actor_id action changes at",
}


def _rows(table: str, total: int, key_name: str | None, when: Any) -> Iterator[tuple[Any, ...]]:
    """The rows of a table: of `OURS` with the name of a key, of `PLAIN` without."""
    for number, (guild, owner, name) in enumerate(_everywhere(total), start=1):
        age = number % 90
        if table == "history":
            yield guild, number, owner, "added", "{}", when
        elif key_name is None:
            yield number, guild, owner, name, "Nobody", age, _DESCRIPTION
        else:
            key = name.casefold()
            secret = (_SEALED, key_name, "0" * 32)
            yield number, guild, owner, name, key, *secret, age, _DESCRIPTION, when, when, 1


async def fill(url: URL, total: int, key_name: str | None = None) -> None:
    """Put so many heroes into the empty tables that a bot has made: ours if there is the name of a key."""
    if url.get_backend_name() == "sqlite":
        await asyncio.to_thread(_fill_sqlite, str(url.database), total, key_name)
    else:
        await _fill_postgres(url, total, key_name)


def _fill_sqlite(file: str, total: int, key_name: str | None) -> None:
    connection = sqlite3.connect(file)
    connection.execute("PRAGMA synchronous=OFF")
    connection.execute("PRAGMA cache_size=-400000")
    when = _WHEN.strftime("%Y-%m-%d %H:%M:%S.%f")
    for table, columns in (PLAIN if key_name is None else OURS).items():
        names = columns.split()
        marks = ", ".join("?" * len(names))
        statement = f"INSERT INTO {table} ({', '.join(names)}) VALUES ({marks})"
        connection.executemany(statement, _rows(table, total, key_name, when))
    connection.commit()
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.close()


async def _fill_postgres(url: URL, total: int, key_name: str | None) -> None:
    dsn = url.set(drivername="postgresql").render_as_string(hide_password=False)
    driver: Any = importlib.import_module("asyncpg")  # it comes without types
    connection = await driver.connect(dsn)
    # Without this each row of the history would look for its hero.
    await connection.execute("SET session_replication_role = replica")
    for table, columns in (PLAIN if key_name is None else OURS).items():
        records = _rows(table, total, key_name, _WHEN)
        await connection.copy_records_to_table(table, columns=columns.split(), records=records)
        number = f"(SELECT max(id) FROM {table})"
        await connection.execute(f"SELECT setval(pg_get_serial_sequence('{table}', 'id'), {number})")
    await connection.execute("VACUUM ANALYZE")
    await connection.execute("CHECKPOINT")
    await connection.close()
