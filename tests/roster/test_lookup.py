"""What is suggested for what a member has typed so far."""

import pytest

from bot.db.engine import Database
from bot.roster.asker import Asker, Right
from bot.roster.lookup import suggest_names
from tests.support.heroes import stored_hero
from tests.support.world import World


async def suggested(world: World, typed: str) -> list[str]:
    choices = await world.bob.autocomplete(world.channel, "hero find", "name", typed)
    assert all(choice["name"] == choice["value"] for choice in choices)
    return [choice["name"] for choice in choices]


async def test_prefixes_then_word_starts_then_inside(world: World) -> None:
    for name in ("Iron Man", "Manta", "Spider-Man", "Human Torch", "Batman", "Mandrake", "Tarantula"):
        await world.add(world.alice, name)

    assert await suggested(world, "man") == [
        "Mandrake",
        "Manta",
        "Iron Man",
        "Spider-Man",
        "Batman",
        "Human Torch",
    ]
    assert await suggested(world, " MAN ") == await suggested(world, "man")


async def test_never_more_than_25(world: World) -> None:
    for number in range(20):
        await world.add(world.alice, f"Mandrake {number:02}")
        await world.add(world.alice, f"Batman {number:02}")

    names = await suggested(world, "man")
    everything = await suggested(world, "")

    assert names == [f"Mandrake {n:02}" for n in range(20)] + [f"Batman {n:02}" for n in range(5)]
    assert everything == [f"Batman {n:02}" for n in range(20)] + [f"Mandrake {n:02}" for n in range(5)]


@pytest.mark.parametrize(
    "typed", ["%", "_", "\\", "\x00", "\ud800", "x" * 100_000, "'; --", "😀", "\U0010ffff"]
)
async def test_odd_input_gets_an_honest_list(world: World, typed: str) -> None:
    await world.add(world.alice, "Deadpond")

    # What a name can't hold is as good as not typed.
    assert await suggested(world, typed) == (
        ["Deadpond"] if typed in ("\x00", "\ud800", "\U0010ffff") else []
    )


async def test_wildcards_of_sql_are_letters_like_others(world: World) -> None:
    for name in ("100% Hero", "100 Heroes", "Snake_Case", "SnakeXCase"):
        await world.add(world.alice, name)

    assert await suggested(world, "0% h") == ["100% Hero"]
    assert await suggested(world, "ke_c") == ["Snake_Case"]


@pytest.mark.parametrize("typed", ["", "pond"], ids=["by their start", "by what they hold"])
@pytest.mark.parametrize(
    ("right", "keeper", "owners"),
    [
        (Right.ANYONE, False, "Ann Ben"),
        (Right.ANYONE, True, "Ann Ben"),
        (Right.OWNER_OR_KEEPER, False, "Ann"),
        (Right.OWNER_OR_KEEPER, True, "Ann Ben"),
        (Right.OWNER, False, "Ann"),
        (Right.OWNER, True, "Ann"),
    ],
)
async def test_only_heroes_to_which_the_asker_has_the_right(
    db: Database, right: Right, keeper: bool, owners: str, typed: str
) -> None:
    await stored_hero(db, "Ann's pond", owner_id=2)
    await stored_hero(db, "Ben's pond", owner_id=3)
    # Of the same member, elsewhere.
    await stored_hero(db, "Cleo's pond", owner_id=2, guild_id=9)

    async with db.read() as session:
        names = await suggest_names(session, Asker(2, 1, keeper=keeper), typed, right)

    assert names == [f"{owner}'s pond" for owner in owners.split()]
