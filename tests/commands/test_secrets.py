"""Secret identities: shared person by person, and nowhere else to be found."""

import logging
from pathlib import Path
from typing import Any

import pytest
from sqlmodel import func, select, update

from bot.db.models import Confidant, Hero, HistoryEntry
from bot.roster.vault import new_key
from tests.support.secrets import MARKER, vault_of
from tests.support.world import World, answer_of, assert_private, labels_of, text_of


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
