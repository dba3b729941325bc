"""Options of commands that name a hero, and the names that they suggest."""

from collections.abc import Sequence
from typing import TypeAlias

from discord import app_commands
from typing_extensions import override

from bot.interactions.answer import asker_of
from bot.interactions.host import Host, Interaction
from bot.interactions.suggest import suggests
from bot.roster.asker import Right
from bot.roster.lookup import Wanted, suggest_names
from bot.roster.removal import suggest_removed


class HeroOption(app_commands.Transformer[Host]):
    """The name of a hero in the roster.

    The handler gets a `Wanted`, which `find_hero` looks up. Suggested are the heroes to which the asker has
    the right.

    Args:
        right: the relation that the asker must have to the hero.
    """

    def __init__(self, right: Right) -> None:
        self.right = right

    @override
    async def transform(self, interaction: Interaction, value: str, /) -> Wanted:
        return Wanted(value, self.right)

    @override
    @suggests
    async def autocomplete(  # pyright: ignore[reportIncompatibleMethodOverride] - any coroutine will do
        self, interaction: Interaction, value: str, /
    ) -> Sequence[str]:
        async with interaction.client.db.read() as session:
            return await suggest_names(session, asker_of(interaction), value, self.right)


class RemovedHeroOption(app_commands.Transformer[Host]):
    """The name of a removed hero that the asker may bring back."""

    @override
    async def transform(self, interaction: Interaction, value: str, /) -> str:
        return value

    @override
    @suggests
    async def autocomplete(  # pyright: ignore[reportIncompatibleMethodOverride] - any coroutine will do
        self, interaction: Interaction, value: str, /
    ) -> Sequence[str]:
        async with interaction.client.db.read() as session:
            return await suggest_removed(session, asker_of(interaction), value)


AnyHero: TypeAlias = app_commands.Transform[Wanted, HeroOption(Right.ANYONE)]
"""Any hero of the server."""
HeroInCare: TypeAlias = app_commands.Transform[Wanted, HeroOption(Right.OWNER_OR_KEEPER)]
"""A hero of the asker's own, and for a keeper any hero."""
OwnHero: TypeAlias = app_commands.Transform[Wanted, HeroOption(Right.OWNER)]
"""A hero of the asker's own."""
RemovedHero: TypeAlias = app_commands.Transform[str, RemovedHeroOption]
