"""Turn an error into a sentence for the member and an entry in the log."""

import logging
import secrets

from bot.db.engine import GivenUp
from bot.interactions.host import Interaction
from bot.interactions.sentences import sentence_of
from bot.roster.errors import RosterError

log = logging.getLogger(__name__)


class Refused(Exception):  # noqa: N818 - nothing is wrong with the bot
    """The end of a handler, with a sentence for the asker alone.

    Args:
        sentence: says what was wrong and what to do next, ready to be shown: typed text in it is escaped.
    """

    def __init__(self, sentence: str) -> None:
        super().__init__()
        self.sentence = sentence


def excuse(interaction: Interaction, error: Exception) -> str:
    """Return the sentence that tells a member of an error; log the error if it is ours."""
    if isinstance(error, Refused):
        return error.sentence
    if isinstance(error, RosterError):
        return sentence_of(error)
    if isinstance(error, GivenUp):
        return "I have to restart, and could not finish this before. Please try again in a minute."
    return (
        "Something went wrong on my side, and I have made a note of it. Please try again in a minute. "
        f"If it happens again, tell the bot's operator this reference: `{report(interaction, error)}`"
    )


def report(interaction: Interaction, error: Exception) -> str:
    """Log an error under a new reference, and return the reference.

    The formatter of `bot.operator.log` drops the exception's message.
    """
    reference = secrets.token_hex(4)
    command = interaction.command
    log.error(
        "[%s] %s failed in guild %s for user %s",
        reference,
        f"/{command.qualified_name}" if command is not None else interaction.type.name,
        interaction.guild_id,
        interaction.user.id,
        exc_info=error,
    )
    return reference
