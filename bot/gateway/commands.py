"""Register the commands with Discord, only when they changed.

Discord lets a bot create 200 commands a day in a guild, and a sync for nothing counts.
https://discord.com/developers/docs/interactions/application-commands#registering-a-command
"""

import hashlib
import json
import logging
from typing import Any, Final, TypeAlias

import discord
from sqlmodel import col, select

from bot.db.engine import Database
from bot.db.models import SyncedCommands
from bot.errors import EX_CONFIG, OperatorError
from bot.gateway.discordpy import application_of

log = logging.getLogger(__name__)

EVERYWHERE: Final = 0
"""The guild id that means every guild."""

Tree: TypeAlias = discord.app_commands.CommandTree[Any]


def _fingerprint(payload: list[dict[str, Any]]) -> str:
    return hashlib.sha256(json.dumps(payload, sort_keys=True).encode()).hexdigest()


async def sync_commands(tree: Tree, db: Database, dev_guild_id: int | None, *, force: bool = False) -> bool:
    """Register a tree's commands with Discord.

    Clear the guilds where an earlier `DEV_GUILD_ID` left commands, or they would show each command twice.

    Args:
        tree: the commands, of a client that is logged in.
        db: where the bot notes what Discord was told.
        dev_guild_id: the only guild to register them in; everywhere by default.
        force: register them also when they are what Discord was told last.

    Returns:
        Whether Discord was told.

    Raises:
        OperatorError: the bot may not register commands in `DEV_GUILD_ID`.
        discord.HTTPException: Discord does not accept the commands.
    """
    application_id = application_of(tree)
    guild_id = dev_guild_id or EVERYWHERE
    target = discord.Object(guild_id) if guild_id else None
    if target is not None:
        tree.copy_global_to(guild=target)
    fingerprint = _fingerprint([command.to_dict(tree) for command in tree.get_commands(guild=target)])

    known = await _known(db, application_id)
    latest = known.pop(guild_id, None)
    stale = [other for other in known if other != EVERYWHERE]
    changed = force or latest is None or latest.fingerprint != fingerprint

    # Discord first: if it refuses, or this process dies, the next start tries again.
    if changed:
        await _register(tree, target)
    for other in stale:
        await _clear(tree, other)
    if changed or stale:
        row = SyncedCommands(application_id=application_id, guild_id=guild_id, fingerprint=fingerprint)
        await _note(db, row, [known[other] for other in stale])
    return changed


async def _known(db: Database, application_id: int) -> dict[int, SyncedCommands]:
    """Return the commands that Discord was told last, by guild."""
    query = select(SyncedCommands).where(col(SyncedCommands.application_id) == application_id)
    async with db.read() as session:
        return {row.guild_id: row for row in await session.exec(query)}


async def _note(db: Database, row: SyncedCommands, cleared: list[SyncedCommands]) -> None:
    """Store what Discord was told, and delete the rows of the guilds that were cleared."""
    async with db.write() as session:
        await session.merge(row)
        for other in cleared:
            await session.delete(other)


async def _register(tree: Tree, guild: discord.Object | None) -> None:
    try:
        await tree.sync(guild=guild)
    except discord.Forbidden:
        raise OperatorError(
            "DEV_GUILD_ID names a server that this bot may not register commands in. Invite it there "
            "with the scopes bot and applications.commands.",
            EX_CONFIG,
        ) from None
    log.info("told Discord about the commands (%s)", guild.id if guild is not None else "everywhere")


async def _clear(tree: Tree, guild_id: int) -> None:
    guild = discord.Object(guild_id)
    tree.clear_commands(guild=guild)
    try:
        await tree.sync(guild=guild)
    except discord.HTTPException as error:
        # The bot has left that guild, and Discord has deleted the commands there.
        log.warning("could not clear the commands in guild %s (HTTP %s)", guild_id, error.status)
