"""/hero remove, /hero restore and the buttons below what they answer."""

from simcord import InteractionResult
from sqlmodel import select

from bot.db.models import Hero
from tests.support.world import (
    DAY,
    World,
    answer_of,
    assert_private,
    fields_of,
    hero_in,
    labels_of,
    restart,
    text_of,
)


async def removed(world: World) -> InteractionResult:
    """Alice removes Deadpond; the question turns into a card that offers to undo it."""
    await world.add(world.alice, "Deadpond", secret_name="Dive")
    asked = await world.alice.slash(world.channel, "hero remove", name="Deadpond")
    assert_private(asked)
    assert labels_of(asked) == ["Remove", "Keep"]
    await world.alice.click(answer_of(asked), label="Remove")
    assert labels_of(asked) == ["Undo"]
    return asked


async def test_it_asks_first_and_can_be_told_no(world: World) -> None:
    await world.add(world.alice, "Deadpond")
    asked = await world.alice.slash(world.channel, "hero remove", name="Deadpond")

    await world.alice.click(answer_of(asked), label="Keep")

    assert text_of(asked) == "Nothing was removed."
    assert "## Deadpond" in text_of(await world.bob.slash(world.channel, "hero find", name="Deadpond"))


async def test_what_is_removed_is_not_found_and_its_name_is_free(world: World) -> None:
    await removed(world)

    found = await world.bob.slash(world.channel, "hero find", name="Deadpond")
    assert "No hero here is called" in text_of(found)
    assert "no heroes" in text_of(await world.bob.slash(world.channel, "hero list"))
    assert await world.alice.autocomplete(world.channel, "hero find", "name", "") == []
    assert "## Deadpond" in text_of(await world.add(world.bob, "Deadpond"))


async def test_undo_brings_it_back_as_it_was_also_after_a_restart(world: World) -> None:
    asked = await removed(world)
    await restart(world)

    undone = await world.alice.click(answer_of(asked), label="Undo")

    assert "back in the roster" in text_of(undone)
    now = await hero_in(world)
    assert now is not None
    assert (now.sealed_secret, now.removed_at) == ("Dive", None)
    again = await world.alice.click(answer_of(asked), label="Undo")
    assert "already" in text_of(again)
    await world.bot.close()


async def test_restore_finds_it_by_name_for_its_owner_and_keepers(world: World) -> None:
    await removed(world)

    for stranger in (world.bob,):
        assert await stranger.autocomplete(world.channel, "hero restore", "name", "dead") == []
        refused = await stranger.slash(world.channel, "hero restore", name="Deadpond")
        assert_private(refused)
        assert "No hero called" in text_of(refused)
    choices = await world.keeper.autocomplete(world.channel, "hero restore", "name", "dead")
    assert [choice["name"] for choice in choices] == ["Deadpond"]
    restored = await world.keeper.slash(world.channel, "hero restore", name="deadPOND")

    assert "back in the roster" in text_of(restored)


async def test_a_name_taken_meanwhile_is_asked_for_anew(world: World) -> None:
    asked = await removed(world)
    await world.add(world.bob, "Deadpond")
    await world.add(world.bob, "Tarantula")

    form = await world.alice.click(answer_of(asked), label="Undo")
    assert list(fields_of(form)) == ["name"]
    taken_too = await world.alice.submit_modal(form, {"name": "tarantula"})
    assert "taken" in text_of(taken_too)
    form = await world.alice.click(answer_of(taken_too), label="Undo")
    done = await world.alice.submit_modal(form, {"name": "Deadlake"})

    assert "## Deadlake" in text_of(done)
    form = await world.alice.slash(world.channel, "hero restore", name="Deadlake")
    assert "already" in text_of(form)


async def test_after_30_days_it_is_gone_for_good(world: World) -> None:
    asked = await removed(world)
    await world.env.advance_time(29 * DAY)
    assert len(await world.alice.autocomplete(world.channel, "hero restore", "name", "")) == 1
    assert await hero_in(world) is not None

    await world.env.advance_time(2 * DAY)

    assert await world.alice.autocomplete(world.channel, "hero restore", "name", "") == []
    late = await world.alice.click(answer_of(asked), label="Undo")
    assert "no longer" in text_of(late)
    assert await hero_in(world) is None, "the daily task has purged it"


async def test_somebody_else_can_neither_remove_nor_undo(world: World) -> None:
    await world.add(world.alice, "Deadpond")
    refused = await world.bob.slash(world.channel, "hero remove", name="Deadpond")
    assert_private(refused)
    assert "may manage this server" in text_of(refused)


async def test_who_was_asked_may_have_lost_the_hero_meanwhile(world: World) -> None:
    await world.add(world.alice, "Deadpond")
    asked = await world.alice.slash(world.channel, "hero remove", name="Deadpond")
    async with world.bot.db.write() as session:
        (await session.exec(select(Hero))).one().owner_id = world.bob.id

    refused = await world.alice.click(answer_of(asked), label="Remove")

    assert_private(refused)
    assert await hero_in(world) is not None
    assert labels_of(asked) == ["Remove", "Keep"], "the question stays as it was"
