"""Secret identities: encrypted, shared person by person, and nowhere else to be found."""

import asyncio
import logging
import signal
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr
from sqlalchemy import URL
from sqlmodel import col, func, select, update

from bot.db.engine import Database
from bot.db.models import Confidant, Hero, HistoryEntry
from bot.db.open import open_database
from bot.errors import OperatorError
from bot.operator.backup import backup
from bot.roster.adding import add_hero, new_hero
from bot.roster.asker import Asker
from bot.roster.errors import RosterError
from bot.roster.keys import check_keys, rotate
from bot.roster.quota import Quota, TooManyChangesError, TooManyHeroesError
from bot.roster.secrets import rotate_batch
from bot.roster.vault import Vault, VaultError, new_key
from bot.settings import load_settings
from tests.process.test_process import run
from tests.support.paths import ROOT
from tests.support.world import World, answer_of, assert_private, labels_of, text_of

MARKER = "Marker Secret"


def quietly(_done: int, _total: int) -> None:
    """Nobody watches the progress."""


ANN = Asker(2, quota=Quota(10_000, 10_000))


def vault_of(*keys: str) -> Vault:
    return Vault([SecretStr(key) for key in keys])


async def store(db: Database, vault: Vault, *names: str) -> list[Hero]:
    async with db.write() as session:
        return [
            await add_hero(
                session,
                new_hero(guild_id=1, owner_id=ANN.id, vault=vault, name=name, secret_name=f"{MARKER} {name}"),
                ANN.quota,
            )
            for name in names
        ]


async def stored(db: Database) -> list[Hero]:
    async with db.read() as session:
        return list((await session.exec(select(Hero).order_by(col(Hero.id)))).all())


KILLED = """
import asyncio, os, signal, sys
from pydantic import SecretStr
from bot.db.open import open_database
from bot.db.url import parse_url
from bot.roster.keys import rotate
from bot.roster.vault import Vault

class Doomed(Vault):
    left = 300

    def put(self, hero, secret_name):
        self.left -= 1
        if not self.left:
            os.kill(os.getpid(), signal.SIGKILL)
        super().put(hero, secret_name)

async def main():
    database = await open_database(parse_url(sys.argv[1]))
    await rotate(database, Doomed([SecretStr(key) for key in sys.argv[2:]]), lambda *_: None)

asyncio.run(main())
"""
"""A rotation that is killed in its second batch."""


