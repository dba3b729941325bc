from itertools import count

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot.db.engine import Database
from bot.roster.adding import add_hero
from bot.roster.asker import Asker
from bot.roster.errors import HeroGoneError, HeroNotFoundError, NameTakenError
from bot.roster.heroes import hero_by_id
from bot.roster.lookup import Wanted, find_hero, suggest_names
from bot.roster.rules import name_key
from bot.roster.vault import Vault

NAMES = ["Deadpond", "deadPOND", "Spider-Boy", "Rusty-Man", "Tarantula"]

guild_numbers = count(1)
steps = st.lists(
    st.tuples(st.integers(0, 1), st.integers(1, 3), st.sampled_from(NAMES)), min_size=1, max_size=12
)


@given(steps)
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
async def test_what_one_guild_stores_another_never_sees(
    db: Database, steps: list[tuple[int, int, str]]
) -> None:
    """Any adds in two guilds leave in each exactly what was added there."""
    guilds = [next(guild_numbers), next(guild_numbers)]
    expected: list[dict[str, tuple[int, int]]] = [{}, {}]

    for where, owner_id, name in steps:
        try:
            async with db.write() as session:
                asker = Asker(owner_id, guilds[where])
                hero = await add_hero(session, asker, Vault(), name=name, secret_name="x")
        except NameTakenError:
            assert name_key(name) in expected[where]
        else:
            assert name_key(name) not in expected[where]
            expected[where][name_key(name)] = (hero.id, owner_id)

    for where, guild_id in enumerate(guilds):
        asker = Asker(9, guild_id, keeper=True)
        here, there = expected[where], expected[1 - where]
        async with db.read() as session:
            suggested = await suggest_names(session, asker, "")
            assert [name_key(name) for name in suggested] == sorted(here)
            for name in NAMES:
                try:
                    found = await find_hero(session, asker, Wanted(name))
                except HeroNotFoundError as error:
                    assert name_key(name) not in here
                    assert {name_key(near) for near in error.near} <= set(here)
                else:
                    assert (found.id, found.owner_id) == here[name_key(name)]
            for hero_id, _owner_id in there.values():
                try:
                    await hero_by_id(session, asker, hero_id)
                except HeroGoneError:
                    continue
                raise AssertionError("a hero of the other guild was reached by its number")
