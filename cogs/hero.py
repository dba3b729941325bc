"""/hero: what members do with heroes."""

from collections.abc import Sequence

import discord
from discord import app_commands
from discord.ext import commands

from bot.client import HeroBot
from bot.db.batch import Batch
from bot.db.models import Hero
from bot.images.chart import chart
from bot.images.portrait import check_size, shrink
from bot.interactions.answer import Answer, Interaction, To, answers, asker_of, guild_of, suggests
from bot.roster.adding import NewHero, add_hero, add_heroes, new_hero
from bot.roster.errors import HeroNotFoundError, RosterError
from bot.roster.heroes import heroes_named
from bot.roster.listing import Sort, random_hero
from bot.roster.ownership import claim_hero
from bot.roster.portraits import set_portrait
from bot.roster.removal import find_removed, suggest_removed
from bot.roster.search import find_hero, suggest_names
from bot.roster.secrets import confidants, confide, unconfide
from bot.roster.statistics import statistics
from bot.text import quote
from cogs.ui.announce import Announce
from cogs.ui.buttons import SecretIdentity, tell_secret
from cogs.ui.card import hero_card, load_card
from cogs.ui.edit import EditAgain, EditForm, edit_form
from cogs.ui.history import HistoryPage, history_panel
from cogs.ui.listing import ListPage, OpenCard, list_panel
from cogs.ui.near import NearMisses, near_misses
from cogs.ui.offer import OfferButton, offer_panel
from cogs.ui.removal import Keep, NewNameForm, Remove, Undo, ask_before_removing, bring_back
from cogs.ui.stats import stats_panel


