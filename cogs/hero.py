"""/hero: what members do with heroes."""

import discord
from discord import app_commands
from discord.ext import commands
from typing_extensions import override

from bot.images.chart import chart
from bot.images.portrait import check_size, shrink
from bot.interactions.answer import answers, asker_of
from bot.interactions.faults import Refused
from bot.interactions.fetch import download, is_member
from bot.interactions.host import Host, Interaction
from bot.interactions.send import Answer, To
from bot.roster.adding import add_hero
from bot.roster.errors import HeroNotFoundError
from bot.roster.listing import Sort, random_hero
from bot.roster.lookup import find_hero
from bot.roster.ownership import claim_hero
from bot.roster.portraits import set_portrait
from bot.roster.removal import find_removed
from bot.roster.secrets import confidants_of, confide, unconfide
from bot.roster.statistics import statistics
from bot.text import quote
from cogs.ui.announce import Announce
from cogs.ui.card import hero_card, load_card
from cogs.ui.edit import EditAgain, EditForm, edit_form
from cogs.ui.history import HistoryPage, history_panel
from cogs.ui.listing import ListPage, OpenCard, list_panel
from cogs.ui.near import NearMisses, near_misses
from cogs.ui.offer import OfferButton, offer_panel
from cogs.ui.options import AnyHero, HeroInCare, OwnHero, RemovedHero
from cogs.ui.removal import Keep, NewNameForm, Remove, Undo, ask_before_removing, bring_back
from cogs.ui.secret import SecretIdentity, tell_secret
from cogs.ui.stats import stats_panel


