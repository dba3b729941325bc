"""The bot: what it is assembled from, and in which order that ends."""

from contextlib import AsyncExitStack
from typing import Final

import discord
import yarl
from typing_extensions import override

from bot.db.open import open_database
from bot.gateway.commands import sync_commands
from bot.gateway.discordpy import parsers_of, use_api
from bot.gateway.guilds import keep_little
from bot.gateway.link import Link, gateway_refusals
from bot.interactions.host import Host
from bot.interactions.tree import HeroTree
from bot.roster.keys import check_keys
from bot.roster.quota import Quota
from bot.settings import Settings

COGS: Final = ("cogs.hero", "cogs.mydata", "cogs.housekeeping")
"""The cogs, by name. One that fails to load stops the start."""

MAX_FINISH_SECONDS: Final = 5.0
"""Seconds that running handlers have to finish when the bot stops; hosts kill a process after ten seconds."""
MAX_EXCUSE_SECONDS: Final = 3.0
"""Seconds that handlers which wait for the database then have to tell their members. A PostgreSQL that does
not answer takes two seconds to cancel a statement."""


# discord.py warns that voice is not installed. It is not meant to be.
discord.VoiceClient.warn_nacl = False
discord.VoiceClient.warn_dave = False

HEARTBEAT_TIMEOUT_SECONDS: Final = 60.0
"""Seconds of silence after which a connection is dead. Discord asks for a heartbeat every 41 seconds."""


class HeroBot(Host):
    """Hero Roster on Discord.

    Args:
        settings: where the database is, and the like.
        force_sync: tell Discord about the commands at the start even when they are what it knows.
        shard_count: how many shards to run; by default as many as Discord recommends.
    """

    def __init__(
        self, settings: Settings, *, force_sync: bool = False, shard_count: int | None = None
    ) -> None:
        super().__init__(
            settings,
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
            heartbeat_timeout=HEARTBEAT_TIMEOUT_SECONDS,
            shard_count=shard_count,
        )
        keep_little(parsers_of(self))
        self._force_sync = force_sync
        self._opened = AsyncExitStack()
        if settings.discord_api_url is not None:
            use_api(str(settings.discord_api_url))
        gateway_url = settings.discord_gateway_url
        self._link = Link(self, str(gateway_url) if gateway_url is not None else None)

    @override
    async def setup_hook(self) -> None:
        """Open the database, migrate it, load the cogs and tell Discord about their commands.

        discord.py calls this after login, before the gateway connects: waiting for ready here never ends.
        """
        settings = self.settings
        quota = Quota(settings.changes_per_minute, settings.heroes_per_member)
        self.db = await open_database(settings.database_url, log_sql=settings.log_sql, info={"quota": quota})
        self._opened.push_async_callback(self.db.dispose)
        await check_keys(self.db, self.vault)
        await self.load_cogs()
        await sync_commands(self.tree, self.db, settings.dev_guild_id, force=self._force_sync)

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

    @override
    async def close(self) -> None:
        """Let running handlers finish, leave Discord and unload the cogs, then dispose of the engine.

        Handlers that the database keeps waiting then fail, in time to tell their members. A bot whose start
        failed half-way closes as well.
        """
        self.refuse_handlers()
        if await self.handlers_run(MAX_FINISH_SECONDS):
            self.db.give_up()
            await self.handlers_run(MAX_EXCUSE_SECONDS)
        await super().close()
        await self._opened.aclose()
