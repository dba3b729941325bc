"""Editing, removing, restoring, transferring, claiming, and what is written down of it."""

from datetime import timedelta
from typing import Any

import pytest
from simcord import InteractionResult
from sqlmodel import func, select

from bot.client import HeroBot
from bot.db.models import Hero, HistoryEntry, Portrait
from bot.roster.housekeeping import purge, take_turn
from tests.support.world import (
    World,
    answer_of,
    assert_private,
    assert_public,
    labels_of,
    settings_for,
    text_of,
)

DAY = 24 * 60 * 60.0


async def hero(world: World, name: str = "Deadpond") -> Hero | None:
    async with world.bot.db.read() as session:
        return (await session.exec(select(Hero).where(Hero.name == name))).one_or_none()


def fields_of(form: InteractionResult) -> dict[str, Any]:
    """What stands in each field of a form."""
    assert form.modal is not None, text_of(form)
    labels = [part["component"] for part in form.modal["components"]]
    return {field["custom_id"]: field.get("value") for field in labels}


async def restarted(world: World) -> World:
    """The same Discord with a new process of the bot."""
    await world.bot.close()
    world.bot = HeroBot(settings_for(world.bot.settings.database_url), shard_count=1)
    await world.env.restart_bot(world.bot)
    return world


class TestEdit:
    async def test_the_form_holds_what_is_there_and_saves_what_changed(self, world: World) -> None:
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
        now = await hero(world, "Deadlake")
        assert now is not None
        assert (now.secret_name, now.age, now.description, now.version) == ("Dave", 1031, None, 2)
        assert (await hero(world)) is None

    async def test_a_keeper_does_not_see_the_secret_identity(self, world: World) -> None:
        await world.add(world.alice, "Deadpond", secret_name="Dive")

        form = await world.keeper.slash(world.channel, "hero edit", name="Deadpond")
        assert "secret_name" not in fields_of(form)
        saved = await world.keeper.submit_modal(form, {"name": "Deadpond", "age": "31"})

        assert labels_of(saved) == ["Secret identity"]
        now = await hero(world)
        assert now is not None
        assert (now.secret_name, now.age) == ("Dive", 31)

    async def test_somebody_else_is_refused(self, world: World) -> None:
        await world.add(world.alice, "Deadpond")

        refused = await world.bob.slash(world.channel, "hero edit", name="Deadpond")

        assert_private(refused)
        assert "may manage this server" in text_of(refused)

    async def test_a_stale_form_saves_nothing_and_shows_both_versions(self, world: World) -> None:
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
        now = await hero(world)
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
    async def test_what_may_not_be_is_given_back(
        self, world: World, typed: dict[str, str], says: str
    ) -> None:
        await world.add(world.bob, "Tarantula")
        await world.add(world.alice, "Deadpond", secret_name="Dive")
        form = await world.alice.slash(world.channel, "hero edit", name="Deadpond")

        refused = await world.alice.submit_modal(
            form, {"name": "Deadpond", "secret_name": "Dive", "description": "A long text.", **typed}
        )

        assert_private(refused)
        assert says in text_of(refused)
        assert "You had typed" in text_of(refused)
        now = await hero(world)
        assert now is not None
        assert now.version == 1

    async def test_a_form_from_before_a_restart_is_understood(self, world: World) -> None:
        await world.add(world.alice, "Deadpond")
        form = await world.alice.slash(world.channel, "hero edit", name="Deadpond")
        await restarted(world)

        await world.alice.submit_modal(form, {"name": "Deadlake", "secret_name": "x"})

        assert await hero(world, "Deadlake") is not None
        await world.bot.close()

    async def test_nothing_changed_is_no_change(self, world: World) -> None:
        await world.add(world.alice, "Deadpond", secret_name="Dive", age=3)
        form = await world.alice.slash(world.channel, "hero edit", name="Deadpond")

        await world.alice.submit_modal(form, fields_of(form) | {"description": ""})

        now = await hero(world)
        assert now is not None
        assert now.version == 1


