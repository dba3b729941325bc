"""Requests to Discord that a handler makes before it answers."""

import discord

from bot.interactions.faults import Refused
from bot.interactions.host import Interaction


async def is_member(interaction: Interaction, user_id: int) -> bool:
    """Return whether a user is a member of the guild, as Discord says at this moment."""
    assert interaction.guild is not None, "asker_of has checked it"
    try:
        await interaction.guild.fetch_member(user_id)
    except discord.NotFound:
        return False
    return True


async def download(upload: discord.Attachment) -> bytes:
    """Fetch an upload. The bot keeps it, since Discord's links to attachments expire.

    https://discord.com/developers/docs/reference#signed-attachment-cdn-urls

    Raises:
        Refused: Discord does not send it.
    """
    try:
        return await upload.read()
    except discord.HTTPException as error:
        raise Refused("Discord did not give me that picture. Please send it again.") from error
