from typing import Any

import pytest
from simcord import InteractionResult
from sqlalchemy import text

from bot.client import HeroBot
from tests.support.world import (
    World,
    answer_of,
    assert_private,
    assert_public,
    labels_of,
    settings_for,
    text_of,
)


def names_in(result: InteractionResult) -> list[str]:
    lines = text_of(result).splitlines()
    return [line.split("**")[1] for line in lines if line.startswith("**")]


def controls(result: InteractionResult) -> dict[str, dict[str, Any]]:
    """The buttons that turn pages, by what they do."""
    found: dict[str, dict[str, Any]] = {}

    def look(components: list[dict[str, Any]]) -> None:
        for component in components:
            if component.get("custom_id", "").startswith(("list:", "history:")):
                found[component["custom_id"].split(":")[1]] = component
            look(component.get("components", []))

    look(answer_of(result).components)
    return found


async def turn(world: World, result: InteractionResult, move: str, *, who: str = "bob") -> None:
    """Click a button of a list, which changes in place."""
    custom_id = controls(result)[move]["custom_id"]
    clicked = await getattr(world, who).click(answer_of(result), custom_id=custom_id)
    assert clicked.acknowledged


async def crowd(world: World, number: int) -> None:
    for n in range(number):
        await world.add(world.alice if n % 2 else world.bob, f"Hero {n:02}", age=n if n % 3 else None)


async def test_ten_a_page_by_name_with_the_total(world: World) -> None:
    await crowd(world, 23)

    listed = await world.bob.slash(world.channel, "hero list")

    assert_public(listed)
    assert "23 heroes" in text_of(listed)
    assert "Page 1 of 3" in text_of(listed)
    assert names_in(listed) == [f"Hero {n:02}" for n in range(10)]
    assert world.alice.mention in text_of(listed)


async def test_everybody_can_turn_the_pages(world: World) -> None:
    await crowd(world, 23)
    listed = await world.bob.slash(world.channel, "hero list")
    assert [name for name, button in controls(listed).items() if button["disabled"]] == ["first", "back"]

    await turn(world, listed, "next", who="alice")
    assert names_in(listed)[0] == "Hero 10"
    await turn(world, listed, "last", who="keeper")
    assert names_in(listed) == ["Hero 20", "Hero 21", "Hero 22"]
    assert [name for name, button in controls(listed).items() if button["disabled"]] == ["next", "last"]
    await turn(world, listed, "back")
    assert names_in(listed)[0] == "Hero 10"
    await turn(world, listed, "first")
    assert names_in(listed)[0] == "Hero 00"


async def test_the_pages_follow_the_roster_and_outlive_a_restart(world: World) -> None:
    await crowd(world, 23)
    listed = await world.bob.slash(world.channel, "hero list")
    await turn(world, listed, "next")
    async with world.bot.db.write() as session:
        await session.exec(text("DELETE FROM hero WHERE name >= 'Hero 05'"))  # pyright: ignore[reportCallIssue, reportArgumentType]
    await world.bot.close()
    world.bot = HeroBot(settings_for(world.bot.settings.database_url), shard_count=1)
    await world.env.restart_bot(world.bot)

    await turn(world, listed, "next")

    assert names_in(listed) == [f"Hero {n:02}" for n in range(5)]
    assert "Page 1 of 1" in text_of(listed)
    assert controls(listed) == {}
    await world.bot.close()


async def test_sorted_by_age_with_the_unknown_last(world: World) -> None:
    for name, age in (("A", 5), ("B", None), ("C", 900), ("D", 5)):
        await world.add(world.alice, name, age=age)

    listed = await world.bob.slash(world.channel, "hero list", sort="age")

    assert names_in(listed) == ["C", "A", "D", "B"]


async def test_newest_first(world: World) -> None:
    for name in "BCA":
        await world.add(world.alice, name)

    listed = await world.bob.slash(world.channel, "hero list", sort="newest")

    assert names_in(listed) == ["A", "C", "B"]


@pytest.mark.parametrize("by_menu", [False, True])
async def test_the_heroes_of_one_member(world: World, by_menu: bool) -> None:
    await crowd(world, 25)

    if by_menu:
        listed = await world.keeper.context_menu(world.channel, "Heroes", world.alice)
        assert_private(listed)
    else:
        listed = await world.keeper.slash(world.channel, "hero list", owner=world.alice.user)
        assert_public(listed)
    assert f"12 heroes of {world.alice.mention}" in text_of(listed)
    await turn(world, listed, "next", who="keeper")

    assert names_in(listed) == ["Hero 21", "Hero 23"]


async def test_nobody_there_yet(world: World) -> None:
    listed = await world.bob.slash(world.channel, "hero list")

    assert "Add one with `/hero add`" in text_of(listed)
    assert labels_of(listed) == []


async def test_a_pick_from_the_page_opens_the_card(world: World) -> None:
    await crowd(world, 3)
    listed = await world.bob.slash(world.channel, "hero list")
    (menu,) = [option for option in labels_of(listed) if option == "Hero 01"]
    assert menu

    opened = await world.keeper.select(answer_of(listed), ["2"])

    assert_private(opened)
    assert text_of(opened).startswith("## Hero 01")


async def test_a_pick_of_what_is_gone_says_so(world: World) -> None:
    await crowd(world, 3)
    listed = await world.bob.slash(world.channel, "hero list")
    async with world.bot.db.write() as session:
        await session.exec(text("DELETE FROM hero WHERE id = 2"))  # pyright: ignore[reportCallIssue, reportArgumentType]

    opened = await world.keeper.select(answer_of(listed), ["2"])

    assert_private(opened)
    assert "no longer in this server's roster" in text_of(opened)


async def test_random_shows_any_of_them(world: World) -> None:
    nobody = await world.bob.slash(world.channel, "hero random")
    assert_private(nobody)
    assert "/hero add" in text_of(nobody)
    await crowd(world, 2)

    shown = {text_of(await world.bob.slash(world.channel, "hero random")).splitlines()[0] for _ in range(40)}

    # One of the two would be missing once in 2**39 runs.
    assert shown == {"## Hero 00", "## Hero 01"}


async def test_nothing_is_kept_in_memory_of_what_was_shown(world: World) -> None:
    store = world.bot._connection._view_store  # pyright: ignore[reportPrivateUsage]  # noqa: SLF001
    await crowd(world, 12)
    for _ in range(5):
        await world.bob.slash(world.channel, "hero list")
        await world.bob.slash(world.channel, "hero find", name="Hero 01")
        await world.bob.slash(world.channel, "hero edit", name="Hero 00")

    assert (store._views, store._synced_message_views, store._modals) == ({}, {}, {})  # pyright: ignore[reportPrivateUsage]  # noqa: SLF001
