"""One wrapper around every handler: answered in time, excused when it fails.

discord.py defers nothing by itself and has separate paths for the errors of commands, buttons and forms. A
handler here returns what it has to say, and this wrapper does the rest.
"""

import asyncio
import contextlib
import functools
import logging
from collections.abc import Awaitable, Callable, Coroutine
from http import HTTPStatus
from typing import Any, Concatenate, Final, ParamSpec, TypeAlias, TypeVar

import discord

from bot.interactions.faults import Refused, excuse
from bot.interactions.host import Interaction
from bot.interactions.retry import FAILURES, retry
from bot.interactions.send import MAX_FIRST_ANSWER_SECONDS, Answer, Private, To, send
from bot.roster.asker import Asker

log = logging.getLogger(__name__)

DEFER_AFTER_SECONDS: Final = 1.5
"""Seconds after which an interaction without an answer is deferred. Discord waits for 3 seconds:
https://discord.com/developers/docs/interactions/receiving-and-responding"""

MAX_WAITED_SECONDS: Final = 1.0
"""The longest that an interaction is believed to have waited for its handler. Discord's clock dates it: if
ours is ahead, every interaction seems to have waited. A form cannot follow a deferral, so it needs time."""

UNSHOWABLE: Final = (HTTPStatus.BAD_REQUEST, HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
"""Statuses by which Discord refuses an answer for its content, such as its length. It takes another one."""

P = ParamSpec("P")
S = TypeVar("S")
Handler: TypeAlias = Callable[Concatenate[S, Interaction, P], Coroutine[Any, Any, Answer]]
Wrapped: TypeAlias = Callable[Concatenate[S, Interaction, P], Coroutine[Any, Any, None]]


def answers(to: To) -> Callable[[Handler[S, P]], Wrapped[S, P]]:
    """Make a handler of a method that returns its answer.

    The answer is sent as soon as it is there. After `DEFER_AFTER_SECONDS` the interaction is deferred, for
    everyone or privately as `to` says, and the answer then replaces the deferral. A `RosterError` or a
    `Refused` becomes its sentence; any other error becomes one with a reference that the log has too. Both
    are private.

    Args:
        to: the members who see the answer.
    """

    def decorate(handler: Handler[S, P]) -> Wrapped[S, P]:
        @functools.wraps(handler)
        async def wrapped(self: S, interaction: Interaction, *args: P.args, **kwargs: P.kwargs) -> None:
            await interaction.client.run_handler(
                _answer(interaction, lambda: handler(self, interaction, *args, **kwargs), to)
            )

        return wrapped

    return decorate


def asker_of(interaction: Interaction) -> Asker:
    """Return the member who asks, with the guild, the time and the rights, as Discord says at this moment.

    Raises:
        Refused: they ask in a private conversation.
    """
    if interaction.guild_id is None:
        raise Refused("Heroes live in servers. Please use this command in one.")
    return Asker(
        interaction.user.id,
        interaction.guild_id,
        interaction.created_at,
        keeper=interaction.permissions.manage_guild,
    )


def asked_at(interaction: Interaction) -> float:
    """Return when Discord began to wait, in the time of the event loop, which may have been busy since."""
    waited = (discord.utils.utcnow() - interaction.created_at).total_seconds()
    return asyncio.get_running_loop().time() - min(max(waited, 0.0), MAX_WAITED_SECONDS)


async def _answer(interaction: Interaction, handle: Callable[[], Awaitable[Answer]], to: To) -> None:
    asked = asked_at(interaction)
    deferring: asyncio.Task[None] | None = None

    def defer() -> None:
        nonlocal deferring
        deferring = asyncio.create_task(_defer(interaction, to, asked + MAX_FIRST_ANSWER_SECONDS))

    timer = asyncio.get_running_loop().call_at(asked + DEFER_AFTER_SECONDS, defer)
    try:
        answer = await handle()
    except Exception as error:  # noqa: BLE001 - the one place for errors of handlers
        answer = Private(excuse(interaction, error))
    finally:
        timer.cancel()
    if deferring is not None:
        await deferring
    deferred = deferring is not None
    try:
        await send(interaction, answer, to, asked, deferred=deferred)
    except FAILURES as error:
        sentence = excuse(interaction, error)
        if isinstance(error, discord.HTTPException) and error.status in UNSHOWABLE:
            with contextlib.suppress(*FAILURES):
                await send(interaction, Private(sentence), to, asked, deferred=deferred)
        # Otherwise nothing reaches the member: the token has expired, or Discord is away. The work is done.


async def _defer(interaction: Interaction, to: To, until: float) -> None:
    # A message that was clicked just waits; anything else shows that the bot is thinking.
    hidden, thinking = to is To.ASKER, to is not To.MESSAGE
    try:
        await retry(lambda: interaction.response.defer(ephemeral=hidden, thinking=thinking), until)
    except FAILURES as error:
        # It may have arrived all the same, with its response lost: the next request will show.
        log.warning("a deferral failed in guild %s: %s", interaction.guild_id, error)
