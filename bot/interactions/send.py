"""Sending the answer of a handler: at once or in place of a deferral, to those who are to see it."""

import contextlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from enum import Enum
from typing import Any, Final, TypeAlias

import discord

from bot.interactions.form import Form
from bot.interactions.host import Interaction
from bot.interactions.panel import Panel
from bot.interactions.retry import retry

MAX_FIRST_ANSWER_SECONDS: Final = 8.0
"""Seconds in which a first answer is retried: more than the 3 that Discord waits, since one of the tries may
have arrived."""

MAX_FOLLOW_UP_SECONDS: Final = 14.5 * 60
"""Seconds in which later answers are retried; Discord takes them for 15 minutes:
https://discord.com/developers/docs/interactions/receiving-and-responding"""


class To(Enum):
    """The members who see the answer of a handler."""

    EVERYONE = "everyone"
    """The channel."""
    ASKER = "asker"
    """The asker alone: an ephemeral message, deferral included."""
    MESSAGE = "message"
    """Everybody who sees the message that was clicked: the answer replaces it."""


@dataclass(frozen=True, slots=True)
class Private:
    """An answer for the asker alone, also from a handler that otherwise answers everyone."""

    body: str | Panel


Answer: TypeAlias = str | Panel | Form | Private
"""The answer of a handler: a sentence, a panel, a form to fill in, or something private."""


async def send(interaction: Interaction, answer: Answer, to: To, asked_at: float, *, deferred: bool) -> None:
    """Send an answer, and retry while Discord takes it.

    Args:
        interaction: the interaction to answer.
        answer: the answer.
        to: the members who see it.
        asked_at: the time since which Discord waits, in seconds of the event loop's clock.
        deferred: whether a deferral is there already, which the answer replaces.

    Raises:
        discord.HTTPException: Discord refuses the answer.
        OSError, aiohttp.ClientError: Discord is out of reach.
    """
    if isinstance(answer, Form) and deferred:
        # Discord opens a form only as the first answer.
        answer = Private("That took too long to open a form. Please try again.")
    if isinstance(answer, Form):
        form = answer
        await retry(lambda: interaction.response.send_modal(form), asked_at + MAX_FIRST_ANSWER_SECONDS)
    elif deferred:
        await _replace_deferral(interaction, answer, to, asked_at + MAX_FOLLOW_UP_SECONDS)
    else:
        await send_first(interaction, answer, to, asked_at + MAX_FIRST_ANSWER_SECONDS)


async def send_first(interaction: Interaction, answer: str | Panel | Private, to: To, until: float) -> None:
    """Send an answer to an interaction that was not answered yet; see `send`."""
    body = answer.body if isinstance(answer, Private) else answer
    if to is To.MESSAGE and body is answer:
        await retry(lambda: interaction.response.edit_message(**_changed(body)), until)
    else:
        hidden = to is To.ASKER or body is not answer
        await retry(lambda: interaction.response.send_message(**_new(body), ephemeral=hidden), until)


async def _replace_deferral(
    interaction: Interaction, answer: str | Panel | Private, to: To, until: float
) -> None:
    body = answer.body if isinstance(answer, Private) else answer
    follow_up = _sender(interaction)
    if body is answer or to is To.ASKER:
        await retry(lambda: interaction.edit_original_response(**_changed(body)), until)
    elif to is To.MESSAGE:
        await retry(lambda: follow_up(**_new(body), ephemeral=True), until)
    else:
        # A public deferral cannot become private. While it is there, or was deleted unanswered, a follow-up
        # cannot be private either: https://github.com/discord/discord-api-docs/issues/2866, /3087
        placeholder = "This answer is private."
        await retry(lambda: interaction.edit_original_response(content=placeholder), until)
        await retry(lambda: follow_up(**_new(body), ephemeral=True), until)
        # A moderator may have been faster, or a try whose response was lost.
        with contextlib.suppress(discord.NotFound):
            await retry(interaction.delete_original_response, until)


def _sender(interaction: Interaction) -> Callable[..., Awaitable[object]]:
    return interaction.followup.send


def _new(body: str | Panel) -> dict[str, Any]:
    """Return discord.py's arguments for a new message."""
    return {"content": body} if isinstance(body, str) else {"view": body, "files": _rewound(body)}


def _changed(body: str | Panel) -> dict[str, Any]:
    """Return discord.py's arguments for a changed message."""
    return {"content": body} if isinstance(body, str) else {"view": body, "attachments": _rewound(body)}


def _rewound(body: Panel) -> list[discord.File]:
    """Return the files of a panel from their beginnings, also if an earlier try has read them."""
    for file in body.files:
        file.reset()
    return body.files
