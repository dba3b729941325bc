"""The bot: what it is assembled from, and in which order that ends."""

import asyncio
import logging
from contextlib import AsyncExitStack
from http import HTTPStatus
from typing import Any, Final

import discord
import yarl
from discord.gateway import DiscordWebSocket
from discord.http import Route
from typing_extensions import override

from bot.db.open import open_database
from bot.errors import EX_CONFIG, OperatorError
from bot.gateway.commands import sync_commands
from bot.gateway.guilds import keep_little
from bot.gateway.link import REFUSED, Link
from bot.interactions.host import Host
from bot.interactions.tree import HeroTree
from bot.roster.keys import check_keys
from bot.roster.quota import Quota
from bot.settings import Settings

COGS: Final = ("cogs.hero", "cogs.mydata", "cogs.housekeeping")
"""The cogs, by name. One that fails to load stops the start."""

FINISH_SECONDS: Final = 5.0
"""How long running handlers may go on when the bot stops; hosts kill a process after ten seconds."""
EXCUSE_SECONDS: Final = 3.0
"""How long handlers that wait for the database may then take to say so. To cancel a statement on a PostgreSQL
that does not answer takes two seconds."""


log = logging.getLogger(__name__)

# discord.py warns that voice is not installed. It is not meant to be.
discord.VoiceClient.warn_nacl = False
discord.VoiceClient.warn_dave = False

SESSION_EVERY: Final = 5.0
"""Seconds between the sessions that one process begins, as Discord asks."""
SESSION_PAUSE_MOST: Final = 30.0
"""Seconds that a connection is kept waiting for its session, lest Discord give it up."""


HEARTBEAT_TIMEOUT: Final = 60.0
"""Seconds of silence after which a connection is taken for dead; Discord's heart beats every 41."""


def pause_before_session(*, left: int, total: int, seconds: float, most: float = SESSION_PAUSE_MOST) -> float:
    """Seconds to wait before a session begins, so that those that Discord allows last the day.

    A bot that begins one too many has its token taken away:
    https://discord.com/developers/docs/events/gateway#session-start-limit-object

    Args:
        left: sessions that may begin until the day is over.
        total: sessions that may begin in a day.
        seconds: until the day is over.
        most: seconds to wait at most while some are left.
    """
    if not left:
        return max(seconds, SESSION_EVERY)
    if left > total / 2:
        return SESSION_EVERY
    return min(max(seconds / left, SESSION_EVERY), most)


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
            heartbeat_timeout=HEARTBEAT_TIMEOUT,
            shard_count=shard_count,
        )
        keep_little(self._connection.parsers)
        self._force_sync = force_sync
        self._opened = AsyncExitStack()
        if settings.discord_api_url is not None:
            Route.BASE = str(settings.discord_api_url).rstrip("/")

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
        await sync_commands(self, force=self._force_sync)

    async def load_cogs(self) -> None:
        """Load every cog.

        Raises:
            discord.ext.commands.ExtensionError: one does not load.
        """
        for cog in COGS:
            await self.load_extension(cog)

    async def connect(self, *, reconnect: bool = True) -> None:
        """Connect to the gateway that `DISCORD_GATEWAY_URL` or else Discord's API names.

        Raises:
            OperatorError: Discord refuses the bot, now or later.
        """
        shards, url, limit = await self._gateway()
        if limit["remaining"] <= limit["total"] / 2:
            # No connection waits for this one, so it may take as long as it takes to last the day, even
            # if the process ends and starts over and over again.
            await self._pause_before_session(limit, 0, most=limit["reset_after"] / 1000)
        chosen = self.settings.discord_gateway_url
        # discord.py goes here whenever it starts a session anew, and asks the API only the first time.
        DiscordWebSocket.DEFAULT_GATEWAY = yarl.URL(str(chosen) if chosen is not None else url)
        self.shard_count = self.shard_count or shards
        self._link = Link(self.http.ws_connect, self.shard_count)
        self.http.ws_connect = self._link.open
        for event in ("on_shard_connect", "on_shard_resumed"):
            self.add_listener(self._link.stands, event)
        await self._link.hold(super().connect(reconnect=reconnect))

    async def _gateway(self) -> tuple[int, str, Any]:
        """How many shards Discord recommends, where they connect to, and how many sessions may begin."""
        try:
            return await self.http.get_bot_gateway()
        except discord.GatewayNotFound as error:
            cause = error.__cause__
            if isinstance(cause, discord.HTTPException) and cause.status == HTTPStatus.UNAUTHORIZED:
                raise OperatorError(REFUSED, EX_CONFIG) from error
            raise

    async def before_identify_hook(self, shard_id: int | None, *, initial: bool = False) -> None:
        """Called by discord.py before it begins a session: waits as long as `pause_before_session` says."""
        if initial:
            # `connect` has seen to it.
            return
        try:
            _shards, _url, limit = await self._gateway()
        except OperatorError as error:
            await self._link.refuse(error)
        await self._pause_before_session(limit, shard_id or 0)

    async def _pause_before_session(
        self, limit: Any, shard_id: int, *, most: float = SESSION_PAUSE_MOST
    ) -> None:
        left, seconds = limit["remaining"], limit["reset_after"] / 1000
        pause = pause_before_session(left=left, total=limit["total"], seconds=seconds, most=most)
        if pause > SESSION_EVERY:
            log.warning("few sessions left for today; shard %s begins one in %.0f s", shard_id, pause)
        await asyncio.sleep(pause)

    @override
    async def close(self) -> None:
        """Let running handlers finish, leave Discord and unload the cogs, then dispose of the engine.

        Handlers that the database keeps waiting then fail, in time to tell their members. A bot whose start
        failed half-way closes as well.
        """
        self.refuse_handlers()
        if await self.handlers_run(FINISH_SECONDS):
            self.db.give_up()
            await self.handlers_run(EXCUSE_SECONDS)
        await super().close()
        await self._opened.aclose()
