"""`/hero portrait` on Discord."""

from typing import Any

import pytest
from simcord.backend.cdn import CdnStore
from sqlmodel import select

from bot.db.models import Portrait
from bot.images.portrait import shrink
from tests.support.pictures import quadrants, saved
from tests.support.world import World, answer_of, assert_private, text_of


class Forgetful(CdnStore):
    """A Discord that has lost what was uploaded."""

    def get(self, url: str) -> None:
        return None


class Lying(CdnStore):
    """A Discord that says of each upload that it is one byte long."""

    def store_attachment(self, *args: Any, **options: Any) -> dict[str, Any]:
        return super().store_attachment(*args, **options) | {"size": 1}


@pytest.fixture
async def deadpond(world: World) -> None:
    await world.add(world.alice, "Deadpond")


async def portrait_in(world: World) -> bytes | None:
    async with world.bot.db.read() as session:
        return (await session.exec(select(Portrait.image))).one_or_none()


UPLOAD = ("deadpond.txt", saved(quadrants(), "PNG"))


@pytest.mark.usefixtures("deadpond")
async def test_owner_and_keeper_portray_a_hero_and_the_card_shows_it(world: World) -> None:
    for member in (world.alice, world.keeper):
        shown = await member.slash(world.channel, "hero portrait", name=" deadPOND ", image=UPLOAD)
        assert_private(shown)
        assert [file.filename for file in answer_of(shown).attachments] == ["portrait.webp"]
        assert "attachment" in str(answer_of(shown).components)
        assert await portrait_in(world) == await shrink(UPLOAD[1])
        found = await world.bob.slash(world.channel, "hero find", name="Deadpond")
        assert text_of(found).startswith("## Deadpond")
        assert [file.filename for file in answer_of(found).attachments] == ["portrait.webp"]

        taken = await member.slash(world.channel, "hero portrait", name="Deadpond")
        assert answer_of(taken).attachments == []
        assert await portrait_in(world) is None


@pytest.mark.usefixtures("deadpond")
async def test_a_removed_heros_card_leaves_its_portrait_behind(world: World) -> None:
    await world.alice.slash(world.channel, "hero portrait", name="Deadpond", image=UPLOAD)
    asked = await world.alice.slash(world.channel, "hero remove", name="Deadpond")
    await world.alice.click(answer_of(asked), label="Remove")

    undone = await world.alice.click(answer_of(asked), label="Undo")

    assert [file.filename for file in answer_of(undone).attachments] == ["portrait.webp"]


@pytest.mark.usefixtures("deadpond")
async def test_nothing_is_fetched_for_a_stranger_or_an_unknown_hero(world: World) -> None:
    world.env.backend.cdn = Forgetful()

    stranger = await world.bob.slash(world.channel, "hero portrait", name="Deadpond", image=UPLOAD)
    unknown = await world.alice.slash(world.channel, "hero portrait", name="Nobody", image=UPLOAD)

    assert_private(stranger)
    assert text_of(stranger).startswith("Only <@")
    assert text_of(unknown).startswith("No hero here is called")
    assert await portrait_in(world) is None


@pytest.mark.usefixtures("deadpond")
async def test_a_picture_that_discord_lost_is_asked_for_again(world: World) -> None:
    world.env.backend.cdn = Forgetful()

    refused = await world.alice.slash(world.channel, "hero portrait", name="Deadpond", image=UPLOAD)

    assert text_of(refused) == "Discord did not give me that picture. Please send it again."
    assert await portrait_in(world) is None


@pytest.mark.usefixtures("deadpond")
@pytest.mark.parametrize("cdn", [Forgetful, Lying], ids=["by what Discord says", "by what came"])
async def test_a_large_file_is_refused(world: World, cdn: type[CdnStore]) -> None:
    world.env.backend.cdn = cdn()
    large = ("deadpond.png", UPLOAD[1].ljust(8 * 1024 * 1024 + 1, b"\0"))

    refused = await world.alice.slash(world.channel, "hero portrait", name="Deadpond", image=large)

    assert "at most 8 MiB" in text_of(refused)
    assert await portrait_in(world) is None


@pytest.mark.usefixtures("deadpond")
async def test_what_is_no_picture_leaves_the_portrait_as_it_was(world: World) -> None:
    await world.alice.slash(world.channel, "hero portrait", name="Deadpond", image=UPLOAD)

    refused = await world.alice.slash(
        world.channel, "hero portrait", name="Deadpond", image=("deadpond.png", b"text")
    )

    assert "not a picture that I can read" in text_of(refused)
    assert await portrait_in(world) == await shrink(UPLOAD[1])
