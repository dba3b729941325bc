"""Different changes to the same heroes at the same time."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from datetime import UTC, datetime
from typing import Any

from bot.db.engine import Database
from bot.db.models import Hero
from bot.roster.asker import Asker
from bot.roster.editing import Edit, edit_hero
from bot.roster.errors import RosterError
from bot.roster.ownership import claim_hero
from bot.roster.quota import Quota
from bot.roster.removal import remove_hero, restore_hero
from bot.roster.vault import Vault
from tests.support.heroes import stored_heroes

KEEPER = 9


async def test_changes_to_the_same_heroes_at_once_wait_for_each_other_in_one_order(db: Database) -> None:
    now = datetime(2026, 1, 1, tzinfo=UTC)
    database = Database(db.engine.url, info={"quota": Quota(1_000, 1_000)})
    heroes = await stored_heroes(db, *"ABC", owner_id=1, created_at=now)

    async def attempt(change: Callable[..., Awaitable[Hero]], *wanted: Any, **options: Any) -> None:
        async with database.write() as session:
            await change(session, *wanted, **options)

    changes: list[Coroutine[Any, Any, None]] = []
    for turn in range(12):
        for hero in heroes:
            for member in (1, KEEPER):
                asker = Asker(member, 1, now, keeper=member == KEEPER)
                changes += [
                    attempt(edit_hero, asker, Vault(), hero.id, Edit(turn + 1, hero.name, turn, None)),
                    attempt(remove_hero, asker, hero.id),
                    attempt(restore_hero, asker, hero.id),
                    attempt(claim_hero, asker, hero.id, owner_id=10 - member),
                ]
    results = await asyncio.gather(*changes, return_exceptions=True)

    unexpected = [result for result in results if not isinstance(result, RosterError | None)]
    assert unexpected == []
    assert results.count(None) > 0
    await database.dispose()
