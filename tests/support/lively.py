"""A server in which a lot has happened."""

from typing import Any

from pydantic import SecretStr
from sqlmodel import func, select

from bot.roster.vault import Vault, new_key
from tests.support.world import World, answer_of


async def count(world: World, table: Any, *wanted: Any) -> int:
    """How many rows of a table are as wanted."""
    async with world.bot.db.read() as session:
        return (await session.exec(select(func.count()).select_from(table).where(*wanted))).one()


async def lively(world: World) -> None:
    """Alice has two heroes, one removed, trusts Bob, and is trusted by him; she handed one over to him."""
    world.bot.vault = Vault([SecretStr(new_key())])
    for name in ("Deadpond", "Removed", "Given"):
        await world.add(world.alice, name, secret_name=f"{name} at home")
    await world.add(world.bob, "Tarantula")
    asked = await world.alice.slash(world.channel, "hero remove", name="Removed")
    await world.alice.click(answer_of(asked), label="Remove")
    await world.alice.slash(world.channel, "hero confide", name="Deadpond", member=world.bob)
    await world.bob.slash(world.channel, "hero confide", name="Tarantula", member=world.alice)
    offer = await world.alice.slash(world.channel, "hero transfer", name="Given", to=world.bob)
    await world.bob.click(answer_of(offer), label="Accept")