class TestRemoval:
    async def removed(self, world: World) -> InteractionResult:
        """Alice removes Deadpond; the question turns into a card that offers to undo it."""
        await world.add(world.alice, "Deadpond", secret_name="Dive")
        asked = await world.alice.slash(world.channel, "hero remove", name="Deadpond")
        assert_private(asked)
        assert labels_of(asked) == ["Remove", "Keep"]
        await world.alice.click(answer_of(asked), label="Remove")
        assert labels_of(asked) == ["Undo"]
        return asked

    async def test_it_asks_first_and_can_be_told_no(self, world: World) -> None:
        await world.add(world.alice, "Deadpond")
        asked = await world.alice.slash(world.channel, "hero remove", name="Deadpond")

        await world.alice.click(answer_of(asked), label="Keep")

        assert text_of(asked) == "Nothing was removed."
        assert "## Deadpond" in text_of(await world.bob.slash(world.channel, "hero find", name="Deadpond"))

    async def test_what_is_removed_is_not_found_and_its_name_is_free(self, world: World) -> None:
        await self.removed(world)

        found = await world.bob.slash(world.channel, "hero find", name="Deadpond")
        assert "No hero here is called" in text_of(found)
        assert "no heroes" in text_of(await world.bob.slash(world.channel, "hero list"))
        assert await world.alice.autocomplete(world.channel, "hero find", "name", "") == []
        assert "## Deadpond" in text_of(await world.add(world.bob, "Deadpond"))

    async def test_undo_brings_it_back_as_it_was_also_after_a_restart(self, world: World) -> None:
        asked = await self.removed(world)
        await restarted(world)

        undone = await world.alice.click(answer_of(asked), label="Undo")

        assert "back in the roster" in text_of(undone)
        now = await hero(world)
        assert now is not None
        assert (now.secret_name, now.removed_at) == ("Dive", None)
        again = await world.alice.click(answer_of(asked), label="Undo")
        assert "already" in text_of(again)
        await world.bot.close()

    async def test_restore_finds_it_by_name_for_its_owner_and_keepers(self, world: World) -> None:
        await self.removed(world)

        for stranger in (world.bob,):
            assert await stranger.autocomplete(world.channel, "hero restore", "name", "dead") == []
            refused = await stranger.slash(world.channel, "hero restore", name="Deadpond")
            assert_private(refused)
            assert "No hero called" in text_of(refused)
        choices = await world.keeper.autocomplete(world.channel, "hero restore", "name", "dead")
        assert [choice["name"] for choice in choices] == ["Deadpond"]
        restored = await world.keeper.slash(world.channel, "hero restore", name="deadPOND")

        assert "back in the roster" in text_of(restored)

    async def test_a_name_taken_meanwhile_is_asked_for_anew(self, world: World) -> None:
        asked = await self.removed(world)
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

    async def test_after_30_days_it_is_gone_for_good(self, world: World) -> None:
        asked = await self.removed(world)
        await world.env.advance_time(29 * DAY)
        assert len(await world.alice.autocomplete(world.channel, "hero restore", "name", "")) == 1
        assert await hero(world) is not None

        await world.env.advance_time(2 * DAY)

        assert await world.alice.autocomplete(world.channel, "hero restore", "name", "") == []
        late = await world.alice.click(answer_of(asked), label="Undo")
        assert "no longer" in text_of(late)
        assert await hero(world) is None, "the daily task has purged it"

    async def test_somebody_else_can_neither_remove_nor_undo(self, world: World) -> None:
        await world.add(world.alice, "Deadpond")
        refused = await world.bob.slash(world.channel, "hero remove", name="Deadpond")
        assert_private(refused)
        assert "may manage this server" in text_of(refused)

    async def test_who_was_asked_may_have_lost_the_hero_meanwhile(self, world: World) -> None:
        await world.add(world.alice, "Deadpond")
        asked = await world.alice.slash(world.channel, "hero remove", name="Deadpond")
        async with world.bot.db.write() as session:
            (await session.exec(select(Hero))).one().owner_id = world.bob.id

        refused = await world.alice.click(answer_of(asked), label="Remove")

        assert_private(refused)
        assert await hero(world) is not None
        assert labels_of(asked) == ["Remove", "Keep"], "the question stays as it was"


