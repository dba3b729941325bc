"""/hero transfer, its buttons, and /hero claim."""

import pytest
from simcord import InteractionResult
from sqlmodel import select

from bot.db.models import Hero
from tests.support.world import (
    DAY,
    World,
    answer_of,
    assert_private,
    assert_public,
    hero_in,
    labels_of,
    restart,
    text_of,
)


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
        now = await hero_in(world)
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
        await restart(world)
        await world.env.advance_time(DAY + 1)

        refused = await world.bob.click(answer_of(offer), label="Accept")

        assert_private(refused)
        assert "lapsed" in text_of(refused)
        now = await hero_in(world)
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
        now = await hero_in(world)
        assert now is not None
        assert now.owner_id == world.bob.id

    async def test_whose_owner_is_here(self, world: World) -> None:
        await world.add(world.alice, "Deadpond")

        for who, says in ((world.bob, "still in this server"), (world.alice, "already")):
            refused = await who.slash(world.channel, "hero claim", name="Deadpond")
            assert_private(refused)
            assert says in text_of(refused)
