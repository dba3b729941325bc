"""Keep only three facts of a guild in memory: its id, its name and how many members it has.

discord.py would keep the rest as well, which is 16 KB for a usual guild. An interaction brings what a handler
needs to know about the guild, the channel and the member it comes from.

This leaves empty: `guild.channels` (with `text_channels`, `categories` and the like), `guild.threads`,
`guild.roles`, `guild.emojis`, `guild.stickers`, `guild.members`. `bot.get_channel()`, `guild.get_channel()`,
`guild.get_role()`, `bot.get_emoji()` and other look-ups in discord.py's cache find nothing, and events such
as `on_guild_channel_create` or `on_thread_create` do not arrive. An extension that needs one of them fetches
it (`bot.fetch_channel()`, `guild.fetch_roles()`), or adds the key to `KEPT` and removes the prefix from
`UNREAD`.
"""

from collections.abc import Callable
from typing import Any, Final

from bot.gateway.discordpy import Parsers

KEPT: Final = frozenset({"id", "name", "unavailable", "member_count"})
"""The keys that discord.py gets to see of a guild:
https://discord.com/developers/docs/events/gateway-events#guild-create"""
DESCRIBING: Final = ("GUILD_CREATE", "GUILD_UPDATE")
"""The events that describe a guild."""
UNREAD: Final = ("CHANNEL_", "GUILD_ROLE_", "THREAD_", "STAGE_INSTANCE_")
"""Prefixes of the events that would add to a guild later."""


def keep_little(parsers: Parsers) -> None:
    """Make discord.py keep little of a guild.

    Args:
        parsers: discord.py's, by the event that each reads; changed in place.
    """
    for event in [each for each in parsers if each.startswith(UNREAD)]:
        del parsers[event]
    for event in DESCRIBING:
        parsers[event] = _only_kept(parsers[event])


def _only_kept(parse: Callable[[Any], None]) -> Callable[[Any], None]:
    def parse_kept(guild: dict[str, Any]) -> None:
        parse({key: value for key, value in guild.items() if key in KEPT})

    return parse_kept