async def test_purging_takes_batches_with_all_that_belongs_to_them(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.roster.removal.PURGE_BATCH", 2)
    monkeypatch.setattr("bot.roster.housekeeping.PURGE_BATCH", 2)
    for n in range(5):
        await world.add(world.alice, f"Hero {n}")
    now = world.env.now()
    async with world.bot.db.write() as session:
        for row in (await session.exec(select(Hero))).all():
            row.removed_at = now - timedelta(days=30 if row.id > 1 else 29, seconds=1)
            session.add(Portrait(hero_id=row.id, guild_id=row.guild_id, image=b"x"))

    assert await purge(world.bot.db, now) == 4

    async with world.bot.db.read() as session:
        for table in (Hero, HistoryEntry, Portrait):
            assert (await session.exec(select(func.count()).select_from(table))).one() == 1


async def test_a_daily_task_runs_once_a_day_across_all_processes(world: World) -> None:
    now = world.env.now() + timedelta(days=2)
    turns = [await take_turn(world.bot.db, "test", now + timedelta(hours=hour)) for hour in range(0, 48, 6)]
    assert turns == [True, False, False, False, True, False, False, False]


class TestTransfer:
    async def offered(self, world: World) -> InteractionResult:
        await world.add(world.alice, "Deadpond", secret_name="Dive")
        offer = await world.alice.slash(world.channel, "hero transfer", name="Deadpond", to=world.bob)
        assert_public(offer)
        assert labels_of(offer) == ["Accept", "Decline"]
        return offer

    async def test_the_receiver_accepts_and_has_the_secret(self, world: World) -> None:
        offer = await self.offered(world)

        await world.bob.click(answer_of(offer), label="Accept")

        assert "handed this hero over" in text_of(offer)
        now = await hero(world)
        assert now is not None
        assert now.owner_id == world.bob.id
        told = await world.bob.click(answer_of(offer), label="Secret identity")
        assert "Dive" in text_of(told)
        refused = await world.alice.click(answer_of(offer), label="Secret identity")
        assert "Dive" not in text_of(refused)

    @pytest.mark.parametrize(("who", "says"), [("bob", "has declined"), ("alice", "has withdrawn")])
    async def test_either_side_can_end_it(self, world: World, who: str, says: str) -> None:
        offer = await self.offered(world)

        await getattr(world, who).click(answer_of(offer), label="Decline")

        assert says in text_of(offer)
        assert labels_of(offer) == []

    async def test_nobody_else_can_settle_it(self, world: World) -> None:
        offer = await self.offered(world)

        for who, label in ((world.keeper, "Accept"), (world.alice, "Accept"), (world.keeper, "Decline")):
            refused = await who.click(answer_of(offer), label=label)
            assert_private(refused)
        assert labels_of(offer) == ["Accept", "Decline"]

    async def test_it_lapses_after_a_day_and_outlives_a_restart_before(self, world: World) -> None:
        offer = await self.offered(world)
        await restarted(world)
        await world.env.advance_time(DAY + 1)

        refused = await world.bob.click(answer_of(offer), label="Accept")

        assert_private(refused)
        assert "lapsed" in text_of(refused)
        now = await hero(world)
        assert now is not None
        assert now.owner_id == world.alice.id
        await world.bot.close()

    async def test_what_has_changed_hands_or_gone_can_not_be_accepted(self, world: World) -> None:
        offer = await self.offered(world)
        async with world.bot.db.write() as session:
            (await session.exec(select(Hero))).one().owner_id = world.keeper.id
        assert "changed hands" in text_of(await world.bob.click(answer_of(offer), label="Accept"))
        async with world.bot.db.write() as session:
            await session.delete((await session.exec(select(Hero))).one())
        assert "no longer" in text_of(await world.bob.click(answer_of(offer), label="Accept"))

    async def test_who_can_not_receive(self, world: World) -> None:
        await world.add(world.alice, "Deadpond")
        gone = world.guild.add_member(world.env.create_user("gone"))
        world.guild.remove_member(gone)
        robot = world.guild.add_member(world.env.create_user("robot", bot=True))

        for who, to, says in (
            (world.alice, robot, "Bots can't play"),
            (world.alice, world.alice, "already"),
            (world.alice, gone.user, "not in this server"),
            (world.bob, world.keeper, f"Only {world.alice.mention}"),
            (world.keeper, world.keeper, f"Only {world.alice.mention}"),
        ):
            refused = await who.slash(world.channel, "hero transfer", name="Deadpond", to=to)
            assert_private(refused)
            assert says in text_of(refused)


class TestClaim:
    async def test_whose_owner_has_left(self, world: World) -> None:
        await world.add(world.alice, "Deadpond", secret_name="Dive")
        world.guild.remove_member(world.alice)

        claimed = await world.bob.slash(world.channel, "hero claim", name="Deadpond")

        assert_public(claimed)
        assert f"{world.bob.mention} has claimed" in text_of(claimed)
        now = await hero(world)
        assert now is not None
        assert now.owner_id == world.bob.id

    async def test_whose_owner_is_here(self, world: World) -> None:
        await world.add(world.alice, "Deadpond")

        for who, says in ((world.bob, "still in this server"), (world.alice, "already")):
            refused = await who.slash(world.channel, "hero claim", name="Deadpond")
            assert_private(refused)
            assert says in text_of(refused)


class TestHistory:
    async def test_it_tells_who_did_what_and_no_secret(self, world: World) -> None:
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

    async def test_it_is_for_the_owner_and_keepers(self, world: World) -> None:
        await world.add(world.alice, "Deadpond")

        assert "added" in text_of(await world.keeper.slash(world.channel, "hero history", name="Deadpond"))
        refused = await world.bob.slash(world.channel, "hero history", name="Deadpond")

        assert_private(refused)
        assert "may manage this server" in text_of(refused)

    async def test_it_has_pages(self, world: World) -> None:
        await world.add(world.alice, "Deadpond")
        for age in range(15):
            form = await world.alice.slash(world.channel, "hero edit", name="Deadpond")
            await world.alice.submit_modal(form, {"name": "Deadpond", "secret_name": "x", "age": str(age)})

        told = await world.alice.slash(world.channel, "hero history", name="Deadpond")
        assert "Page 1 of 2" in text_of(told)
        await world.alice.click(answer_of(told), custom_id="history:next:1:1")

        assert "added this hero" in text_of(told)