class TestEncryption:
    async def test_what_is_stored_is_no_plain_text(self, db: Database) -> None:
        vault = vault_of(new_key())
        await store(db, vault, "Deadpond")

        (hero,) = await stored(db)

        assert MARKER not in hero.secret_name
        assert hero.secret_key == vault.key_name
        assert vault.read(hero) == f"{MARKER} Deadpond"
        assert MARKER not in repr(hero)

    async def test_one_secret_twice_looks_different(self, db: Database) -> None:
        vault = vault_of(new_key())
        async with db.write() as session:
            for name in "AB":
                await add_hero(
                    session,
                    new_hero(guild_id=1, owner_id=ANN.id, vault=vault, name=name, secret_name="same"),
                    ANN.quota,
                )
        first, second = await stored(db)
        assert first.secret_name != second.secret_name
        assert first.secret_seal != second.secret_seal

    async def test_a_ciphertext_moved_to_another_hero_does_not_open(self, db: Database) -> None:
        vault = vault_of(new_key())
        mine, _theirs = await store(db, vault, "Mine", "Theirs")
        async with db.write() as session:
            moved = update(Hero).where(col(Hero.name) == "Theirs").values(secret_name=mine.secret_name)
            await session.exec(moved)

        _, theirs = await stored(db)

        with pytest.raises(VaultError, match="another hero"):
            vault.read(theirs)

    async def test_without_keys_it_is_plain_text_with_one_warning(
        self, db: Database, caplog: pytest.LogCaptureFixture
    ) -> None:
        await store(db, Vault(), "Deadpond")
        (hero,) = await stored(db)
        assert (hero.secret_name, hero.secret_key) == (f"{MARKER} Deadpond", None)

        await check_keys(db, Vault())

        assert [record.levelname for record in caplog.records] == ["WARNING"]
        assert "plain text" in caplog.text

    @pytest.mark.parametrize("keys", [[], [new_key()]], ids=["none", "another"])
    async def test_a_missing_key_stops_the_start(self, db: Database, keys: list[str]) -> None:
        await store(db, vault_of(new_key()), "Deadpond")

        with pytest.raises(OperatorError, match="lacks a key"):
            await check_keys(db, vault_of(*keys))

    async def test_a_new_key_in_front_reads_the_old_and_writes_the_new(self, db: Database) -> None:
        old, new = new_key(), new_key()
        await store(db, vault_of(old), "Old")
        both = vault_of(new, old)
        await check_keys(db, both)
        await store(db, both, "New")

        first, second = await stored(db)

        assert [both.read(hero) for hero in (first, second)] == [f"{MARKER} Old", f"{MARKER} New"]
        assert vault_of(new).read(second) == f"{MARKER} New"

    async def test_rotation_leaves_nothing_of_the_old_key_and_no_plain_text(self, db: Database) -> None:
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
        heroes = await stored(db)
        assert len(heroes) == 451
        assert all(alone.read(hero) == f"{MARKER} {hero.name}" for hero in heroes)
        assert await rotate(db, alone, quietly) == 0, "it is done"

    async def test_a_rotation_that_was_broken_off_goes_on(self, db: Database) -> None:
        old, new = new_key(), new_key()
        await store(db, vault_of(old), *(f"Hero {n}" for n in range(9)))
        both = vault_of(new, old)
        with pytest.raises(KeyboardInterrupt):
            async with db.write() as session:
                await rotate_batch(session, vault=both, after_id=0, size=4)
                raise KeyboardInterrupt
        async with db.write() as session:
            await rotate_batch(session, vault=both, after_id=0, size=4)

        assert await rotate(db, both, quietly) == 5
        assert all(vault_of(new).read(hero) == f"{MARKER} {hero.name}" for hero in await stored(db))

    async def test_a_rotation_that_was_killed_goes_on_by_command(self, db: Database, tmp_path: Path) -> None:
        old, new = new_key(), new_key()
        url = db.engine.url.render_as_string(hide_password=False)
        await store(db, vault_of(old), *(f"Hero {n}" for n in range(450)))

        killed = await asyncio.create_subprocess_exec(sys.executable, "-c", KILLED, url, new, old, cwd=ROOT)
        assert await killed.wait() == -signal.SIGKILL
        done = sum(hero.secret_key == vault_of(new).key_name for hero in await stored(db))
        ended = await asyncio.to_thread(
            run, "keys", "rotate", cwd=tmp_path, DATABASE_URL=url, SECRET_KEYS=f"{new},{old}"
        )

        assert done == 200, "the batch that was under way left nothing"
        assert ended.stdout.startswith("250 secret identities"), ended.stderr
        heroes = await stored(db)
        assert len(heroes) == 450
        assert all(vault_of(new).read(hero) == f"{MARKER} {hero.name}" for hero in heroes)

    async def test_rotating_while_heroes_are_added_and_edited_loses_nothing(self, db: Database) -> None:
        old, new = new_key(), new_key()
        both = vault_of(new, old)
        await store(db, vault_of(old), *(f"Hero {n}" for n in range(300)))

        await asyncio.gather(rotate(db, both, quietly), *(store(db, both, f"New {n}") for n in range(20)))

        heroes = await stored(db)
        assert len(heroes) == 320
        assert all(vault_of(new).read(hero) == f"{MARKER} {hero.name}" for hero in heroes)

    async def test_no_file_of_sqlite_holds_a_secret(self, tmp_path_url: URL) -> None:
        path = Path(str(tmp_path_url.database))
        database = await open_database(tmp_path_url)
        await store(database, vault_of(new_key()), *(f"Hero {n}" for n in range(50)))
        copy = path.with_suffix(".copy")
        await asyncio.to_thread(backup, tmp_path_url, copy, quietly)

        files = {file.name: file.read_bytes() for file in path.parent.iterdir() if file.is_file()}
        await database.dispose()

        assert {path.name, f"{path.name}-wal", copy.name} <= set(files)
        assert b"Hero 49" in files[f"{path.name}-wal"], (
            "the names are there, so this looks in the right place"
        )
        for name, data in files.items():
            assert MARKER.encode() not in data, name

    async def test_no_file_of_sqlite_holds_what_was_plain_before_a_rotation(self, tmp_path_url: URL) -> None:
        path = Path(str(tmp_path_url.database))
        database = await open_database(tmp_path_url)
        await store(database, Vault(), *(f"Hero {n}" for n in range(50)))
        await rotate(database, vault_of(new_key()), quietly)

        files = [file.read_bytes() for file in path.parent.iterdir() if file.is_file()]
        await database.dispose()

        assert not any(MARKER.encode() in data for data in files)


