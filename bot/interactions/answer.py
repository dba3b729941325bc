"""One wrapper around every handler: answered in time, excused when it fails.

discord.py defers nothing by itself and has a path of its own for the errors of commands, buttons and
forms. A handler here returns what it has to say; everything else about answering is in this file, except
how a request that failed is made again: `bot.interactions.retry`.
"""

import asyncio
import contextlib
import functools
import logging
import secrets
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from dataclasses import dataclass
from enum import Enum
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Concatenate, Final, ParamSpec, TypeAlias, TypeVar, cast

import discord
from discord import app_commands

from bot.db.engine import GivenUp
from bot.interactions.form import Form
from bot.interactions.panel import Panel
from bot.interactions.retry import FAILURES, may_pass, persist
from bot.roster.asker import Asker
from bot.roster.errors import RosterError

if TYPE_CHECKING:
    from bot.client import HeroBot

    Interaction: TypeAlias = discord.Interaction[HeroBot]
else:
    Interaction: TypeAlias = discord.Interaction

log = logging.getLogger(__name__)

DEFER_AFTER: Final = 1.5
"""Seconds after which an interaction that is not answered yet is deferred. Discord waits for 3:
https://discord.com/developers/docs/interactions/receiving-and-responding"""

WAITED_MOST: Final = 1.0
"""Seconds that an interaction is believed to have waited for its handler. Discord's clock dates it, and to a
clock that is ahead all seem to have waited. A form, which can't follow a deferral, is to have time."""

FIRST_WITHIN: Final = 8.0
"""Seconds in which a first answer is tried again whose way to Discord fails: longer than the 3 that Discord
waits, since one of the tries may have got there."""

TOKEN_LIVES: Final = 14.5 * 60
"""Seconds in which what follows the first answer is tried again; Discord takes it for 15 minutes."""

SUGGEST_WITHIN: Final = 2.0
"""Seconds after which there are no suggestions, rather than some that are too late for Discord."""

