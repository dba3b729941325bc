import pytest

from tests.support.world import (
    World,
    answer_of,
    assert_private,
    assert_public,
    labels_of,
    restart,
    text_of,
)


async def test_the_answer_is_the_card_for_everyone(world: World) -> None:
    await world.add(world.alice, "Deadpond", age=30, description="Never shuts up.")

    result = await world.bob.slash(world.channel, "hero find", name="Deadpond")

    assert_public(result)
    text = text_of(result)
    assert text.splitlines()[0] == "## Deadpond"
    assert "Never shuts up" in text
    assert "**Age** 30" in text
    assert f"Played by {world.alice.mention} · here since <t:" in text
    assert labels_of(result) == ["Secret identity"]


@pytest.mark.parametrize(
    ("name", "typed"),
    [
        ("Deadpond", "  dEADPOND "),
        ("Deadpond", "ｄｅａｄｐｏｎｄ"),
        ("Captain North America", "captain   north\tamerica"),
        ("Renée", "RENE\u0301E"),
        ("ÖÉ", "öé"),
        ("Straße", "STRASSE"),
        ("ΣΊΣΥΦΟΣ", "σίσυφος"),
        ("Deadpond", "Dead\u200bpond"),
    ],
)
async def test_spelling_makes_no_difference(world: World, name: str, typed: str) -> None:
    await world.add(world.alice, name)

    result = await world.bob.slash(world.channel, "hero find", name=typed)

    assert_public(result)
    assert text_of(result).startswith(f"## {name}")


async def test_the_owner_reads_the_secret_identity_privately(world: World) -> None:
    await world.add(world.alice, "Deadpond", secret_name="Dive Wilson")
    card = await world.bob.slash(world.channel, "hero find", name="Deadpond")

    told = await world.alice.click(answer_of(card), label="Secret identity")

    assert_private(told)
    assert "Dive Wilson" in text_of(told)


async def test_everyone_else_is_politely_refused(world: World) -> None:
    await world.add(world.alice, "Deadpond", secret_name="Dive Wilson")
    card = await world.bob.slash(world.channel, "hero find", name="Deadpond")

    for nosy in (world.bob, world.keeper):
        refused = await nosy.click(answer_of(card), label="Secret identity")

        assert_private(refused)
        assert "whom they trust" in text_of(refused)
        assert "Dive Wilson" not in text_of(refused)


async def test_a_near_miss_offers_names_to_pick_from(world: World) -> None:
    for number in range(12):
        await world.add(world.alice, f"Deadpond {number}")
    await world.add(world.alice, "Tarantula")

    missed = await world.bob.slash(world.channel, "hero find", name="Dedpond")

    assert_private(missed)
    assert "“Dedpond”" in text_of(missed)
    offered = labels_of(missed)
    assert len(offered) == 10
    assert all(name.startswith("Deadpond") for name in offered)

    picked = await world.bob.select(answer_of(missed), [offered[3]])

    assert_public(picked)
    assert text_of(picked).startswith(f"## {offered[3]}")


async def test_nothing_close_says_how_to_add_one(world: World) -> None:
    await world.add(world.alice, "Tarantula")

    result = await world.bob.slash(world.channel, "hero find", name="Zzyzx")

    assert_private(result)
    assert "`/hero add`" in text_of(result)
    assert labels_of(result) == []


@pytest.mark.parametrize(
    "typed", ["", " ", "x" * 100_000, "\x00", "\ud800", "%", "_", "\\", "'; --", "@everyone"]
)
async def test_odd_input_is_answered(world: World, typed: str) -> None:
    await world.add(world.alice, "Tarantula")

    result = await world.bob.slash(world.channel, "hero find", name=typed)

    assert_private(result)
    assert text_of(result).startswith("No hero here is called")
    assert len(text_of(result)) < 400


async def test_buttons_work_after_a_restart(world: World) -> None:
    await world.add(world.alice, "Deadpond", secret_name="Dive Wilson")
    card = await world.bob.slash(world.channel, "hero find", name="Deadpond")
    missed = await world.bob.slash(world.channel, "hero find", name="Dedpond")

    restarted = await restart(world)
    told = await world.alice.click(answer_of(card), label="Secret identity")
    picked = await world.bob.select(answer_of(missed), ["Deadpond"])

    assert "Dive Wilson" in text_of(told)
    assert text_of(picked).startswith("## Deadpond")
    await restarted.close()


async def test_a_hero_of_another_server_is_out_of_reach(world: World) -> None:
    other = world.env.create_guild("Elsewhere")
    channel = other.create_text_channel("heroes")
    carol = other.add_member(world.env.create_user("carol"))
    await world.add(world.alice, "Deadpond")

    found = await carol.slash(channel, "hero find", name="Deadpond")

    assert_private(found)
    assert text_of(found).startswith("No hero here is called")
    assert await carol.autocomplete(channel, "hero find", "name", "") == []