class HeroCog(commands.GroupCog, group_name="hero", group_description="The heroes of this server."):
    """The commands under /hero, and the user menu Heroes.

    Lengths and ranges are not declared to Discord: it would count before the text is trimmed, and refuse
    with a message that does not say what to do next.
    """

    def __init__(self, bot: HeroBot) -> None:
        super().__init__()
        self.bot = bot
        # SQLite has one writer at a time.
        one_writer = bot.settings.database_url.get_backend_name() == "sqlite"
        self._adding = Batch(self._add, at_once=1 if one_writer else 2)
        self._finding = Batch(self._find)
        self.menu = app_commands.ContextMenu(name="Heroes", callback=self.heroes_of)

    async def cog_load(self) -> None:
        """Add what a cog can't hold by itself: the user menu."""
        self.bot.tree.add_command(self.menu)

    async def cog_unload(self) -> None:
        """Take it away again."""
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
        wanted = new_hero(
            guild_id=guild_of(interaction),
            owner_id=interaction.user.id,
            vault=self.bot.vault,
            name=name,
            secret_name=secret_name,
            age=age,
            description=description,
            now=interaction.created_at,
        )
        hero = await self._adding(wanted)
        if hero is None:
            async with self.bot.db.write() as session:
                hero = await add_hero(session, wanted, self.bot.settings.quota)
        return hero_card(
            hero, Announce(hero.id), SecretIdentity(hero.id), note="Added. Only you see this message."
        )

    async def _add(self, wanted: Sequence[NewHero]) -> Sequence[Hero | None]:
        async with self.bot.db.write() as session:
            return await add_heroes(session, wanted, self.bot.settings.quota)

    @app_commands.command()
    @app_commands.describe(name="The hero's name; suggestions come while you type")
    @answers(To.EVERYONE)
    async def find(self, interaction: Interaction, name: str) -> Answer:
        """Show a hero's card."""
        guild_id = guild_of(interaction)
        hero = await self._finding((guild_id, name))
        if hero is not None and not hero.has_portrait:
            return hero_card(hero, SecretIdentity(hero.id))
        async with self.bot.db.read() as session:
            if hero is None:
                try:
                    hero = await find_hero(session, guild_id=guild_id, name=name)
                except HeroNotFoundError as error:
                    if not error.near:
                        raise
                    return near_misses(error)
            return await load_card(session, hero)

    async def _find(self, wanted: Sequence[tuple[int, str]]) -> Sequence[Hero | None]:
        async with self.bot.db.read() as session:
            return await heroes_named(session, wanted)

    @app_commands.command()
    @answers(To.EVERYONE)
    async def random(self, interaction: Interaction) -> Answer:
        """Show the card of any hero of this server."""
        async with self.bot.db.read() as session:
            hero = await random_hero(session, guild_id=guild_of(interaction))
            return await load_card(session, hero)

    @app_commands.command(name="list")
    @app_commands.describe(owner="Only the heroes of this member", sort="In which order; by name if left out")
    @answers(To.EVERYONE)
    async def list_(
        self, interaction: Interaction, owner: discord.User | None = None, sort: Sort = Sort.NAME
    ) -> Answer:
        """List the heroes of this server."""
        owner_id = None if owner is None else owner.id
        async with self.bot.db.read() as session:
            return await list_panel(session, guild_id=guild_of(interaction), owner_id=owner_id, sort=sort)

    @answers(To.ASKER)
    async def heroes_of(self, interaction: Interaction, member: discord.User) -> Answer:
        """List the heroes of the member that was clicked."""
        async with self.bot.db.read() as session:
            return await list_panel(
                session, guild_id=guild_of(interaction), owner_id=member.id, sort=Sort.NAME
            )

    # Changing

    @app_commands.command()
    @app_commands.describe(name="The hero's name")
    @answers(To.ASKER)
    async def edit(self, interaction: Interaction, name: str) -> Answer:
        """Change what is known about a hero of yours."""
        async with self.bot.db.write() as session:
            hero = await find_hero(session, guild_id=guild_of(interaction), name=name)
            return await edit_form(session, interaction, hero)

    @app_commands.command()
    @app_commands.describe(name="The hero's name")
    @answers(To.ASKER)
    async def remove(self, interaction: Interaction, name: str) -> Answer:
        """Remove a hero of yours from the roster; this can be undone."""
        async with self.bot.db.read() as session:
            hero = await find_hero(session, guild_id=guild_of(interaction), name=name)
        asker_of(interaction).require_care_of(hero)
        return ask_before_removing(hero)

    @app_commands.command()
    @app_commands.describe(name="The removed hero's name")
    @answers(To.ASKER)
    async def restore(self, interaction: Interaction, name: str) -> Answer:
        """Bring back a hero that was removed in the last 30 days."""
        async with self.bot.db.read() as session:
            hero = await find_removed(
                session,
                guild_id=guild_of(interaction),
                name=name,
                asker=asker_of(interaction),
                now=interaction.created_at,
            )
        return await bring_back(interaction, hero.id)

    @app_commands.command()
    @app_commands.describe(
        name="The hero's name",
        image="A PNG, JPEG, WebP or GIF of up to 8 MiB; leave it out to take the portrait away",
    )
    @answers(To.ASKER)
    async def portrait(
        self, interaction: Interaction, name: str, image: discord.Attachment | None = None
    ) -> Answer:
        """Give a hero of yours a portrait."""
        guild_id, asker = guild_of(interaction), asker_of(interaction)
        if image is not None:
            check_size(image.size)
        async with self.bot.db.read() as session:
            hero = await find_hero(session, guild_id=guild_id, name=name)
        asker.require_care_of(hero)
        small = None if image is None else await shrink(await _download(image))
        async with self.bot.db.write() as session:
            hero = await set_portrait(
                session,
                guild_id=guild_id,
                hero_id=hero.id,
                image=small,
                asker=asker,
                now=interaction.created_at,
            )
            buttons = [Announce(hero.id)] if asker.id == hero.owner_id else []
            return await load_card(session, hero, *buttons)

    # Changing hands

    @app_commands.command()
    @app_commands.describe(name="The hero's name", to="The member who is to play it")
    @answers(To.EVERYONE)
    async def transfer(
        self, interaction: Interaction, name: str, to: discord.Member | discord.User
    ) -> Answer:
        """Offer a hero of yours to another member."""
        async with self.bot.db.read() as session:
            hero = await find_hero(session, guild_id=guild_of(interaction), name=name)
        asker_of(interaction).require_ownership_of(hero)
        if to.bot:
            raise RosterError("Bots can't play heroes. Please choose a person.")
        if to.id == hero.owner_id:
            raise RosterError(f"You play {quote(hero.name)} already. Please choose somebody else.")
        if not isinstance(to, discord.Member):
            raise RosterError(f"<@{to.id}> is not in this server. Please choose one of its members.")
        return offer_panel(hero, to.id)

    @app_commands.command()
    @app_commands.describe(name="The name of a hero whose owner has left this server")
    @answers(To.EVERYONE)
    async def claim(self, interaction: Interaction, name: str) -> Answer:
        """Take over a hero whose owner has left this server."""
        async with self.bot.db.read() as session:
            hero = await find_hero(session, guild_id=guild_of(interaction), name=name)
        if hero.owner_id == interaction.user.id:
            raise RosterError(f"You play {quote(hero.name)} already.")
        if await _is_here(interaction, hero.owner_id):
            raise RosterError(
                f"<@{hero.owner_id}> plays {quote(hero.name)} and is still in this server. "
                "You could ask them for a `/hero transfer`."
            )
        async with self.bot.db.write() as session:
            hero = await claim_hero(
                session,
                guild_id=guild_of(interaction),
                hero_id=hero.id,
                owner_id=hero.owner_id,
                asker=asker_of(interaction),
                now=interaction.created_at,
            )
            return await load_card(session, hero, note=f"<@{hero.owner_id}> has claimed this hero.")

    # Secrets

    @app_commands.command()
    @app_commands.describe(name="The hero's name")
    @answers(To.ASKER)
    async def secret(self, interaction: Interaction, name: str) -> Answer:
        """Read the secret identity of a hero of yours, or one you are trusted with."""
        async with self.bot.db.read() as session:
            hero = await find_hero(session, guild_id=guild_of(interaction), name=name)
        return await tell_secret(interaction, hero.id)

    @app_commands.command()
    @app_commands.describe(name="The hero's name", member="Whom you trust")
    @answers(To.ASKER)
    async def confide(
        self, interaction: Interaction, name: str, member: discord.Member | discord.User
    ) -> Answer:
        """Trust a member with the secret identity of a hero of yours."""
        if member.bot or not isinstance(member, discord.Member):
            raise RosterError("Please choose a person in this server.")
        async with self.bot.db.write() as session:
            hero = await find_hero(session, guild_id=guild_of(interaction), name=name)
            await confide(
                session,
                guild_id=hero.guild_id,
                hero_id=hero.id,
                user_id=member.id,
                asker=asker_of(interaction),
                now=interaction.created_at,
            )
        return f"<@{member.id}> can now read the secret identity of {quote(hero.name)} with `/hero secret`."

    @app_commands.command()
    @app_commands.describe(name="The hero's name", member="Whom you trust no longer")
    @answers(To.ASKER)
    async def unconfide(self, interaction: Interaction, name: str, member: discord.User) -> Answer:
        """Trust a member with a secret identity no longer."""
        async with self.bot.db.write() as session:
            hero = await find_hero(session, guild_id=guild_of(interaction), name=name)
            await unconfide(
                session,
                guild_id=hero.guild_id,
                hero_id=hero.id,
                user_id=member.id,
                asker=asker_of(interaction),
                now=interaction.created_at,
            )
        return f"<@{member.id}> can no longer read the secret identity of {quote(hero.name)}."

    @app_commands.command()
    @app_commands.describe(name="The hero's name")
    @answers(To.ASKER)
    async def confidants(self, interaction: Interaction, name: str) -> Answer:
        """List whom you trust with the secret identity of a hero of yours."""
        async with self.bot.db.read() as session:
            hero = await find_hero(session, guild_id=guild_of(interaction), name=name)
            asker_of(interaction).require_ownership_of(hero)
            trusted = await confidants(session, hero)
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
    async def history(self, interaction: Interaction, name: str) -> Answer:
        """Show who did what with a hero, to its owner and keepers."""
        async with self.bot.db.read() as session:
            hero = await find_hero(session, guild_id=guild_of(interaction), name=name)
            asker = asker_of(interaction)
            asker.require_care_of(hero)
            return await history_panel(session, hero, asker)

    @app_commands.command()
    @answers(To.EVERYONE)
    async def stats(self, interaction: Interaction) -> Answer:
        """Show this server's heroes in numbers."""
        async with self.bot.db.read() as session:
            numbers = await statistics(session, guild_id=guild_of(interaction), now=interaction.created_at)
        return stats_panel(numbers, await chart(numbers))

    # Suggestions

    @find.autocomplete("name")
    @claim.autocomplete("name")
    @secret.autocomplete("name")
    @suggests
    async def suggest(self, interaction: Interaction, typed: str) -> Sequence[str]:
        """Names in this server's roster for what has been typed so far."""
        async with self.bot.db.read() as session:
            return await suggest_names(session, guild_id=guild_of(interaction), typed=typed)

    @transfer.autocomplete("name")
    @confide.autocomplete("name")
    @unconfide.autocomplete("name")
    @confidants.autocomplete("name")
    @suggests
    async def suggest_own(self, interaction: Interaction, typed: str) -> Sequence[str]:
        """Names of the asker's own heroes."""
        async with self.bot.db.read() as session:
            return await suggest_names(
                session, guild_id=guild_of(interaction), typed=typed, owner_id=interaction.user.id
            )

    @edit.autocomplete("name")
    @remove.autocomplete("name")
    @history.autocomplete("name")
    @portrait.autocomplete("name")
    @suggests
    async def suggest_cared_for(self, interaction: Interaction, typed: str) -> Sequence[str]:
        """Names of the heroes that the asker may change: their own, and all for a keeper."""
        asker = asker_of(interaction)
        async with self.bot.db.read() as session:
            return await suggest_names(
                session,
                guild_id=guild_of(interaction),
                typed=typed,
                owner_id=None if asker.keeper else asker.id,
            )

    @restore.autocomplete("name")
    @suggests
    async def suggest_restorable(self, interaction: Interaction, typed: str) -> Sequence[str]:
        """Names of the removed heroes that the asker may bring back."""
        async with self.bot.db.read() as session:
            return await suggest_removed(
                session,
                guild_id=guild_of(interaction),
                typed=typed,
                asker=asker_of(interaction),
                now=interaction.created_at,
            )


async def _is_here(interaction: Interaction, user_id: int) -> bool:
    """Ask Discord, at this moment, whether a user is a member of the guild."""
    assert interaction.guild is not None, "guild_of has let it pass"
    try:
        await interaction.guild.fetch_member(user_id)
    except discord.NotFound:
        return False
    return True


async def _download(image: discord.Attachment) -> bytes:
    """Fetch what was uploaded; it is kept, since Discord's links to attachments expire.

    https://discord.com/developers/docs/reference#signed-attachment-cdn-urls
    """
    try:
        return await image.read()
    except discord.HTTPException as error:
        raise RosterError("Discord did not give me that picture. Please send it again.") from error


async def setup(bot: HeroBot) -> None:
    """Called by discord.py when the bot loads this cog."""
    bot.add_dynamic_items(Announce, SecretIdentity, NearMisses, ListPage, OpenCard, HistoryPage)
    bot.add_dynamic_items(EditAgain, Remove, Keep, Undo, OfferButton)
    bot.add_forms(EditForm, NewNameForm)
    await bot.add_cog(HeroCog(bot))
