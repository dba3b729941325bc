"""/hero: what members do with heroes."""

from collections.abc import Sequence

from discord import app_commands
from discord.ext import commands

from bot.answer import Answer, Interaction, To, answers, guild_of, suggests
from bot.client import HeroBot
from bot.roster.errors import HeroNotFoundError
from bot.roster.heroes import add_hero
from bot.roster.search import find_hero, suggest_names
from cogs.ui.buttons import Announce, NearMisses, SecretIdentity, near_misses
from cogs.ui.card import hero_card


class HeroCog(commands.GroupCog, group_name="hero", group_description="The heroes of this server."):
    """The commands under /hero.

    Lengths and ranges are not declared to Discord: it would count before the text is trimmed, and refuse
    with a message that does not say what to do next.
    """

    def __init__(self, bot: HeroBot) -> None:
        super().__init__()
        self.bot = bot

    @app_commands.command()
    @app_commands.describe(
        name="What everyone calls your hero, up to 80 characters",
        secret_name="Who your hero really is; only you can read it",  # noqa: S106 - of a hero
        age="In years, if it is known",
        description="A few words about your hero, up to 1,000 characters",
    )
    @answers(To.ASKER)
    async def add(
        self,
        interaction: Interaction,
        name: str,
        secret_name: str,
        age: int | None = None,
        description: str | None = None,
    ) -> Answer:
        """Add a hero of yours to this server's roster."""
        async with self.bot.db.write() as session:
            hero = await add_hero(
                session,
                guild_id=guild_of(interaction),
                owner_id=interaction.user.id,
                name=name,
                secret_name=secret_name,
                age=age,
                description=description,
            )
        return hero_card(hero, Announce(hero.id), SecretIdentity(hero.id))

    @app_commands.command()
    @app_commands.describe(name="The hero's name; suggestions come while you type")
    @answers(To.EVERYONE)
    async def find(self, interaction: Interaction, name: str) -> Answer:
        """Show a hero's card."""
        async with self.bot.db.read() as session:
            try:
                hero = await find_hero(session, guild_id=guild_of(interaction), name=name)
            except HeroNotFoundError as error:
                if not error.near:
                    raise
                return near_misses(error.sentence, error.near)
        return hero_card(hero, SecretIdentity(hero.id))

    @find.autocomplete("name")
    @suggests
    async def suggest(self, interaction: Interaction, typed: str) -> Sequence[str]:
        """Names in this server's roster for what has been typed so far."""
        async with self.bot.db.read() as session:
            return await suggest_names(session, guild_id=guild_of(interaction), typed=typed)


async def setup(bot: HeroBot) -> None:
    """Called by discord.py when the bot loads this cog."""
    bot.add_dynamic_items(Announce, SecretIdentity, NearMisses)
    await bot.add_cog(HeroCog(bot))
