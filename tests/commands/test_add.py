import asyncio

import pytest
from sqlmodel import func, select

from bot.db.models import Hero
from bot.roster.adding import add_hero
from bot.roster.asker import Asker
from bot.roster.vault import Vault
from tests.support.world import World, answer_of, assert_private, assert_public, labels_of, restart, text_of


async def stored(world: World) -> int:
    async with world.bot.db.read() as session:
        return (await session.exec(select(func.count()).select_from(Hero))).one()


async def test_the_answer_is_the_card_privately(world: World) -> None:
    result = await world.add(world.alice, "Deadpond", age=30, description="Never shuts up.")

    assert_private(result)
    text = text_of(result)
    assert "## Deadpond" in text
    assert "Never shuts up" in text
    assert "30" in text
    assert world.alice.mention in text
    assert "Deadpond at home" not in text
    assert labels_of(result) == ["Announce", "Secret identity"]


async def test_announce_posts_the_card_for_everyone(world: World) -> None:
    added = await world.add(world.alice, "Deadpond")

    announced = await world.alice.click(answer_of(added), label="Announce")

    assert_public(announced)
    assert "## Deadpond" in text_of(announced)
    assert labels_of(announced) == ["Secret identity"]


async def test_a_taken_name_says_whose_it_is_and_keeps_what_was_there(world: World) -> None:
    await world.add(world.alice, "Deadpond", secret_name="Dive Wilson", age=30)

    result = await world.add(world.bob, "  ＤＥＡＤpond ", secret_name="Somebody else")

    assert_private(result)
    assert "taken" in text_of(result)
    assert world.alice.mention in text_of(result)
    async with world.bot.db.read() as session:
        hero = (await session.exec(select(Hero))).one()
    assert (hero.name, hero.sealed_secret, hero.age, hero.owner_id) == (
        "Deadpond",
        "Dive Wilson",
        30,
        world.alice.id,
    )


async def test_one_name_in_two_servers_makes_two_heroes(world: World) -> None:
    other = world.env.create_guild("Elsewhere")
    channel = other.create_text_channel("heroes")
    carol = other.add_member(world.env.create_user("carol"))
    await world.add(world.alice, "Deadpond")

    result = await carol.slash(channel, "hero add", name="Deadpond", secret_name="Another")

    assert "## Deadpond" in text_of(result)
    assert await stored(world) == 2


async def test_of_two_adds_at_once_one_wins_and_the_other_is_told(world: World) -> None:
    async def add(owner_id: int) -> Hero:
        async with world.bot.db.write() as session:
            asker = Asker(owner_id, guild_id=7)
            return await add_hero(session, asker, Vault(), name="Deadpond", secret_name="x")

    results = await asyncio.gather(*(add(owner) for owner in range(1, 9)), return_exceptions=True)

    kinds = sorted(type(result).__name__ for result in results)
    assert kinds == ["Hero"] + ["NameTakenError"] * 7
    assert await stored(world) == 1


BAD_NAMES = {
    "nothing": "",
    "only spaces": "   \u3000 ",
    "too long": "x" * 81,
    "far too long": "x" * 100_000,
    "too long once normalised": "\ufdfa" * 20,
    "a new line": "Dead\npond",
    "a control character": "Dead\x07pond",
    "nul": "Dead\x00pond",
    "a bidi override": "Dead\u202epond",
    "a zero-width space": "Dead\u200bpond",
    "a line separator": "Dead\u2028pond",
    "half a surrogate pair": "Dead\ud800pond",
    "a letter that shows nothing": "\u3164",
    "a mark alone": "\ufe0f",
}


@pytest.mark.parametrize("field", ["name", "secret_name"])
@pytest.mark.parametrize("bad", BAD_NAMES.values(), ids=list(BAD_NAMES))
async def test_a_bad_name_gets_a_plain_sentence_and_stores_nothing(
    world: World, bad: str, field: str
) -> None:
    options = {"name": "Deadpond", "secret_name": "Dive Wilson", field: bad}

    result = await world.alice.slash(world.channel, "hero add", **options)

    assert_private(result)
    assert text_of(result).startswith("A hero's name" if field == "name" else "A secret identity")
    assert "Please" in text_of(result)
    assert "```" not in text_of(result)
    assert await stored(world) == 0


@pytest.mark.parametrize("age", [-1, 1_000_001, 10**12, -(2**53) + 1])
async def test_a_bad_age_gets_a_plain_sentence_and_stores_nothing(world: World, age: int) -> None:
    result = await world.add(world.alice, "Deadpond", age=age)

    assert_private(result)
    assert "0 to 1,000,000" in text_of(result)
    assert await stored(world) == 0


@pytest.mark.parametrize("age", [0, 1_000_000])
async def test_newborns_and_gods_are_welcome(world: World, age: int) -> None:
    result = await world.add(world.alice, "Deadpond", age=age)

    assert f"**Age** {age:,}" in text_of(result)


@pytest.mark.parametrize("description", ["x" * 1_001, "a\u202eb", "a\x00b"])
async def test_a_bad_description_gets_a_plain_sentence_and_stores_nothing(
    world: World, description: str
) -> None:
    result = await world.add(world.alice, "Deadpond", description=description)

    assert_private(result)
    assert text_of(result).startswith("A description")
    assert await stored(world) == 0


@pytest.mark.parametrize(
    ("typed", "shown"),
    [
        ("@everyone", r"\@everyone"),
        ("<@123456789012345678>", r"\<\@123456789012345678\>"),
        ("**bold** _it_ ~~s~~ ||sp||", r"\*\*bold\*\* \_it\_ \~\~s\~\~ \|\|sp\|\|"),
        ("[click](https://example.org)", r"\[click\]\(https\:\/\/example\.org\)"),
        ("Robert'); DROP TABLE hero;--", r"Robert'\); DROP TABLE hero;\-\-"),
        ("# Shout", r"\# Shout"),
        ("`code`", r"\`code\`"),
    ],
)
async def test_markup_is_shown_as_it_was_typed_and_pings_nobody(world: World, typed: str, shown: str) -> None:
    added = await world.add(world.alice, typed, description=typed)
    found = await world.bob.slash(world.channel, "hero find", name=typed)

    assert text_of(added).splitlines()[1] == f"## {shown}"
    assert text_of(found).splitlines()[:2] == [f"## {shown}", shown]
    assert await stored(world) == 1
    sent = [request.json for request in world.env.http_requests if "/callback" in request.path]
    assert len(sent) == 2
    for payload in sent:
        assert payload is not None
        assert payload["data"]["allowed_mentions"] == {"parse": []}


async def test_a_member_is_told_how_long_to_wait(world: World) -> None:
    await restart(world, changes_per_minute=1)
    await world.add(world.alice, "Deadpond")

    refused = await world.add(world.alice, "Tarantula")

    assert_private(refused)
    assert "Please go on in 60 seconds" in text_of(refused)
    await world.bot.close()