NOT_TAKEN: Final = (HTTPStatus.BAD_REQUEST, HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
"""What Discord says to an answer that can't be shown, such as one that is too long. Another one can."""


class To(Enum):
    """Who sees the answer of a handler."""

    EVERYONE = "everyone"
    """The channel."""
    ASKER = "asker"
    """The asker alone: an ephemeral message, deferral included."""
    MESSAGE = "message"
    """Whoever sees the message that was clicked: the answer takes its place."""


@dataclass(frozen=True, slots=True)
class Private:
    """An answer for the asker alone, also from a handler that otherwise answers everyone."""

    body: str | Panel


Answer: TypeAlias = str | Panel | Form | Private
"""What a handler has to say: a sentence, a panel, a form to fill in, or something private."""

P = ParamSpec("P")
S = TypeVar("S")
Handler: TypeAlias = Callable[Concatenate[S, Interaction, P], Coroutine[Any, Any, Answer]]
Wrapped: TypeAlias = Callable[Concatenate[S, Interaction, P], Coroutine[Any, Any, None]]


def answers(to: To) -> Callable[[Handler[S, P]], Wrapped[S, P]]:
    """Make a handler of a method that returns its answer.

    The answer is sent as soon as it is there. After `DEFER_AFTER` seconds the interaction is deferred,
    for everyone or privately as `to` says, and the answer then takes the deferral's place. A
    `RosterError` becomes its sentence, any other error a sentence with a reference that the log has
    too; both are private.

    Args:
        to: who sees the answer.
    """

    def decorate(handler: Handler[S, P]) -> Wrapped[S, P]:
        @functools.wraps(handler)
        async def wrapped(self: S, interaction: Interaction, *args: P.args, **kwargs: P.kwargs) -> None:
            await interaction.client.run_handler(
                _answer(interaction, lambda: handler(self, interaction, *args, **kwargs), to)
            )

        return wrapped

    return decorate


Suggest: TypeAlias = Callable[[S, Interaction, str], Coroutine[Any, Any, Sequence[str]]]
Choices: TypeAlias = Callable[[S, Interaction, str], Coroutine[Any, Any, list[app_commands.Choice[str]]]]


def suggests(suggest: Suggest[S]) -> Choices[S]:
    """Make an autocomplete handler of a method that returns names: unfailing, within Discord's limits.

    discord.py only logs an autocomplete that fails, and the member sees an error; here it is an empty list.
    """

    @functools.wraps(suggest)
    async def wrapped(self: S, interaction: Interaction, typed: str) -> list[app_commands.Choice[str]]:
        names: Sequence[str] = ()
        try:
            async with asyncio.timeout_at(_asked_at(interaction) + SUGGEST_WITHIN):
                names = await suggest(self, interaction, typed)
        except TimeoutError:
            log.warning("no suggestions in time in guild %s", interaction.guild_id)
        except Exception as error:  # noqa: BLE001 - the one place for errors of autocompletes
            _report(interaction, error)
        choices = [app_commands.Choice(name=name, value=name) for name in names]
        await _send_choices(interaction, choices)
        return choices

    return wrapped


def guild_of(interaction: Interaction) -> int:
    """The snowflake of the guild that an interaction comes from.

    Raises:
        RosterError: it comes from a private conversation.
    """
    if interaction.guild_id is None:
        raise RosterError("Heroes live in servers. Please use this command in one.")
    return interaction.guild_id


def asker_of(interaction: Interaction) -> Asker:
    """Who asks, and whether they are a keeper: by what Discord says of them at this moment."""
    return Asker(
        interaction.user.id,
        keeper=interaction.permissions.manage_guild,
        quota=interaction.client.settings.quota,
    )


def _asked_at(interaction: Interaction) -> float:
    """When Discord began to wait, in the time of the event loop, which may have been busy since."""
    waited = (discord.utils.utcnow() - interaction.created_at).total_seconds()
    return asyncio.get_running_loop().time() - min(max(waited, 0.0), WAITED_MOST)


async def _answer(interaction: Interaction, handle: Callable[[], Awaitable[Answer]], to: To) -> None:
    asked_at = _asked_at(interaction)
    deferring: asyncio.Task[Any] | None = None

    def defer() -> None:
        nonlocal deferring
        # A message that was clicked just waits; anything else shows that the bot is thinking.
        hidden, thinking = to is To.ASKER, to is not To.MESSAGE
        deferral = persist(
            lambda: interaction.response.defer(ephemeral=hidden, thinking=thinking), asked_at + FIRST_WITHIN
        )
        deferring = asyncio.create_task(deferral)

    timer = asyncio.get_running_loop().call_at(asked_at + DEFER_AFTER, defer)
    try:
        answer = await handle()
    except Exception as error:  # noqa: BLE001 - the one place for errors of handlers
        answer = Private(_excuse(interaction, error))
    finally:
        timer.cancel()
    if deferring is not None:
        try:
            await deferring
        except FAILURES as error:
            # It may be there all the same, its response lost: the next request will show.
            log.warning("a deferral failed in guild %s: %s", interaction.guild_id, error)
    deferred = deferring is not None
    try:
        await _say(interaction, answer, to, asked_at, deferred=deferred)
    except FAILURES as error:
        sentence = _excuse(interaction, error)
        if isinstance(error, discord.HTTPException) and error.status in NOT_TAKEN:
            with contextlib.suppress(*FAILURES):
                await _say(interaction, Private(sentence), to, asked_at, deferred=deferred)
        # Else the member can't be told: the token is gone, or Discord is. What was done stays done.
    _let_go(interaction, answer)


def _let_go(interaction: Interaction, answer: Answer) -> None:
    """Break the circles in which what is done with would stay; see `Panel.take_apart`."""
    body = answer.body if isinstance(answer, Private) else answer
    if isinstance(body, Panel):
        body.take_apart()
    # An interaction and its response; discord.py would make another one for whoever still asks for it.
    delattr(interaction, "_cs_response")


async def _say(interaction: Interaction, answer: Answer, to: To, asked_at: float, *, deferred: bool) -> None:
    if isinstance(answer, Form) and deferred:
        # Discord opens a form only as the first answer.
        answer = Private("That took too long to open a form. Please try again.")
    if isinstance(answer, Form):
        form = answer
        await persist(lambda: interaction.response.send_modal(form), asked_at + FIRST_WITHIN)
    elif deferred:
        await _send_deferred(interaction, answer, to, asked_at + TOKEN_LIVES)
    else:
        await _send(interaction, answer, to, asked_at + FIRST_WITHIN)


async def _send_choices(interaction: Interaction, choices: list[app_commands.Choice[str]]) -> None:
    """Send suggestions. What is too late is not missed: who types on asks anew."""
    try:
        await persist(
            lambda: interaction.response.autocomplete(choices), _asked_at(interaction) + FIRST_WITHIN
        )
    except FAILURES as error:
        if isinstance(error, discord.NotFound) or may_pass(error):
            log.warning("suggestions came too late in guild %s: %s", interaction.guild_id, error)
        else:
            _report(interaction, error)
    if not interaction.response.is_done():
        # Ends the task, or else discord.py would send them once more and log an error.
        raise asyncio.CancelledError


async def _send(interaction: Interaction, answer: str | Panel | Private, to: To, until: float) -> None:
    body = answer.body if isinstance(answer, Private) else answer
    if to is To.MESSAGE and body is answer:
        await persist(lambda: interaction.response.edit_message(**_changed(body)), until)
    else:
        hidden = to is To.ASKER or body is not answer
        await persist(lambda: interaction.response.send_message(**_new(body), ephemeral=hidden), until)


async def _send_deferred(
    interaction: Interaction, answer: str | Panel | Private, to: To, until: float
) -> None:
    body = answer.body if isinstance(answer, Private) else answer
    follow_up = cast("Callable[..., Awaitable[object]]", interaction.followup.send)
    if body is answer or to is To.ASKER:
        await persist(lambda: interaction.edit_original_response(**_changed(body)), until)
    elif to is To.MESSAGE:
        await persist(lambda: follow_up(**_new(body), ephemeral=True), until)
    else:
        # A public deferral can't turn private, and while it stands (or was deleted unanswered) a
        # follow-up can't be private either: https://github.com/discord/discord-api-docs/issues/2866, /3087
        placeholder = "This answer is private."
        await persist(lambda: interaction.edit_original_response(content=placeholder), until)
        await persist(lambda: follow_up(**_new(body), ephemeral=True), until)
        # A moderator may have been faster, or a try whose response was lost.
        with contextlib.suppress(discord.NotFound):
            await persist(interaction.delete_original_response, until)


def _new(body: str | Panel) -> dict[str, Any]:
    """How discord.py wants to have a new message."""
    return {"content": body} if isinstance(body, str) else {"view": body, "files": _from_the_start(body)}


def _changed(body: str | Panel) -> dict[str, Any]:
    """How discord.py wants to have what a message is to become."""
    return (
        {"content": body} if isinstance(body, str) else {"view": body, "attachments": _from_the_start(body)}
    )


def _from_the_start(body: Panel) -> list[discord.File]:
    """The files of a panel, also those that a try before has read to their ends."""
    for file in body.files:
        file.reset()
    return body.files


def _excuse(interaction: Interaction, error: Exception) -> str:
    if isinstance(error, RosterError):
        return error.sentence
    if isinstance(error, GivenUp):
        return "I have to restart, and could not finish this before. Please try again in a minute."
    return (
        "Something went wrong on my side, and I have made a note of it. Please try again in a minute. "
        f"If it happens again, tell the bot's operator this reference: `{_report(interaction, error)}`"
    )


def _report(interaction: Interaction, error: Exception) -> str:
    """Log an error without what was typed, and return the reference under which it stands."""
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


OUTDATED: Final = (
    app_commands.CommandNotFound,
    app_commands.CommandSignatureMismatch,
    app_commands.TransformerError,
)
"""What discord.py raises for a command, or an option, that is not as it is declared now."""


class HeroTree(app_commands.CommandTree["HeroBot"]):
    """A command tree that excuses what fails before a handler runs, such as a command since changed."""

    async def interaction_check(self, interaction: Interaction, /) -> bool:
        """Refuse options that are not what the command takes now; discord.py hands some of them on.

        And handle nothing while the bot stops, an autocomplete included, which discord.py itself answers.
        """
        if not interaction.client.may_go_on():
            return False
        command = interaction.command
        if isinstance(command, app_commands.Command):
            declared = {each.display_name: each for each in command.parameters}
            for option in _options(interaction.data):
                if not _fits(option, declared.get(option["name"])):
                    raise app_commands.CommandSignatureMismatch(command)
        return True

    async def on_error(self, interaction: Interaction, error: app_commands.AppCommandError, /) -> None:
        """Say what can be said, privately."""
        if isinstance(error, OUTDATED):
            sentence = "This command has just changed. Please wait a minute and type it anew."
        else:
            sentence = _excuse(interaction, error)
        try:
            if interaction.type is discord.InteractionType.autocomplete:
                await _send_choices(interaction, [])
            else:
                await _send(interaction, sentence, To.ASKER, _asked_at(interaction) + FIRST_WITHIN)
        except FAILURES as failure:
            _report(interaction, failure)


def _fits(option: dict[str, Any], declared: app_commands.Parameter | None) -> bool:
    """Whether an option is what the command takes; one that it has never heard of does no harm."""
    if option.get("focused"):
        return declared is not None and declared.autocomplete
    if declared is None:
        return True
    choices = [each.value for each in declared.choices]
    return declared.type.value == option["type"] and (not choices or option["value"] in choices)


def _options(data: Any) -> list[dict[str, Any]]:
    """The options of a command, or of the subcommand that was chosen."""
    options = data.get("options", [])
    nested = any(each["type"] in (1, 2) for each in options)
    return _options(options[0]) if nested else options
