"""The life of the process: from login to the last connection closed."""

import asyncio
import logging
from collections.abc import Coroutine
from typing import Any, Final

import discord
import yarl
from discord.ext import commands
from typing_extensions import override

from bot.db.engine import Database
from bot.db.open import open_database
from bot.gateway.commands import sync_commands
from bot.gateway.discordpy import parsers_of, use_api
from bot.gateway.guilds import keep_little
from bot.gateway.link import Link, gateway_refusals
from bot.interactions.answer import HeroTree, Interaction
from bot.interactions.form import Form, typed_in
from bot.roster.housekeeping import daily_tasks
from bot.roster.keys import check_keys
from bot.roster.personal import departed_before, guilds_with_heroes, note_departure, note_return
from bot.roster.vault import Vault
from bot.settings import Settings

log = logging.getLogger(__name__)

COGS: Final = ("cogs.hero", "cogs.mydata")
"""The cogs, by name. One that fails to load stops the start."""

FINISH_WITHIN: Final = 5.0
"""Seconds that running handlers get to finish when the bot stops; hosts kill a process after ten."""
EXCUSE_WITHIN: Final = 3.0
"""Seconds that those which still wait for the database then get to say so. Letting go of a PostgreSQL that
does not answer takes two of them."""


# discord.py warns that voice is not installed. It is not meant to be.
discord.VoiceClient.warn_nacl = False
discord.VoiceClient.warn_dave = False


HEARTBEAT_TIMEOUT: Final = 60.0
"""Seconds of silence after which a connection is taken for dead; Discord's heart beats every 41."""


