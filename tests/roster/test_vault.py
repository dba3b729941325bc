"""Secret identities as they are stored: encrypted, each bound to its hero."""

import asyncio
from pathlib import Path

import pytest
from sqlalchemy import URL
from sqlmodel import col, update

from bot.db.engine import Database
from bot.db.models import Hero
from bot.db.open import open_database
from bot.operator.backup import backup
from bot.roster.adding import add_hero
from bot.roster.vault import VaultError, new_key
from tests.support.secrets import ANN, MARKER, all_heroes, quietly, store, vault_of


async def test_what_is_stored_is_no_plain_text(db: Database) -> None:
    vault = vault_of(new_key())
    await store(db, vault, "Deadpond")

    (hero,) = await all_heroes(db)

    assert MARKER not in hero.sealed_secret
    assert hero.secret_key == vault.key_name
    assert vault.unseal(hero) == f"{MARKER} Deadpond"
    assert MARKER not in repr(hero)


async def test_one_secret_twice_looks_different(db: Database) -> None:
    vault = vault_of(new_key())
    async with db.write() as session:
        for name in "AB":
            await add_hero(session, ANN, vault, name=name, secret_name="same")
    first, second = await all_heroes(db)
    assert first.sealed_secret != second.sealed_secret
    assert first.secret_binding != second.secret_binding


async def test_a_ciphertext_moved_to_another_hero_does_not_open(db: Database) -> None:
    vault = vault_of(new_key())
    mine, _theirs = await store(db, vault, "Mine", "Theirs")
    async with db.write() as session:
        moved = update(Hero).where(col(Hero.name) == "Theirs").values(sealed_secret=mine.sealed_secret)
        await session.exec(moved)

    _, theirs = await all_heroes(db)

    with pytest.raises(VaultError, match="another hero"):
        vault.unseal(theirs)


async def test_no_file_of_sqlite_holds_a_secret(tmp_path_url: URL) -> None:
    path = Path(str(tmp_path_url.database))
    database = await open_database(tmp_path_url)
    await store(database, vault_of(new_key()), *(f"Hero {n}" for n in range(50)))
    copy = path.with_suffix(".copy")
    await asyncio.to_thread(backup, tmp_path_url, copy, quietly)

    files = {file.name: file.read_bytes() for file in path.parent.iterdir() if file.is_file()}
    await database.dispose()

    assert {path.name, f"{path.name}-wal", copy.name} <= set(files)
    assert b"Hero 49" in files[f"{path.name}-wal"], "the names are there, so this looks in the right place"
    for name, data in files.items():
        assert MARKER.encode() not in data, name