def test_bad_keys_are_refused_and_not_echoed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECRET_KEYS", f"{new_key()},hunter2")
    with pytest.raises(OperatorError) as caught:
        load_settings()
    assert "SECRET_KEYS must hold keys" in caught.value.line
    assert "hunter2" not in caught.value.line
    monkeypatch.setenv("SECRET_KEYS", f"{new_key()}, {new_key()}")
    assert len(load_settings().secret_keys) == 2


class TestConfiding:
    async def confided(self, world: World) -> None:
        await world.add(world.alice, "Deadpond", secret_name=MARKER)
        told = await world.alice.slash(world.channel, "hero confide", name="Deadpond", member=world.bob)
        assert_private(told)
        assert f"{world.bob.mention} can now read" in text_of(told)

    async def test_a_confidant_reads_it_by_command_and_button(self, world: World) -> None:
        await self.confided(world)
        card = await world.bob.slash(world.channel, "hero find", name="Deadpond")

        by_command = await world.bob.slash(world.channel, "hero secret", name="Deadpond")
        by_button = await world.bob.click(answer_of(card), label="Secret identity")

        for told in (by_command, by_button):
            assert_private(told)
            assert MARKER in text_of(told)

    async def test_a_keeper_has_no_right_to_it(self, world: World) -> None:
        await self.confided(world)

        refused = await world.keeper.slash(world.channel, "hero secret", name="Deadpond")

        assert_private(refused)
        assert MARKER not in text_of(refused)

    async def test_a_keeper_who_is_trusted_sees_it_in_the_form(self, world: World) -> None:
        await self.confided(world)
        await world.alice.slash(world.channel, "hero confide", name="Deadpond", member=world.keeper)

        form = await world.keeper.slash(world.channel, "hero edit", name="Deadpond")

        assert MARKER in str(form.modal)

    async def test_trust_ends(self, world: World) -> None:
        await self.confided(world)
        await world.alice.slash(world.channel, "hero unconfide", name="Deadpond", member=world.bob)

        refused = await world.bob.slash(world.channel, "hero secret", name="Deadpond")
        again = await world.alice.slash(world.channel, "hero unconfide", name="Deadpond", member=world.bob)

        assert MARKER not in text_of(refused)
        assert "not among those" in text_of(again)

    async def test_the_owner_sees_whom_they_trust_and_nobody_else_does(self, world: World) -> None:
        await world.add(world.alice, "Deadpond")
        nobody = await world.alice.slash(world.channel, "hero confidants", name="Deadpond")
        assert "Nobody but you" in text_of(nobody)
        await world.alice.slash(world.channel, "hero confide", name="Deadpond", member=world.bob)

        listed = await world.alice.slash(world.channel, "hero confidants", name="Deadpond")
        refused = await world.keeper.slash(world.channel, "hero confidants", name="Deadpond")

        assert_private(listed)
        assert world.bob.mention in text_of(listed)
        assert world.bob.mention not in text_of(refused)

    async def test_who_can_not_be_trusted(self, world: World) -> None:
        await self.confided(world)
        robot = world.guild.add_member(world.env.create_user("robot", bot=True))
        for who, member, says in (
            (world.alice, robot, "choose a person"),
            (world.alice, world.alice, "is yours"),
            (world.alice, world.bob, "already"),
            (world.keeper, world.bob, f"Only {world.alice.mention}"),
        ):
            refused = await who.slash(world.channel, "hero confide", name="Deadpond", member=member)
            assert_private(refused)
            assert says in text_of(refused)

    async def test_a_transfer_ends_all_trust(self, world: World) -> None:
        await self.confided(world)
        offer = await world.alice.slash(world.channel, "hero transfer", name="Deadpond", to=world.keeper)
        await world.keeper.click(answer_of(offer), label="Accept")

        for before in (world.alice, world.bob):
            refused = await before.slash(world.channel, "hero secret", name="Deadpond")
            assert MARKER not in text_of(refused)
        async with world.bot.db.read() as session:
            assert (await session.exec(select(func.count()).select_from(Confidant))).one() == 0

    async def test_the_owner_alone_sees_who_looked(self, world: World) -> None:
        await self.confided(world)
        await world.bob.slash(world.channel, "hero secret", name="Deadpond")
        await world.alice.slash(world.channel, "hero secret", name="Deadpond")

        owner = text_of(await world.alice.slash(world.channel, "hero history", name="Deadpond"))
        keeper = text_of(await world.keeper.slash(world.channel, "hero history", name="Deadpond"))

        assert f"{world.bob.mention} looked at its secret identity" in owner
        assert f"{world.alice.mention} trusted {world.bob.mention}" in owner
        assert owner.count("looked") == 1, "the owner's own looks are nobody's business"
        assert "looked" not in keeper
        assert "trusted" not in keeper
        assert MARKER not in owner + keeper


