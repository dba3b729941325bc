"""/hero history: what is written down, and for whom."""

from sqlmodel import select

from bot.db.models import HistoryEntry
from tests.support.world import World, answer_of, assert_private, text_of


async def test_it_tells_who_did_what_and_no_secret(world: World) -> None:
    await world.add(world.alice, "Deadpond", secret_name="Dive Wilson", age=30)
    form = await world.alice.slash(world.channel, "hero edit", name="Deadpond")
    await world.alice.submit_modal(form, {"name": "Deadlake", "secret_name": "Dave Wilson", "age": "31"})
    asked = await world.keeper.slash(world.channel, "hero remove", name="Deadlake")
    await world.keeper.click(answer_of(asked), label="Remove")
    await world.keeper.click(answer_of(asked), label="Undo")
    offer = await world.alice.slash(world.channel, "hero transfer", name="Deadlake", to=world.bob)
    await world.bob.click(answer_of(offer), label="Accept")

    told = await world.bob.slash(world.channel, "hero history", name="Deadlake")

    assert_private(told)
    text = text_of(told)
    did = [line.partition("· ")[2] for line in text.splitlines() if line.startswith("- <t:")]
    alice, bob, keeper = world.alice.mention, world.bob.mention, world.keeper.mention
    assert did == [
        f"{bob} accepted it from {alice}",
        f"{keeper} restored it",
        f"{keeper} removed it",
        f"{alice} edited it",
        f"{alice} added this hero",
    ]
    for line in (
        "name: “Deadpond” → “Deadlake”",
        "age: 30 → 31",
        "secret identity changed",
    ):
        assert line in text
    assert "Wilson" not in text
    async with world.bot.db.read() as session:
        for entry in (await session.exec(select(HistoryEntry))).all():
            assert "Wilson" not in str(entry.changes)


async def test_it_is_for_the_owner_and_keepers(world: World) -> None:
    await world.add(world.alice, "Deadpond")

    assert "added" in text_of(await world.keeper.slash(world.channel, "hero history", name="Deadpond"))
    refused = await world.bob.slash(world.channel, "hero history", name="Deadpond")

    assert_private(refused)
    assert "may manage this server" in text_of(refused)


async def test_it_has_pages(world: World) -> None:
    await world.add(world.alice, "Deadpond")
    for age in range(15):
        form = await world.alice.slash(world.channel, "hero edit", name="Deadpond")
        await world.alice.submit_modal(form, {"name": "Deadpond", "secret_name": "x", "age": str(age)})

    told = await world.alice.slash(world.channel, "hero history", name="Deadpond")
    assert "Page 1 of 2" in text_of(told)
    await world.alice.click(answer_of(told), custom_id="history:next:1:1")

    assert "added this hero" in text_of(told)
