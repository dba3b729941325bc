"""The command tree, which refuses outdated commands before a handler runs."""

from typing import Any, Final

import discord
from discord import app_commands
from typing_extensions import override

from bot.interactions.answer import asked_at
from bot.interactions.faults import excuse, report
from bot.interactions.host import Host, Interaction
from bot.interactions.retry import FAILURES
from bot.interactions.send import MAX_FIRST_ANSWER_SECONDS, To, send_first
from bot.interactions.suggest import send_choices

OUTDATED: Final = (
    app_commands.CommandNotFound,
    app_commands.CommandSignatureMismatch,
    app_commands.TransformerError,
)
"""The errors that discord.py raises for a command, or an option, that is not as it is declared now."""


class HeroTree(app_commands.CommandTree[Host]):
    """A command tree that excuses what fails before a handler runs, such as a command since changed."""

    @override
    async def interaction_check(self, interaction: Interaction, /) -> bool:
        """Refuse options that are not what the command takes now; discord.py hands some of them on.

        Handle nothing while the bot stops, autocompletes included, which discord.py itself would answer.
        """
        if not interaction.client.may_handle():
            return False
        command = interaction.command
        if isinstance(command, app_commands.Command):
            declared = {each.display_name: each for each in command.parameters}
            for option in _options(interaction.data):
                if not _fits(option, declared.get(option["name"])):
                    raise app_commands.CommandSignatureMismatch(command)
        return True

    @override
    async def on_error(self, interaction: Interaction, error: app_commands.AppCommandError, /) -> None:
        """Tell the asker privately."""
        if isinstance(error, OUTDATED):
            sentence = "This command has just changed. Please wait a minute and type it anew."
        else:
            sentence = excuse(interaction, error)
        try:
            if interaction.type is discord.InteractionType.autocomplete:
                await send_choices(interaction, [])
            else:
                await send_first(
                    interaction, sentence, To.ASKER, asked_at(interaction) + MAX_FIRST_ANSWER_SECONDS
                )
        except FAILURES as failure:
            report(interaction, failure)


def _fits(option: dict[str, Any], declared: app_commands.Parameter | None) -> bool:
    """Return whether an option is what the command takes; one that it does not know does no harm."""
    if option.get("focused"):
        return declared is not None and declared.autocomplete
    if declared is None:
        return True
    choices = [each.value for each in declared.choices]
    return declared.type.value == option["type"] and (not choices or option["value"] in choices)


def _options(data: Any) -> list[dict[str, Any]]:
    """Return the options of a command, or of the subcommand that was chosen."""
    options = data.get("options", [])
    nested = any(each["type"] in (1, 2) for each in options)
    return _options(options[0]) if nested else options
