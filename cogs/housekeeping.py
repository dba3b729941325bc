"""Work without a command: note guilds that the bot joins or leaves, and purge daily."""

import asyncio
import logging
from datetime import timedelta
from typing import Final

import discord
from discord.ext import commands, tasks
from typing_extensions import override

from bot.interactions.host import Host
from bot.roster.housekeeping import (
    claim_daily_run,
    departed_before,
    guilds_with_heroes,
    note_departure,
    note_return,
    purge,
)

log = logging.getLogger(__name__)

LOOK_EVERY: Final = timedelta(days=1)
"""The time between two looks of a process whether the purge is due; the first is at its start."""


class HousekeepingCog(commands.Cog):
    """Note departures and returns, and run the daily purge in the process that claims it first."""

    def __init__(self, bot: Host) -> None:
        self.bot = bot

    @override
    async def cog_load(self) -> None:
        self.daily.start()

    @override
    async def cog_unload(self) -> None:
        # Its connection would otherwise report to an event loop that has ended.
        task = self.daily.get_task()
        self.daily.cancel()
        if task is not None:
            await asyncio.wait({task})

    @tasks.loop(seconds=LOOK_EVERY.total_seconds())
    async def daily(self) -> None:
        """Purge what was removed more than 30 days ago, if no process did so today."""
        now = discord.utils.utcnow()
        try:
            if await claim_daily_run(self.bot.db, "purge", now):
                count = await purge(self.bot.db, now)
                log.info("purged %d heroes that were removed more than 30 days ago", count)
        except Exception:
            # A database that is away now may be back at the next look.
            log.exception("the daily tasks failed")

    @daily.before_loop
    async def _begin(self) -> None:
        await self.bot.wait_until_ready()

    @commands.Cog.listener()
    async def on_ready(self) -> None:
        """Log that the bot is ready, and note which guilds it left or joined while it was away.

        Discord may send this more than once.
        """
        bot = self.bot
        log.info("ready: %s in %d servers, %d shards", bot.user, len(bot.guilds), bot.shard_count or 1)
        present = {guild.id for guild in bot.guilds}
        async with bot.db.read() as session:
            known = await guilds_with_heroes(session)
            departed = set(await departed_before(session, discord.utils.utcnow()))
        # Guilds of other processes' shards are not this one's to miss.
        own = {guild_id for guild_id in known if (guild_id >> 22) % (bot.shard_count or 1) in bot.shards}
        for guild_id in present & departed:
            await self._note_return(guild_id)
        for guild_id in own - present - departed:
            await self._note_departure(guild_id)

    @commands.Cog.listener()
    async def on_guild_remove(self, guild: discord.Guild) -> None:
        """Note that the bot was removed from a guild, whose data is deleted 30 days later."""
        await self._note_departure(guild.id)

    @commands.Cog.listener()
    async def on_guild_join(self, guild: discord.Guild) -> None:
        """Note that the bot was invited; the guild's data stays."""
        await self._note_return(guild.id)

    async def _note_departure(self, guild_id: int) -> None:
        async with self.bot.db.write() as session:
            await note_departure(session, guild_id, discord.utils.utcnow())

    async def _note_return(self, guild_id: int) -> None:
        async with self.bot.db.write() as session:
            await note_return(session, guild_id)


async def setup(bot: Host) -> None:
    """Load this cog."""
    await bot.add_cog(HousekeepingCog(bot))
