"""Any course of a roster's life, against a small model in memory."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any, TypeVar

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test
from sqlalchemy import URL
from sqlmodel import func, select
from sqlmodel.ext.asyncio.session import AsyncSession

from bot.db.models import Hero, HistoryEntry
from bot.db.open import open_database
from bot.interactions.sentences import sentence_of
from bot.roster.adding import add_hero
from bot.roster.asker import Asker
from bot.roster.editing import Edit, edit_hero
from bot.roster.errors import RosterError
from bot.roster.listing import list_heroes
from bot.roster.ownership import OFFER_LASTS, accept_offer, claim_hero
from bot.roster.quota import Quota
from bot.roster.removal import KEPT_FOR, remove_hero, restore_hero
from bot.roster.rules import name_key
from bot.roster.vault import Vault

T = TypeVar("T")

NAMES = ["Deadpond", "DEADPOND", "Tarantula", "Rusty-Man", ""]
KEEPER = 9

guild_numbers = count(1_000)


guilds = st.integers(0, 1)
members = st.sampled_from([1, 2, 3, KEEPER])
names = st.sampled_from(NAMES)
picks = st.integers(0, 30)


@dataclass(frozen=True)
class Modelled:
    """A hero as the model remembers it."""

    guild: int
    owner: int
    name: str
    age: int | None = None
    removed_at: datetime | None = None
    version: int = 1
    changes: int = 1


class Life(RuleBasedStateMachine):
    """Members of two guilds change their rosters; the model says what must come of it."""

    url: URL

    def __init__(self) -> None:
        super().__init__()
        self.runner = asyncio.Runner()
        # With no limit in the way: the model knows none.
        self.db = self.run(open_database(self.url, info={"quota": Quota(1_000, 1_000)}))
        self.guilds = [next(guild_numbers), next(guild_numbers)]
        self.model: dict[int, Modelled] = {}
        self.now = datetime(2026, 1, 1, tzinfo=UTC)

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        return self.runner.run(work)

    def teardown(self) -> None:
        self.run(self.db.dispose())
        self.runner.close()

    def asker(self, member: int, guild: int) -> Asker:
        return Asker(member, self.guilds[guild], self.now, keeper=member == KEEPER)

    def attempt(self, change: Callable[[AsyncSession], Awaitable[Hero]]) -> Hero | None:
        """Do it in a transaction of its own; None where it is refused."""
        return self.run(self.attempted(change))

    async def attempted(self, change: Callable[[AsyncSession], Awaitable[Hero]]) -> Hero | None:
        try:
            async with self.db.write() as session:
                return await change(session)
        except RosterError as error:
            assert sentence_of(error)
            return None

    def picked(self, pick: int) -> tuple[int, Modelled | None]:
        """A hero of the model, or a number that is nobody's."""
        numbers = [*self.model, 10**9]
        number = numbers[pick % len(numbers)]
        return number, self.model.get(number)

    def taken(self, guild: int, name: str, but: int = 0) -> bool:
        return any(
            hero.guild == guild and hero.removed_at is None and name_key(hero.name) == name_key(name)
            for number, hero in self.model.items()
            if number != but
        )

    async def add_one(self, guild: int, owner: int, name: str) -> Hero | None:
        asker = self.asker(owner, guild)
        return await self.attempted(
            lambda session: add_hero(session, asker, Vault(), name=name, secret_name="x")
        )

    def cares(self, member: int, hero: Modelled) -> bool:
        return member in (hero.owner, KEEPER)

    @rule(guild=guilds, owner=members, name=names)
    def add(self, guild: int, owner: int, name: str) -> None:
        hero = self.run(self.add_one(guild, owner, name))
        assert (hero is not None) == (name != "" and not self.taken(guild, name))
        if hero is not None:
            self.model[hero.id] = Modelled(guild, owner, name)

    @rule(several=st.lists(st.tuples(guilds, members, names.filter(bool)), min_size=1, max_size=4))
    def add_together(self, several: list[tuple[int, int, str]]) -> None:
        async def add_all() -> list[Hero | None]:
            return await asyncio.gather(*(self.add_one(*each) for each in several))

        for (guild, owner, name), hero in zip(several, self.run(add_all()), strict=True):
            assert (hero is not None) == (not self.taken(guild, name))
            if hero is not None:
                self.model[hero.id] = Modelled(guild, owner, name)

    @rule(
        pick=picks,
        guild=guilds,
        member=members,
        name=names,
        age=st.sampled_from([None, 5, -1]),
        stale=st.booleans(),
    )
    def edit(self, pick: int, guild: int, member: int, name: str, age: int | None, stale: bool) -> None:
        number, known = self.picked(pick)
        version = (known.version if known else 1) - stale
        asker, wanted = self.asker(member, guild), Edit(version, name, age, None)
        hero = self.attempt(lambda session: edit_hero(session, asker, Vault(), number, wanted))
        may = (
            known is not None
            and known.guild == guild
            and known.removed_at is None
            and self.cares(member, known)
            and not stale
            and name != ""
            and age != -1
            and not self.taken(guild, name, but=number)
        )
        assert (hero is not None) == may
        if known is not None and may and (known.name, known.age) != (name, age):
            self.model[number] = replace(
                known, name=name, age=age, version=known.version + 1, changes=known.changes + 1
            )

    @rule(pick=picks, guild=guilds, member=members)
    def remove(self, pick: int, guild: int, member: int) -> None:
        number, known = self.picked(pick)
        asker = self.asker(member, guild)
        hero = self.attempt(lambda session: remove_hero(session, asker, number))
        may = (
            known is not None
            and known.guild == guild
            and known.removed_at is None
            and self.cares(member, known)
        )
        assert (hero is not None) == may
        if known is not None and may:
            self.model[number] = replace(
                known, removed_at=self.now, version=known.version + 1, changes=known.changes + 1
            )

    @rule(pick=picks, guild=guilds, member=members, new_name=st.sampled_from([None, *NAMES]))
    def restore(self, pick: int, guild: int, member: int, new_name: str | None) -> None:
        number, known = self.picked(pick)
        asker = self.asker(member, guild)
        hero = self.attempt(lambda session: restore_hero(session, asker, number, new_name=new_name))
        name = new_name if new_name is not None else known.name if known else ""
        may = (
            known is not None
            and known.guild == guild
            and known.removed_at is not None
            and known.removed_at > self.now - KEPT_FOR
            and self.cares(member, known)
            and name != ""
            and not self.taken(guild, name)
        )
        assert (hero is not None) == may
        if known is not None and may:
            self.model[number] = replace(
                known, name=name, removed_at=None, version=known.version + 1, changes=known.changes + 1
            )

    @rule(
        pick=picks,
        guild=guilds,
        owner=members,
        receiver=members,
        accepter=members,
        hours=st.sampled_from([1, 24]),
    )
    def transfer(self, pick: int, guild: int, owner: int, receiver: int, accepter: int, hours: int) -> None:
        number, known = self.picked(pick)
        asker = self.asker(accepter, guild)
        offered_at = self.now - timedelta(hours=hours)
        hero = self.attempt(
            lambda session: accept_offer(
                session, asker, number, owner_id=owner, receiver_id=receiver, offered_at=offered_at
            )
        )
        may = (
            known is not None
            and known.guild == guild
            and known.removed_at is None
            and known.owner == owner
            and accepter == receiver
            and timedelta(hours=hours) < OFFER_LASTS
        )
        assert (hero is not None) == may
        if known is not None and may:
            self.hand_over(number, known, receiver)

    @rule(pick=picks, guild=guilds, left=members, claimer=members)
    def claim(self, pick: int, guild: int, left: int, claimer: int) -> None:
        number, known = self.picked(pick)
        asker = self.asker(claimer, guild)
        hero = self.attempt(lambda session: claim_hero(session, asker, number, owner_id=left))
        may = known is not None and known.guild == guild and known.removed_at is None and known.owner == left
        assert (hero is not None) == may
        if known is not None and may:
            self.hand_over(number, known, claimer)

    def hand_over(self, number: int, known: Modelled, owner: int) -> None:
        self.model[number] = replace(known, owner=owner, version=known.version + 1, changes=known.changes + 1)

    @rule(days=st.sampled_from([1, 29, 31]))
    def time_passes(self, days: int) -> None:
        self.now += timedelta(days=days)

    @invariant()
    def the_roster_is_what_the_model_says(self) -> None:
        async def look() -> None:
            async with self.db.read() as session:
                for guild, guild_id in enumerate(self.guilds):
                    page = await list_heroes(session, guild_id)
                    found = [
                        (hero.id, hero.owner_id, hero.name, hero.age, hero.version) for hero in page.items
                    ]
                    expected = [
                        (number, hero.owner, hero.name, hero.age, hero.version)
                        for number, hero in self.model.items()
                        if hero.guild == guild and hero.removed_at is None
                    ]
                    assert page.total == len(expected)
                    assert sorted(found) == sorted(expected)
                    entries = select(func.count()).where(HistoryEntry.guild_id == guild_id)
                    written = (await session.exec(entries)).one()
                    assert written == sum(h.changes for h in self.model.values() if h.guild == guild)

        self.run(look())


def test_every_course_of_life_ends_as_the_model_says(url: URL) -> None:
    class LifeHere(Life):
        pass

    LifeHere.url = url
    run_state_machine_as_test(  # pyright: ignore[reportUnknownMemberType]
        LifeHere,
        settings=settings(
            max_examples=15,
            stateful_step_count=30,
            deadline=None,
            suppress_health_check=[HealthCheck.too_slow],
        ),
    )
