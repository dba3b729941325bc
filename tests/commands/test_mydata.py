"""What is kept about a member: shown, exported, erased; and what becomes of a server the bot has left."""

import json
import re
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr
from sqlmodel import col, func, select

from bot.db.models import Confidant, Departure, Hero, HistoryEntry, Portrait
from bot.roster.housekeeping import erase_guild, purge
from bot.roster.personal import note_departure, note_return
from bot.roster.vault import Vault, new_key
from tests.process.test_process import run
from tests.support.paths import ROOT
from tests.support.world import World, answer_of, assert_private, text_of


async def count(world: World, table: Any, *wanted: Any) -> int:
    async with world.bot.db.read() as session:
        return (await session.exec(select(func.count()).select_from(table).where(*wanted))).one()


async def lively(world: World) -> None:
    """Alice has two heroes, one removed, trusts Bob, and is trusted by him; she handed one over to him."""
    world.bot.vault = Vault([SecretStr(new_key())])
    for name in ("Deadpond", "Removed", "Given"):
        await world.add(world.alice, name, secret_name=f"{name} at home")
    await world.add(world.bob, "Tarantula")
    asked = await world.alice.slash(world.channel, "hero remove", name="Removed")
    await world.alice.click(answer_of(asked), label="Remove")
    await world.alice.slash(world.channel, "hero confide", name="Deadpond", member=world.bob)
    await world.bob.slash(world.channel, "hero confide", name="Tarantula", member=world.alice)
    offer = await world.alice.slash(world.channel, "hero transfer", name="Given", to=world.bob)
    await world.bob.click(answer_of(offer), label="Accept")


async def test_show_tells_how_much_and_why(world: World) -> None:
    await lively(world)

    shown = await world.alice.slash(world.channel, "mydata show")

    assert_private(shown)
    text = text_of(shown)
    assert "In this server:** 1 in the roster, 1 removed, trusted with 1 secret" in text
    assert "`/mydata export`" in text


async def test_export_is_one_private_file_with_everything(world: World) -> None:
    await lively(world)

    exported = await world.alice.slash(world.channel, "mydata export")

    assert_private(exported)
    (file,) = answer_of(exported).attachments
    data = json.loads(await file.read())
    assert data["user"] == str(world.alice.id)
    assert [(hero["name"], hero["secret_name"]) for hero in data["heroes"]] == [
        ("Deadpond", "Deadpond at home"),
        ("Removed", "Removed at home"),
    ]
    assert data["heroes"][0]["confidants"] == [str(world.bob.id)]
    assert data["heroes"][1]["removed_at"] is not None
    assert [entry["hero"] for entry in data["trusted_with"]] == ["Tarantula"]
    assert {"added", "removed", "confided", "transferred"} <= {entry["action"] for entry in data["history"]}
    assert "Tarantula at home" not in json.dumps(data), "the secrets of others are theirs"


async def test_erase_wants_the_word(world: World) -> None:
    await lively(world)
    form = await world.alice.slash(world.channel, "mydata erase")

    refused = await world.alice.submit_modal(form, {"word": "please"})

    assert_private(refused)
    assert "Nothing was erased" in text_of(refused)
    assert await count(world, Hero, Hero.owner_id == world.alice.id) == 2


async def test_erase_takes_all_of_the_member_and_leaves_others_theirs(world: World) -> None:
    await lively(world)
    alice = world.alice.id
    form = await world.alice.slash(world.channel, "mydata erase", where="this server")

    done = await world.alice.submit_modal(form, {"word": "erase"})

    assert_private(done)
    assert "2 heroes" in text_of(done)
    assert await count(world, Hero, Hero.owner_id == alice) == 0
    assert await count(world, Confidant) == 0
    assert await count(world, HistoryEntry, HistoryEntry.actor_id == alice) == 0
    assert await count(world, HistoryEntry, HistoryEntry.other_id == alice) == 0
    assert await count(world, Hero, Hero.owner_id == world.bob.id) == 2
    told = text_of(await world.bob.slash(world.channel, "hero history", name="Given"))
    assert "somebody added this hero" in told
    assert f"{world.bob.mention} accepted it from somebody" in told
    assert world.alice.mention not in told


