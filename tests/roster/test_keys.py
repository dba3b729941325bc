"""The keys of the secret identities: which are missing, and how all change to a new one."""

import asyncio
import signal
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest
from pydantic import SecretStr
from sqlalchemy import URL
from sqlmodel import col, update

from bot.db.engine import Database
from bot.db.models import Hero
from bot.db.open import open_database
from bot.errors import OperatorError
from bot.roster.keys import check_keys, rotate
from bot.roster.vault import Vault, new_key
from tests.support.command import run
from tests.support.paths import ROOT
from tests.support.secrets import MARKER, all_heroes, quietly, store, vault_of

KILLED = """
import asyncio, os, signal, sys
from pydantic import SecretStr
from bot.db.open import open_database
from bot.db.url import parse_url
from bot.roster.keys import rotate
from bot.roster.vault import Vault

class Doomed(Vault):
    left = 300

    def seal(self, hero, secret_name):
        self.left -= 1
        if not self.left:
            os.kill(os.getpid(), signal.SIGKILL)
        super().seal(hero, secret_name)

async def main():
    database = await open_database(parse_url(sys.argv[1]))
    await rotate(database, Doomed([SecretStr(key) for key in sys.argv[2:]]), lambda *_: None)

asyncio.run(main())
"""
"""A rotation that is killed in its second batch."""


async def test_without_keys_it_is_plain_text_with_one_warning(
    db: Database, caplog: pytest.LogCaptureFixture
) -> None:
    await store(db, Vault(), "Deadpond")
    (hero,) = await all_heroes(db)
    assert (hero.sealed_secret, hero.secret_key) == (f"{MARKER} Deadpond", None)

    await check_keys(db, Vault())

    assert [record.levelname for record in caplog.records] == ["WARNING"]
    assert "plain text" in caplog.text


@pytest.mark.parametrize("keys", [[], [new_key()]], ids=["none", "another"])
async def test_a_missing_key_stops_the_start(db: Database, keys: list[str]) -> None:
    await store(db, vault_of(new_key()), "Deadpond")

    with pytest.raises(OperatorError, match="lacks a key"):
        await check_keys(db, vault_of(*keys))


async def test_a_new_key_in_front_reads_the_old_and_writes_the_new(db: Database) -> None:
    old, new = new_key(), new_key()
    await store(db, vault_of(old), "Old")
    both = vault_of(new, old)
    await check_keys(db, both)
    await store(db, both, "New")

    first, second = await all_heroes(db)

    assert [both.unseal(hero) for hero in (first, second)] == [f"{MARKER} Old", f"{MARKER} New"]
    assert vault_of(new).unseal(second) == f"{MARKER} New"


async def test_rotation_leaves_nothing_of_the_old_key_and_no_plain_text(db: Database) -> None:
    old, new = new_key(), new_key()
    await store(db, Vault(), "Plain")
    await store(db, vault_of(old), *(f"Hero {n}" for n in range(450)))
    async with db.write() as session:
        await session.exec(update(Hero).where(col(Hero.id) == 5).values(removed_at=datetime.now(UTC)))
    told: list[tuple[int, int]] = []

    count = await rotate(db, vault_of(new, old), lambda done, total: told.append((done, total)))

    assert count == 451
    assert told == [(200, 451), (400, 451), (451, 451)]
    alone = vault_of(new)
    await check_keys(db, alone)
    heroes = await all_heroes(db)
    assert len(heroes) == 451
    assert all(alone.unseal(hero) == f"{MARKER} {hero.name}" for hero in heroes)
    assert await rotate(db, alone, quietly) == 0, "it is done"


async def test_a_rotation_that_was_broken_off_goes_on(db: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    class Broken(Vault):
        def seal(self, hero: Hero, secret_name: str) -> None:
            super().seal(hero, secret_name)
            if hero.name == "Hero 3":
                raise KeyboardInterrupt

    def break_off(_done: int, _total: int) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("bot.roster.keys.MAX_ROTATED", 4)
    old, new = new_key(), new_key()
    await store(db, vault_of(old), *(f"Hero {n}" for n in range(9)))
    both = vault_of(new, old)
    with pytest.raises(KeyboardInterrupt):
        await rotate(db, Broken([SecretStr(new), SecretStr(old)]), quietly)
    with pytest.raises(KeyboardInterrupt):
        await rotate(db, both, break_off)

    assert await rotate(db, both, quietly) == 5
    assert all(vault_of(new).unseal(hero) == f"{MARKER} {hero.name}" for hero in await all_heroes(db))


@pytest.mark.slow
async def test_a_rotation_that_was_killed_goes_on_by_command(db: Database, tmp_path: Path) -> None:
    old, new = new_key(), new_key()
    url = db.engine.url.render_as_string(hide_password=False)
    await store(db, vault_of(old), *(f"Hero {n}" for n in range(450)))

    killed = await asyncio.create_subprocess_exec(sys.executable, "-c", KILLED, url, new, old, cwd=ROOT)
    assert await killed.wait() == -signal.SIGKILL
    done = sum(hero.secret_key == vault_of(new).key_name for hero in await all_heroes(db))
    ended = await asyncio.to_thread(
        run, "keys", "rotate", cwd=tmp_path, DATABASE_URL=url, SECRET_KEYS=f"{new},{old}"
    )

    assert done == 200, "the batch that was under way left nothing"
    assert ended.stdout.startswith("250 secret identities"), ended.stderr
    heroes = await all_heroes(db)
    assert len(heroes) == 450
    assert all(vault_of(new).unseal(hero) == f"{MARKER} {hero.name}" for hero in heroes)


async def test_rotating_while_heroes_are_added_and_edited_loses_nothing(db: Database) -> None:
    old, new = new_key(), new_key()
    both = vault_of(new, old)
    await store(db, vault_of(old), *(f"Hero {n}" for n in range(300)))

    await asyncio.gather(rotate(db, both, quietly), *(store(db, both, f"New {n}") for n in range(20)))

    heroes = await all_heroes(db)
    assert len(heroes) == 320
    assert all(vault_of(new).unseal(hero) == f"{MARKER} {hero.name}" for hero in heroes)


async def test_no_file_of_sqlite_holds_what_was_plain_before_a_rotation(tmp_path_url: URL) -> None:
    path = Path(str(tmp_path_url.database))
    database = await open_database(tmp_path_url)
    await store(database, Vault(), *(f"Hero {n}" for n in range(50)))
    await rotate(database, vault_of(new_key()), quietly)

    files = [file.read_bytes() for file in path.parent.iterdir() if file.is_file()]
    await database.dispose()

    assert not any(MARKER.encode() in data for data in files)