class HeroCog(commands.GroupCog, group_name="hero", group_description="The heroes of this server."):
    """The commands under /hero, and the user menu Heroes.

    Lengths and ranges are not declared to Discord: it would count before the text is trimmed, and refuse
    with a message that does not say what to do next.
    """

    def __init__(self, bot: Host) -> None:
        super().__init__()
        self.bot = bot
        self.menu = app_commands.ContextMenu(name="Heroes", callback=self.heroes_of)

    @override
    async def cog_load(self) -> None:
        # A cog holds no user menu by itself.
        self.bot.tree.add_command(self.menu)

    @override
    async def cog_unload(self) -> None:
        self.bot.tree.remove_command(self.menu.name, type=self.menu.type)

    # Adding and finding

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
                asker_of(interaction),
                self.bot.vault,
                name=name,
                secret_name=secret_name,
                age=age,
                description=description,
            )
        buttons = Announce(hero.id), SecretIdentity(hero.id)
        return hero_card(hero, *buttons, note="Added. Only you see this message.")

    @app_commands.command()
    @app_commands.describe(name="The hero's name; suggestions come while you type")
    @answers(To.EVERYONE)
    async def find(self, interaction: Interaction, name: AnyHero) -> Answer:
        """Show a hero's card."""
        async with self.bot.db.read() as session:
            try:
                hero = await find_hero(session, asker_of(interaction), name)
            except HeroNotFoundError as error:
                if not error.near:
                    raise
                return near_misses(error)
            return await load_card(session, hero)

    @app_commands.command()
    @answers(To.EVERYONE)
    async def random(self, interaction: Interaction) -> Answer:
        """Show the card of any hero of this server."""
        async with self.bot.db.read() as session:
            hero = await random_hero(session, asker_of(interaction).guild_id)
            return await load_card(session, hero)

    @app_commands.command(name="list")
    @app_commands.describe(owner="Only the heroes of this member", sort="In which order; by name if left out")
    @answers(To.EVERYONE)
    async def list_(
        self, interaction: Interaction, owner: discord.User | None = None, sort: Sort = Sort.NAME
    ) -> Answer:
        """List the heroes of this server."""
        guild_id, owner_id = asker_of(interaction).guild_id, None if owner is None else owner.id
        async with self.bot.db.read() as session:
            return await list_panel(session, guild_id, owner_id=owner_id, sort=sort)

    @answers(To.ASKER)
    async def heroes_of(self, interaction: Interaction, member: discord.User) -> Answer:
        """List the heroes of the member that was clicked."""
        guild_id = asker_of(interaction).guild_id
        async with self.bot.db.read() as session:
            return await list_panel(session, guild_id, owner_id=member.id, sort=Sort.NAME)

    # Changing

    @app_commands.command()
    @app_commands.describe(name="The hero's name")
    @answers(To.ASKER)
    async def edit(self, interaction: Interaction, name: HeroInCare) -> Answer:
        """Change what is known about a hero of yours."""
        asker = asker_of(interaction)
        async with self.bot.db.write() as session:
            hero = await find_hero(session, asker, name)
            return await edit_form(session, asker, self.bot.vault, hero)

    @app_commands.command()
    @app_commands.describe(name="The hero's name")
    @answers(To.ASKER)
    async def remove(self, interaction: Interaction, name: HeroInCare) -> Answer:
        """Remove a hero of yours from the roster; this can be undone."""
        async with self.bot.db.read() as session:
            hero = await find_hero(session, asker_of(interaction), name)
        return ask_before_removing(hero)

    @app_commands.command()
    @app_commands.describe(name="The removed hero's name")
    @answers(To.ASKER)
    async def restore(self, interaction: Interaction, name: RemovedHero) -> Answer:
        """Bring back a hero that was removed in the last 30 days."""
        async with self.bot.db.read() as session:
            hero = await find_removed(session, asker_of(interaction), name)
        return await bring_back(interaction, hero.id)

    @app_commands.command()
    @app_commands.describe(
        name="The hero's name",
        image="A PNG, JPEG, WebP or GIF of up to 8 MiB; leave it out to take the portrait away",
    )
    @answers(To.ASKER)
    async def portrait(
        self, interaction: Interaction, name: HeroInCare, image: discord.Attachment | None = None
    ) -> Answer:
        """Give a hero of yours a portrait."""
        asker = asker_of(interaction)
        if image is not None:
            check_size(image.size)
        async with self.bot.db.read() as session:
            hero = await find_hero(session, asker, name)
        small = None if image is None else await shrink(await download(image))
        async with self.bot.db.write() as session:
            hero = await set_portrait(session, asker, hero.id, small)
            buttons = [Announce(hero.id)] if asker.id == hero.owner_id else []
            return await load_card(session, hero, *buttons)

    # Changing hands

    @app_commands.command()
    @app_commands.describe(name="The hero's name", to="The member who is to play it")
    @answers(To.EVERYONE)
    async def transfer(
        self, interaction: Interaction, name: OwnHero, to: discord.Member | discord.User
    ) -> Answer:
        """Offer a hero of yours to another member."""
        async with self.bot.db.read() as session:
            hero = await find_hero(session, asker_of(interaction), name)
        if to.bot:
            raise Refused("Bots can't play heroes. Please choose a person.")
        if to.id == hero.owner_id:
            raise Refused(f"You play {quote(hero.name)} already. Please choose somebody else.")
        if not isinstance(to, discord.Member):
            raise Refused(f"<@{to.id}> is not in this server. Please choose one of its members.")
        return offer_panel(hero, to.id)

    @app_commands.command()
    @app_commands.describe(name="The name of a hero whose owner has left this server")
    @answers(To.EVERYONE)
    async def claim(self, interaction: Interaction, name: AnyHero) -> Answer:
        """Take over a hero whose owner has left this server."""
        asker = asker_of(interaction)
        async with self.bot.db.read() as session:
            hero = await find_hero(session, asker, name)
        if hero.owner_id == asker.id:
            raise Refused(f"You play {quote(hero.name)} already.")
        if await is_member(interaction, hero.owner_id):
            raise Refused(
                f"<@{hero.owner_id}> plays {quote(hero.name)} and is still in this server. "
                "You could ask them for a `/hero transfer`."
            )
        async with self.bot.db.write() as session:
            hero = await claim_hero(session, asker, hero.id, owner_id=hero.owner_id)
            return await load_card(session, hero, note=f"<@{hero.owner_id}> has claimed this hero.")

    # Secrets

    @app_commands.command()
    @app_commands.describe(name="The hero's name")
    @answers(To.ASKER)
    async def secret(self, interaction: Interaction, name: AnyHero) -> Answer:
        """Read the secret identity of a hero of yours, or one you are trusted with."""
        async with self.bot.db.read() as session:
            hero = await find_hero(session, asker_of(interaction), name)
        return await tell_secret(interaction, hero.id)

    @app_commands.command()
    @app_commands.describe(name="The hero's name", member="Whom you trust")
    @answers(To.ASKER)
    async def confide(
        self, interaction: Interaction, name: OwnHero, member: discord.Member | discord.User
    ) -> Answer:
        """Trust a member with the secret identity of a hero of yours."""
        if member.bot or not isinstance(member, discord.Member):
            raise Refused("Please choose a person in this server.")
        asker = asker_of(interaction)
        async with self.bot.db.write() as session:
            hero = await find_hero(session, asker, name)
            await confide(session, asker, hero.id, member.id)
        return f"<@{member.id}> can now read the secret identity of {quote(hero.name)} with `/hero secret`."

    @app_commands.command()
    @app_commands.describe(name="The hero's name", member="Whom you trust no longer")
    @answers(To.ASKER)
    async def unconfide(self, interaction: Interaction, name: OwnHero, member: discord.User) -> Answer:
        """Trust a member with a secret identity no longer."""
        asker = asker_of(interaction)
        async with self.bot.db.write() as session:
            hero = await find_hero(session, asker, name)
            await unconfide(session, asker, hero.id, member.id)
        return f"<@{member.id}> can no longer read the secret identity of {quote(hero.name)}."

    @app_commands.command()
    @app_commands.describe(name="The hero's name")
    @answers(To.ASKER)
    async def confidants(self, interaction: Interaction, name: OwnHero) -> Answer:
        """List whom you trust with the secret identity of a hero of yours."""
        async with self.bot.db.read() as session:
            hero = await find_hero(session, asker_of(interaction), name)
            trusted = await confidants_of(session, hero)
        if not trusted:
            return (
                f"Nobody but you knows the secret identity of {quote(hero.name)}. `/hero confide` shares it."
            )
        people = ", ".join(f"<@{confidant.user_id}>" for confidant in trusted)
        return f"You trust these members with the secret identity of {quote(hero.name)}: {people}"

    # Looking closer

    @app_commands.command()
    @app_commands.describe(name="The hero's name")
    @answers(To.ASKER)
    async def history(self, interaction: Interaction, name: HeroInCare) -> Answer:
        """Show who did what with a hero, to its owner and keepers."""
        asker = asker_of(interaction)
        async with self.bot.db.read() as session:
            hero = await find_hero(session, asker, name)
            return await history_panel(session, asker, hero)

    @app_commands.command()
    @answers(To.EVERYONE)
    async def stats(self, interaction: Interaction) -> Answer:
        """Show this server's heroes in numbers."""
        asker = asker_of(interaction)
        async with self.bot.db.read() as session:
            numbers = await statistics(session, asker.guild_id, asker.now)
        return stats_panel(numbers, await chart(numbers))


async def setup(bot: Host) -> None:
    """Load this cog."""
    bot.add_dynamic_items(Announce, SecretIdentity, NearMisses, ListPage, OpenCard, HistoryPage)
    bot.add_dynamic_items(EditAgain, Remove, Keep, Undo, OfferButton)
    bot.add_forms(EditForm, NewNameForm)
    await bot.add_cog(HeroCog(bot))