async def test_erase_here_or_everywhere(world: World) -> None:
    other = world.env.create_guild("Elsewhere")
    channel = other.create_text_channel("heroes")
    alice_there = other.add_member(world.alice.user)
    await world.add(world.alice, "Deadpond")
    await alice_there.slash(channel, "hero add", name="Deadpond", secret_name="x")

    form = await world.alice.slash(world.channel, "mydata erase", where="this server")
    await world.alice.submit_modal(form, {"word": "ERASE"})
    assert await count(world, Hero) == 1
    form = await world.alice.slash(world.channel, "mydata erase", where="every server")
    await world.alice.submit_modal(form, {"word": "ERASE"})

    assert await count(world, Hero) == 0
    assert await count(world, HistoryEntry) == 0


async def test_a_server_that_was_left_goes_after_30_days(world: World) -> None:
    await lively(world)
    now = world.env.now()
    async with world.bot.db.write() as session:
        await note_departure(session, guild_id=world.guild.id, now=now)
        await note_departure(session, guild_id=world.guild.id, now=now + timedelta(days=9))

    assert await purge(world.bot.db, now + timedelta(days=29)) == 0
    assert await purge(world.bot.db, now + timedelta(days=30)) == 4

    for table in (Hero, HistoryEntry, Confidant, Portrait, Departure):
        assert await count(world, table) == 0


async def test_a_server_that_invites_the_bot_again_keeps_everything(world: World) -> None:
    await lively(world)
    now = world.env.now()
    async with world.bot.db.write() as session:
        await note_departure(session, guild_id=world.guild.id, now=now)
    async with world.bot.db.write() as session:
        await note_return(session, guild_id=world.guild.id)

    # What a member had removed goes by its own 30 days.
    assert await purge(world.bot.db, now + timedelta(days=40)) == 1

    assert await count(world, Hero) == 3


async def test_the_bot_notices_that_it_was_removed_also_while_it_was_away(world: World) -> None:
    await world.add(world.alice, "Deadpond")
    assert await count(world, Departure) == 0
    here = world.bot.get_guild(world.guild.id)
    assert here is not None

    await world.bot.on_guild_remove(here)
    assert await count(world, Departure) == 1
    # It is there when the bot is ready: so it has been invited again.
    await world.bot.on_ready()
    assert await count(world, Departure) == 0
    async with world.bot.db.write() as session:
        for hero in (await session.exec(select(Hero))).all():
            hero.guild_id = 4242
    await world.bot.on_ready()
    assert await count(world, Departure, col(Departure.guild_id) == 4242) == 1


async def test_the_operator_erases_a_server_in_batches(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bot.roster.housekeeping.BATCH", 2)
    monkeypatch.setattr("bot.roster.personal.BATCH", 2)
    await lively(world)

    assert await erase_guild(world.bot.db, 1) == 0
    assert await erase_guild(world.bot.db, world.guild.id) == 4
    assert await count(world, HistoryEntry) == 0


def test_the_operator_erases_by_command(tmp_path: Path) -> None:
    nothing = run("erase", cwd=tmp_path)
    assert nothing.returncode == 2
    asked = run("erase", "--user", "5", cwd=tmp_path)
    assert asked.returncode == 1
    assert "Aborted" in asked.stderr
    for arguments in (("--user", "5"), ("--guild", "5"), ("--user", "5", "--guild", "6")):
        done = run("erase", *arguments, "--yes", cwd=tmp_path)
        assert (done.returncode, done.stdout) == (0, "Done; 0 heroes went with it.\n")


def test_keys_by_command(tmp_path: Path) -> None:
    keys = [run("keys", "new", cwd=tmp_path).stdout.strip() for _ in range(2)]
    assert len(set(keys)) == 2
    assert Vault([SecretStr(key) for key in keys]).key_name is not None

    none = run("keys", "rotate", cwd=tmp_path)
    assert none.returncode == 78
    assert "no SECRET_KEYS" in none.stderr
    done = run("keys", "rotate", cwd=tmp_path, SECRET_KEYS=keys[0])
    assert (done.returncode, done.stdout) == (0, "0 secret identities were encrypted with the first key.\n")


def test_the_policy_says_what_the_code_does() -> None:
    policy = (ROOT / "PRIVACY.md").read_text()
    for command in ("/mydata show", "/mydata export", "/mydata erase", "/hero confide"):
        assert command in policy
    assert "30 days" in policy
    # Each table that names a person or a server is spoken of.
    spoken_of = set(re.findall(r"`(\w+)`", policy))
    assert {"hero", "history", "confidant", "portrait", "departure"} <= spoken_of
