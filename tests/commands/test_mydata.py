"""What is kept about a member: shown, exported, erased."""

import json
import re

from bot.db.models import Confidant, Hero, HistoryEntry
from tests.support.lively import count, lively
from tests.support.paths import ROOT
from tests.support.world import World, answer_of, assert_private, text_of


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


def test_the_policy_says_what_the_code_does() -> None:
    policy = (ROOT / "PRIVACY.md").read_text()
    for command in ("/mydata show", "/mydata export", "/mydata erase", "/hero confide"):
        assert command in policy
    assert "30 days" in policy
    # Each table that names a person or a server is spoken of.
    spoken_of = set(re.findall(r"`(\w+)`", policy))
    assert {"hero", "history", "confidant", "portrait", "departure"} <= spoken_of