class TestQuota:
    async def test_a_member_has_so_many_heroes_in_a_server(self, db: Database) -> None:
        few = Asker(2, quota=Quota(changes_per_minute=1_000, heroes_per_member=5))

        async def add(number: int) -> None:
            async with db.write() as session:
                await add_hero(
                    session,
                    new_hero(
                        guild_id=1, owner_id=few.id, vault=Vault(), name=f"Hero {number}", secret_name="x"
                    ),
                    few.quota,
                )

        await asyncio.gather(*(add(number) for number in range(4)))
        results = await asyncio.gather(*(add(number) for number in range(4, 104)), return_exceptions=True)

        assert (
            sorted(type(result).__name__ for result in results) == ["NoneType"] + ["TooManyHeroesError"] * 99
        )
        assert len(await stored(db)) == 5
        (refusal,) = {str(result) for result in results if isinstance(result, TooManyHeroesError)}
        assert "5 heroes" in refusal
        assert "/hero remove" in refusal

    async def test_a_member_changes_so_much_in_a_minute(self, db: Database) -> None:
        brisk = Asker(2, quota=Quota(changes_per_minute=3, heroes_per_member=50))
        start = datetime(2026, 1, 1, tzinfo=UTC)

        async def add(second: int, guild_id: int = 1) -> None:
            async with db.write() as session:
                await add_hero(
                    session,
                    new_hero(
                        guild_id=guild_id,
                        owner_id=brisk.id,
                        vault=Vault(),
                        name=f"Hero {second}",
                        secret_name="x",
                        now=start.replace(minute=second // 60, second=second % 60),
                    ),
                    brisk.quota,
                )

        for second in (0, 10, 20):
            await add(second)
        with pytest.raises(TooManyChangesError, match="in 15 seconds"):
            await add(45)
        with pytest.raises(TooManyChangesError, match="in 1 second"):
            await add(59, guild_id=2)
        await add(60)
        with pytest.raises(TooManyChangesError, match="in 9 seconds"):
            await add(61)

    async def test_changes_at_once_are_counted_one_by_one(self, db: Database) -> None:
        brisk = Asker(2, quota=Quota(changes_per_minute=10, heroes_per_member=1_000))
        now = datetime(2026, 1, 1, tzinfo=UTC)

        async def add(number: int) -> None:
            async with db.write() as session:
                await add_hero(
                    session,
                    new_hero(
                        guild_id=1,
                        owner_id=brisk.id,
                        vault=Vault(),
                        name=f"Hero {number}",
                        secret_name="x",
                        now=now,
                    ),
                    brisk.quota,
                )

        results = await asyncio.gather(*(add(number) for number in range(50)), return_exceptions=True)

        assert sum(isinstance(result, RosterError) for result in results) == 40
        assert len(await stored(db)) == 10

    async def test_a_member_is_told_how_long_to_wait(self, world: World) -> None:
        quota = Quota(changes_per_minute=1, heroes_per_member=50)
        world.bot.settings = world.bot.settings.model_copy(
            update={"changes_per_minute": quota.changes_per_minute}
        )
        await world.add(world.alice, "Deadpond")

        refused = await world.add(world.alice, "Tarantula")

        assert_private(refused)
        assert "Please go on in 60 seconds" in text_of(refused)


def files_below(folder: Path) -> list[bytes]:
    """What stands in each file."""
    return [file.read_bytes() for file in folder.rglob("*") if file.is_file()]


async def every_command(world: World) -> list[Any]:
    """Use all that a hero's secret could slip out of; returns what was answered in public."""
    channel, alice, bob = world.channel, world.alice, world.bob
    added = await world.add(alice, "Deadpond", secret_name=MARKER, description="A hero.")
    await world.add(bob, "Deadpond", secret_name=MARKER)
    await world.add(bob, "x" * 81, secret_name=MARKER)
    public = [await alice.click(answer_of(added), label="Announce")]
    public.append(await bob.slash(channel, "hero find", name="Deadpond"))
    await bob.click(answer_of(public[0]), label="Secret identity")
    await alice.click(answer_of(public[0]), label="Secret identity")
    await bob.autocomplete(channel, "hero find", "name", MARKER)
    await bob.autocomplete(channel, "hero find", "name", "")
    public.append(await bob.slash(channel, "hero list"))
    public.append(await bob.slash(channel, "hero random"))
    public.append(await bob.slash(channel, "hero stats"))
    await bob.slash(channel, "hero find", name=MARKER)
    form = await alice.slash(channel, "hero edit", name="Deadpond")
    await alice.submit_modal(form, {"name": "Deadpond", "secret_name": f"{MARKER} 2", "age": "5"})
    stale = await alice.submit_modal(
        await alice.slash(channel, "hero edit", name="Deadpond"),
        {"name": "Deadpond", "secret_name": f"{MARKER} 3", "age": "many"},
    )
    assert "whole number" in text_of(stale)
    await alice.slash(channel, "hero confide", name="Deadpond", member=bob)
    await bob.slash(channel, "hero secret", name="Deadpond")
    await alice.slash(channel, "hero history", name="Deadpond")
    asked = await alice.slash(channel, "hero remove", name="Deadpond")
    await alice.click(answer_of(asked), label="Remove")
    await alice.click(answer_of(asked), label="Undo")
    await alice.slash(channel, "mydata show")
    await alice.slash(channel, "mydata export")
    public.append(await alice.slash(channel, "hero transfer", name="Deadpond", to=bob))
    await bob.click(answer_of(public[-1]), label="Accept")
    async with world.bot.db.write() as session:
        await session.exec(update(Hero).values(secret_key="lost"))
    broken = await bob.slash(channel, "hero secret", name="Deadpond")
    assert "Deadpond" in text_of(broken) or "reference" in text_of(broken)
    return public


@pytest.mark.parametrize("keys", [True, False], ids=["encrypted", "plain"])
async def test_the_marker_is_nowhere_but_in_private_answers(
    world: World, caplog: pytest.LogCaptureFixture, keys: bool, tmp_path: Path
) -> None:
    caplog.set_level(logging.DEBUG)
    for chatty in ("discord", "aiosqlite", "asyncio"):
        # As `bot.operator.log` has it; at DEBUG these log what they are handed.
        caplog.set_level(logging.INFO, logger=chatty)
    world.bot.db.engine.sync_engine.echo = True
    if keys:
        world.bot.vault = vault_of(new_key())

    public = await every_command(world)

    assert "INSERT INTO hero" in caplog.text, "statements are logged"
    assert MARKER not in caplog.text
    for answer in public:
        assert MARKER not in text_of(answer)
        assert not any(MARKER in label for label in labels_of(answer))
    seen_by_others = world.channel.history(viewer=world.keeper)
    assert len(seen_by_others) >= len(public)
    for message in seen_by_others:
        assert MARKER not in f"{message.content} {[part.to_dict() for part in message.components]}"
    async with world.bot.db.read() as session:
        for entry in (await session.exec(select(HistoryEntry))).all():
            assert MARKER not in str(entry.model_dump())
        for hero in (await session.exec(select(Hero))).all():
            assert MARKER not in repr(hero)
    if keys:
        for file in files_below(tmp_path):
            assert MARKER.encode() not in file
