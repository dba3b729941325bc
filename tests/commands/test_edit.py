"""/hero edit: the form, who may use it, and what becomes of what was typed."""

import pytest

from tests.support.world import (
    World,
    answer_of,
    assert_private,
    fields_of,
    hero_in,
    labels_of,
    restart,
    text_of,
)


async def test_the_form_holds_what_is_there_and_saves_what_changed(world: World) -> None:
    await world.add(world.alice, "Deadpond", secret_name="Dive", age=30, description="Red.")

    form = await world.alice.slash(world.channel, "hero edit", name="deadpond")
    assert fields_of(form) == {
        "name": "Deadpond",
        "secret_name": "Dive",
        "age": "30",
        "description": "Red.",
    }
    saved = await world.alice.submit_modal(
        form, {"name": "Deadlake", "secret_name": "Dave", "age": "1,031", "description": ""}
    )

    assert_private(saved)
    assert "## Deadlake" in text_of(saved)
    assert labels_of(saved) == ["Announce", "Secret identity"]
    now = await hero_in(world, "Deadlake")
    assert now is not None
    assert (now.sealed_secret, now.age, now.description, now.version) == ("Dave", 1031, None, 2)
    assert (await hero_in(world)) is None


async def test_a_keeper_does_not_see_the_secret_identity(world: World) -> None:
    await world.add(world.alice, "Deadpond", secret_name="Dive")

    form = await world.keeper.slash(world.channel, "hero edit", name="Deadpond")
    assert "secret_name" not in fields_of(form)
    saved = await world.keeper.submit_modal(form, {"name": "Deadpond", "age": "31"})

    assert labels_of(saved) == ["Secret identity"]
    now = await hero_in(world)
    assert now is not None
    assert (now.sealed_secret, now.age) == ("Dive", 31)


async def test_somebody_else_is_refused(world: World) -> None:
    await world.add(world.alice, "Deadpond")

    refused = await world.bob.slash(world.channel, "hero edit", name="Deadpond")

    assert_private(refused)
    assert "may manage this server" in text_of(refused)


async def test_a_stale_form_saves_nothing_and_shows_both_versions(world: World) -> None:
    await world.add(world.alice, "Deadpond", description="First.")
    mine = await world.alice.slash(world.channel, "hero edit", name="Deadpond")
    theirs = await world.keeper.slash(world.channel, "hero edit", name="Deadpond")
    await world.keeper.submit_modal(theirs, {"name": "Deadpond", "description": "Theirs."})

    refused = await world.alice.submit_modal(
        mine, {"name": "Deadpond", "secret_name": "Secretly", "description": "Mine."}
    )

    assert_private(refused)
    assert "nothing was saved" in text_of(refused)
    assert r"Theirs\." in text_of(refused)
    assert r"Mine\." in text_of(refused)
    now = await hero_in(world)
    assert now is not None
    assert (now.description, now.version) == ("Theirs.", 2)
    again = await world.alice.click(answer_of(refused), label="Open the form again")
    assert fields_of(again)["description"] == "Theirs."


@pytest.mark.parametrize(
    ("typed", "says"),
    [
        ({"age": "old"}, "whole number"),
        ({"age": "-1"}, "whole number"),
        ({"age": "9" * 9}, "0 to 1,000,000"),
        ({"name": "\u200b"}, "invisible"),
        ({"name": "Tarantula"}, "taken"),
        ({"description": "\u202e"}, "invisible"),
    ],
)
async def test_what_may_not_be_is_given_back(world: World, typed: dict[str, str], says: str) -> None:
    await world.add(world.bob, "Tarantula")
    await world.add(world.alice, "Deadpond", secret_name="Dive")
    form = await world.alice.slash(world.channel, "hero edit", name="Deadpond")

    refused = await world.alice.submit_modal(
        form, {"name": "Deadpond", "secret_name": "Dive", "description": "A long text.", **typed}
    )

    assert_private(refused)
    assert says in text_of(refused)
    assert "You had typed" in text_of(refused)
    now = await hero_in(world)
    assert now is not None
    assert now.version == 1


async def test_a_form_from_before_a_restart_is_understood(world: World) -> None:
    await world.add(world.alice, "Deadpond")
    form = await world.alice.slash(world.channel, "hero edit", name="Deadpond")
    await restart(world)

    await world.alice.submit_modal(form, {"name": "Deadlake", "secret_name": "x"})

    assert await hero_in(world, "Deadlake") is not None
    await world.bot.close()


async def test_nothing_changed_is_no_change(world: World) -> None:
    await world.add(world.alice, "Deadpond", secret_name="Dive", age=3)
    form = await world.alice.slash(world.channel, "hero edit", name="Deadpond")

    await world.alice.submit_modal(form, fields_of(form) | {"description": ""})

    now = await hero_in(world)
    assert now is not None
    assert now.version == 1
