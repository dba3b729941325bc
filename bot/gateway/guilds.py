"""What the bot keeps in memory of a guild: hardly more than that it is there.

discord.py would keep its channels, roles and all the rest as well, which is 16 KB for a usual guild. An
interaction brings along what there is to know about where it comes from.
"""

from collections.abc import Callable
from typing import Any, Final

Parsers = dict[str, Callable[[Any], None]]

KEPT: Final = frozenset({"id", "name", "unavailable", "member_count"})
"""Of what Discord says about a guild:
https://discord.com/developers/docs/events/gateway-events#guild-create"""
TOLD_WITH: Final = ("GUILD_CREATE", "GUILD_UPDATE")
UNREAD: Final = ("CHANNEL_", "GUILD_ROLE_", "THREAD_", "STAGE_INSTANCE_")
"""How the names of the events begin that would add to it later."""


def keep_little(parsers: Parsers) -> None:
    """Let guilds be known by little.

    Args:
        parsers: discord.py's, by the event that each reads; changed in place.
    """
    for event in [each for each in parsers if each.startswith(UNREAD)]:
        del parsers[event]
    for event in TOLD_WITH:
        parsers[event] = _of_little(parsers[event])


def _of_little(parse: Callable[[Any], None]) -> Callable[[Any], None]:
    def parse_little(guild: dict[str, Any]) -> None:
        parse({key: value for key, value in guild.items() if key in KEPT})

    return parse_little
