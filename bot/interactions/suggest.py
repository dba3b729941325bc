"""Suggestions while a member types: unfailing, and in time or not at all."""

import asyncio
import functools
import logging
from collections.abc import Callable, Coroutine, Sequence
from typing import Any, Final, TypeAlias, TypeVar

import discord
from discord import app_commands

from bot.interactions.answer import asked_at
from bot.interactions.faults import report
from bot.interactions.host import Interaction
from bot.interactions.retry import FAILURES, may_pass, retry
from bot.interactions.send import MAX_FIRST_ANSWER_SECONDS

log = logging.getLogger(__name__)

MAX_SUGGEST_SECONDS: Final = 2.0
"""After this time no suggestions are sent, rather than some that are too late for Discord."""

S = TypeVar("S")
Suggest: TypeAlias = Callable[[S, Interaction, str], Coroutine[Any, Any, Sequence[str]]]
Choices: TypeAlias = Callable[[S, Interaction, Any], Coroutine[Any, Any, list[app_commands.Choice[str]]]]


class _Unsent(Exception):  # noqa: N818 - it is logged by then
    """The suggestions did not reach Discord, which the log has already."""


def suggests(suggest: Suggest[S]) -> Choices[S]:
    """Make an autocomplete handler of a method that returns names.

    discord.py only logs an autocomplete that fails, and the member sees an error. Here a failure is an empty
    list.
    """

    @functools.wraps(suggest)
    async def wrapped(self: S, interaction: Interaction, typed: Any, /) -> list[app_commands.Choice[str]]:
        names: Sequence[str] = ()
        try:
            async with asyncio.timeout_at(asked_at(interaction) + MAX_SUGGEST_SECONDS):
                names = await suggest(self, interaction, typed)
        except TimeoutError:
            log.warning("no suggestions in time in guild %s", interaction.guild_id)
        except Exception as error:  # noqa: BLE001 - the one place for errors of autocompletes
            report(interaction, error)
        choices = [app_commands.Choice(name=name, value=name) for name in names]
        if not await send_choices(interaction, choices):
            # Raise, since discord.py would otherwise send the choices again.
            raise _Unsent
        return choices

    return wrapped


async def send_choices(interaction: Interaction, choices: list[app_commands.Choice[str]]) -> bool:
    """Send suggestions, and return whether they arrived. A member who types on asks anew."""
    try:
        until = asked_at(interaction) + MAX_FIRST_ANSWER_SECONDS
        await retry(lambda: interaction.response.autocomplete(choices), until)
    except FAILURES as error:
        if isinstance(error, discord.NotFound) or may_pass(error):
            log.warning("suggestions came too late in guild %s: %s", interaction.guild_id, error)
        else:
            report(interaction, error)
    return interaction.response.is_done()


def _is_news(record: logging.LogRecord) -> bool:
    return not (record.exc_info and isinstance(record.exc_info[1], _Unsent))


# discord.py logs whatever an autocomplete raises as an error.
logging.getLogger("discord.app_commands.tree").addFilter(_is_news)
