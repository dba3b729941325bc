"""How much one member may change and own."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import URL

from bot.db.engine import Database
from bot.db.models import Hero
from bot.db.open import open_database
from bot.interactions.sentences import sentence_of
from bot.roster.adding import add_hero
from bot.roster.asker import Asker
from bot.roster.errors import RosterError
from bot.roster.quota import Quota, TooManyChangesError, TooManyHeroesError
from bot.roster.vault import Vault
from tests.support.secrets import all_heroes

START = datetime(2026, 1, 1, tzinfo=UTC)


@asynccontextmanager
async def limited(url: URL, quota: Quota) -> AsyncGenerator[Database]:
    """A database whose sessions carry that quota."""
    database = await open_database(url, info={"quota": quota})
    yield database
    await database.dispose()


async def add(db: Database, number: int, *, second: float = 0, guild_id: int = 1) -> Hero:
    """Let member 2 add a hero at that second."""
    async with db.write() as session:
        asker = Asker(2, guild_id, START + timedelta(seconds=second))
        return await add_hero(session, asker, Vault(), name=f"Hero {number}", secret_name="x")


async def test_a_member_has_so_many_heroes_in_a_server(url: URL) -> None:
    async with limited(url, Quota(changes_per_minute=1_000, heroes_per_member=5)) as db:
        await asyncio.gather(*(add(db, number) for number in range(4)))
        results = await asyncio.gather(*(add(db, number) for number in range(4, 104)), return_exceptions=True)

        kinds = sorted(type(result).__name__ for result in results)
        assert kinds == ["Hero"] + ["TooManyHeroesError"] * 99
        assert len(await all_heroes(db)) == 5
    (refusal,) = {sentence_of(result) for result in results if isinstance(result, TooManyHeroesError)}
    assert "5 heroes" in refusal
    assert "/hero remove" in refusal


async def test_a_member_changes_so_much_in_a_minute(url: URL) -> None:
    async with limited(url, Quota(changes_per_minute=3, heroes_per_member=50)) as db:

        async def wait_at(second: int, guild_id: int = 1) -> str:
            with pytest.raises(TooManyChangesError) as caught:
                await add(db, second, second=second, guild_id=guild_id)
            return sentence_of(caught.value)

        for second in (0, 10, 20):
            await add(db, second, second=second)
        assert "in 15 seconds" in await wait_at(45)
        assert "in 1 second." in await wait_at(59, guild_id=2)
        await add(db, 60, second=60)
        assert "in 9 seconds" in await wait_at(61)


async def test_changes_at_once_are_counted_one_by_one(url: URL) -> None:
    async with limited(url, Quota(changes_per_minute=10, heroes_per_member=1_000)) as db:
        results = await asyncio.gather(*(add(db, number) for number in range(50)), return_exceptions=True)

        assert sum(isinstance(result, RosterError) for result in results) == 40
        assert len(await all_heroes(db)) == 10