class HeroBot(commands.AutoShardedBot):
    """Hero Roster on Discord.

    Args:
        settings: where the database is, and the like.
        force_sync: tell Discord about the commands at the start even when they are what it knows.
        shard_count: how many shards to run; by default as many as Discord recommends.
    """

    db: Database
    """The one engine; there from `setup_hook` to `close`."""

    def __init__(
        self, settings: Settings, *, force_sync: bool = False, shard_count: int | None = None
    ) -> None:
        super().__init__(
            # No text commands, on purpose: that would need the privileged message content intent.
            command_prefix=(),
            help_command=None,
            tree_cls=HeroTree,
            # Commands arrive without any intent; guilds tells which servers the bot is in.
            intents=discord.Intents(guilds=True),
            allowed_mentions=discord.AllowedMentions.none(),
            allowed_contexts=discord.app_commands.AppCommandContext(guild=True),
            allowed_installs=discord.app_commands.AppInstallationType(guild=True),
            member_cache_flags=discord.MemberCacheFlags.none(),
            chunk_guilds_at_startup=False,
            max_messages=None,
            heartbeat_timeout=HEARTBEAT_TIMEOUT,
            shard_count=shard_count,
        )
        keep_little(parsers_of(self))
        self.settings = settings
        self.vault = Vault(settings.secret_keys)
        self._force_sync = force_sync
        self._running: set[asyncio.Task[Any]] = set()
        self._forms: list[type[Form]] = []
        self._stopping = False
        if settings.discord_api_url is not None:
            use_api(str(settings.discord_api_url))
        gateway_url = settings.discord_gateway_url
        self._link = Link(self, str(gateway_url) if gateway_url is not None else None)

    async def setup_hook(self) -> None:
        """Open the database, migrate it, load the cogs and tell Discord about their commands.

        Runs after login and before the gateway connects; waiting for ready here would wait for ever.
        """
        self.db = await open_database(self.settings.database_url, log_sql=self.settings.log_sql)
        await check_keys(self.db, self.vault)
        await self.load_cogs()
        await sync_commands(self.tree, self.db, self.settings.dev_guild_id, force=self._force_sync)
        self.daily = daily_tasks(self.db)
        self.daily.start()

    async def load_cogs(self) -> None:
        """Load every cog.

        Raises:
            discord.ext.commands.ExtensionError: one does not load.
        """
        for cog in COGS:
            await self.load_extension(cog)

    @override
    async def connect(self, *, reconnect: bool = True) -> None:
        await self._link.prepare()
        with gateway_refusals():
            await super().connect(reconnect=reconnect)

    @override
    async def launch_shard(self, gateway: yarl.URL, shard_id: int, *, initial: bool = False) -> None:
        self._link.check()
        await super().launch_shard(gateway, shard_id, initial=initial)

    @override
    async def before_identify_hook(self, shard_id: int | None, *, initial: bool = False) -> None:
        if not initial:
            # `connect` has waited for the first session.
            await self._link.before_session(shard_id)

    def add_forms(self, *forms: type[Form]) -> None:
        """Handle the submissions of these forms, also of those shown before the last restart."""
        self._forms += forms

    async def on_interaction(self, interaction: Interaction) -> None:
        """Called by discord.py for every interaction; the submitted forms are handled here."""
        if interaction.type is not discord.InteractionType.modal_submit:
            return
        data: Any = interaction.data
        for form in self._forms:
            match = form.template.fullmatch(data["custom_id"])
            if match is not None:
                await form.submitted(interaction, match, typed_in(data))

    async def on_ready(self) -> None:
        """Log that the bot is there, and note which guilds it was removed from while it was away.

        Discord may send this more than once.
        """
        log.info("ready: %s in %d servers, %d shards", self.user, len(self.guilds), self.shard_count or 1)

        present = {guild.id for guild in self.guilds}
        async with self.db.read() as session:
            kept = await guilds_with_heroes(session)
            departed = await departed_before(session, discord.utils.utcnow())
        # Those of other processes' shards are not this one's to miss.
        mine = {guild_id for guild_id in kept if (guild_id >> 22) % (self.shard_count or 1) in self.shards}
        for guild_id in present & set(departed):
            await self._note_return(guild_id)
        for guild_id in mine - present - set(departed):
            await self._note_departure(guild_id)

    async def on_guild_remove(self, guild: discord.Guild) -> None:
        """Called by discord.py when the bot is removed from a guild; its data goes 30 days later."""
        await self._note_departure(guild.id)

    async def on_guild_join(self, guild: discord.Guild) -> None:
        """Called by discord.py when the bot is invited; what it still has of the guild stays."""
        await self._note_return(guild.id)

    async def _note_departure(self, guild_id: int) -> None:
        async with self.db.write() as session:
            await note_departure(session, guild_id=guild_id, now=discord.utils.utcnow())

    async def _note_return(self, guild_id: int) -> None:
        async with self.db.write() as session:
            await note_return(session, guild_id=guild_id)

    def may_go_on(self) -> bool:
        """Whether the current task may handle an interaction; if so, `close` waits for the end of it.

        Not while the bot stops: a process that takes over answers, and two answers are an error.
        """
        if self._stopping:
            return False
        task = asyncio.current_task()
        assert task is not None, "discord.py handles each interaction in a task"
        if task not in self._running:
            # A command asks twice: before it runs, and as any handler does.
            self._running.add(task)
            task.add_done_callback(self._running.discard)
        return True

    async def run_handler(self, work: Coroutine[Any, Any, None]) -> None:
        """Run a handler to its end, also while the bot stops; start none once it is stopping."""
        if self.may_go_on():
            await work
        else:
            work.close()

    async def _handlers_run(self, within: float) -> bool:
        """Wait for running handlers, so many seconds; returns whether some still run."""
        running = self._running - {asyncio.current_task()}
        return bool(running) and bool((await asyncio.wait(running, timeout=within))[1])

    async def close(self) -> None:
        """Let running handlers finish, leave Discord, then dispose of the engine.

        Those that the database keeps waiting are told that it is given up, in time to tell their members.
        Also fit for a bot that never got as far as its database.
        """
        self._stopping = True
        if await self._handlers_run(FINISH_WITHIN) and hasattr(self, "db"):
            self.db.give_up()
            await self._handlers_run(EXCUSE_WITHIN)
        await super().close()
        if hasattr(self, "daily"):
            self.daily.cancel()
            if (task := self.daily.get_task()) is not None:
                await asyncio.wait({task})
        if hasattr(self, "db"):
            await self.db.dispose()
