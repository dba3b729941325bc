"""Telling Discord about the commands, only when they changed.

Discord lets a bot create 200 commands a day in a guild, and a sync for nothing counts.
https://discord.com/developers/docs/interactions/application-commands#registering-a-command
"""

import hashlib
import json
import logging
from typing import TYPE_CHECKING, Any, Final

import discord
from sqlmodel import col, select

from bot.db.models import SyncedCommands, utcnow
from bot.errors import EX_CONFIG, OperatorError

if TYPE_CHECKING:
    from bot.client import HeroBot

log = logging.getLogger(__name__)

EVERYWHERE: Final = 0
"""Stands for no guild in particular where a guild's snowflake is asked for."""


def _fingerprint(payload: list[dict[str, Any]]) -> str:
    return hashlib.sha256(json.dumps(payload, sort_keys=True).encode()).hexdigest()


async def sync_commands(bot: "HeroBot", *, force: bool = False) -> bool:
    """Register the bot's commands with Discord, in `DEV_GUILD_ID` alone where that is set.

    Guilds that an earlier `DEV_GUILD_ID` left commands in are cleared, or they would show them twice.

    Args:
        bot: a bot that is logged in, with its cogs loaded.
        force: register them also when they are what Discord was told last.

    Returns:
        Whether Discord was told.

    Raises:
        OperatorError: the bot may not register commands in `DEV_GUILD_ID`.
        discord.HTTPException: Discord does not take them.
    """
    assert bot.application_id is not None, "login sets it"
    guild_id = bot.settings.dev_guild_id or EVERYWHERE
    target = discord.Object(guild_id) if guild_id else None
    if target is not None:
        bot.tree.copy_global_to(guild=target)
    fingerprint = _fingerprint([command.to_dict(bot.tree) for command in bot.tree.get_commands(guild=target)])

    async with bot.db.read() as session:
        of_application = col(SyncedCommands.application_id) == bot.application_id
        known = {
            row.guild_id: row for row in await session.exec(select(SyncedCommands).where(of_application))
        }
    told = known.pop(guild_id, None)
    stale = [other for other in known if other != EVERYWHERE]
    changed = force or told is None or told.fingerprint != fingerprint

    # Discord first: should it refuse, or this process die, the next start tries again.
    if changed:
        try:
            await bot.tree.sync(guild=target)
        except discord.Forbidden:
            raise OperatorError(
                "DEV_GUILD_ID names a server that this bot may not register commands in. Invite it there "
                "with the scopes bot and applications.commands.",
                EX_CONFIG,
            ) from None
        log.info("told Discord about the commands (%s)", guild_id or "everywhere")
    for other in stale:
        await _clear(bot, other)
    if changed or stale:
        async with bot.db.write() as session:
            row = SyncedCommands(
                application_id=bot.application_id,
                guild_id=guild_id,
                fingerprint=fingerprint,
                synced_at=utcnow(),
            )
            await session.merge(row)
            for other in stale:
                await session.delete(known[other])
    return changed


async def _clear(bot: "HeroBot", guild_id: int) -> None:
    try:
        await bot.http.bulk_upsert_guild_commands(bot.application_id or 0, guild_id, [])
    except discord.HTTPException as error:
        # The bot has left that guild, and its commands with it.
        log.warning("could not clear the commands in guild %s (HTTP %s)", guild_id, error.status)
