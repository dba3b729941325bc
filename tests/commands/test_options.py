"""What is suggested while a member names a hero for a command."""

import pytest

from tests.support.world import World

ALL = ["Deadpond", "Tarantula"]


@pytest.mark.parametrize(
    ("command", "who", "names"),
    [
        ("find", "bob", ALL),
        ("edit", "keeper", ALL),
        ("edit", "bob", ["Tarantula"]),
        ("remove", "keeper", ALL),
        ("remove", "bob", ["Tarantula"]),
        ("transfer", "keeper", []),
        ("transfer", "bob", ["Tarantula"]),
    ],
)
async def test_heroes_that_the_member_may_use_the_command_on_are_suggested(
    world: World, command: str, who: str, names: list[str]
) -> None:
    await world.add(world.alice, "Deadpond")
    await world.add(world.bob, "Tarantula")

    choices = await getattr(world, who).autocomplete(world.channel, f"hero {command}", "name", "")

    assert [choice["value"] for choice in choices] == names
