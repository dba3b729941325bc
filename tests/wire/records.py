"""What the stand-in remembers: messages, answers, and who waits for them."""

import asyncio
import json
from collections.abc import Callable, Generator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    from .member import Member

Json = dict[str, Any]

SLASH, COMPONENT, AUTOCOMPLETE, MODAL = 2, 3, 4, 5  # kinds of interaction
EPHEMERAL, LOADING, COMPONENTS_V2 = 1 << 6, 1 << 7, 1 << 15  # flags of a message

dumps = json.JSONEncoder(separators=(",", ":"), check_circular=False).encode


class WireError(AssertionError):
    """The bot did what Discord would not accept, or the stand-in itself failed."""


class Overdue(TimeoutError):  # noqa: N818 - it says what happened
    """What was waited for did not happen in time."""


def nested(node: Json, key: str) -> list[Json]:
    """The objects listed under a key; none where there is nothing."""
    return node.get(key) or []


def walk(nodes: list[Json]) -> Generator[Json]:
    """Each component of `nodes`, nested ones and accessories included, in the order shown."""
    for node in nodes:
        yield node
        yield from walk(nested(node, "components"))
        for key in ("component", "accessory"):
            if node.get(key):
                yield from walk([node[key]])


class Signal:
    """Wakes whoever waits for a condition as soon as it holds; no polling."""

    __slots__ = ("_waiting",)

    def __init__(self) -> None:
        self._waiting: list[tuple[Callable[[], object], asyncio.Future[None]]] = []

    def notify(self) -> None:
        """Look at every awaited condition again."""
        for holds, future in self._waiting:
            if not future.done() and holds():
                future.set_result(None)

    async def until(self, holds: Callable[[], object], within: float, what: Callable[[], str]) -> None:
        """Wait at most `within` seconds for `holds()`; raises Overdue with the text of `what()`."""
        if holds():
            return
        entry = (holds, asyncio.get_running_loop().create_future())
        self._waiting.append(entry)
        try:
            async with asyncio.timeout(within):
                await entry[1]
        except TimeoutError:
            raise Overdue(f"not within {within:g} s: {what()}") from None
        finally:
            self._waiting.remove(entry)


class Message(dict[str, Any]):
    """A message as the API shows it. An edit changes this very object; `deleted` tells whether it is gone."""

    __slots__ = ("__weakref__", "deleted", "reader")

    def __init__(self, fields: Json, reader: int | None = None) -> None:
        super().__init__(fields)
        self.reader = reader
        """The only user who sees it, if it is ephemeral."""
        self.deleted = False

    @property
    def text(self) -> str:
        """All that a member can read in it: content, embeds, text displays, labels."""
        parts: list[str] = [self["content"]]
        for embed in nested(self, "embeds"):
            parts += [embed.get("title") or "", embed.get("description") or ""]
            parts += [f"{each['name']}\n{each['value']}" for each in nested(embed, "fields")]
        parts += [node.get("content") or node.get("label") or "" for node in walk(self["components"])]
        return "\n".join(part for part in parts if part)


@dataclass(slots=True, weakref_slot=True, eq=False)
class Answer:
    """One interaction as its member sees it. `await answer` waits for the final answer and returns it.

    Times are in seconds of the stand-in's clock (monotonic unless another was given); 0.0 until they happen.
    """

    id: int
    kind: int
    member: "Member" = field(repr=False)
    source: Message | None = field(repr=False)
    """The message with the component that was used."""
    dispatched_at: float
    patience: float = field(repr=False)
    deliveries: int = 0
    """How often it was sent to the bot; more than once if a connection broke before the bot had it."""
    acknowledged_at: float = 0.0
    answered_at: float = 0.0
    callback: int | None = None
    """The type of the callback that acknowledged it."""
    private: bool = False
    """The acknowledgement said ephemeral."""
    message: Message | None = field(default=None, repr=False)
    """The original answer as it is now; None before it exists and after it was deleted."""
    followups: list[Message] = field(default_factory=list[Message], repr=False)
    modal: Json | None = field(default=None, repr=False)
    choices: list[Json] | None = field(default=None, repr=False)
    refusals: list[int] = field(default_factory=list[int])
    """Discord's error codes for the bot's refused calls, such as 10062 for a late callback."""
    _signal: Signal = field(default_factory=Signal, repr=False)

    @property
    def token(self) -> str:
        return f"aW50ZXJhY3Rpb246{self.id}"

    @property
    def acknowledged(self) -> bool:
        return self.callback is not None

    @property
    def answered(self) -> bool:
        """The final answer is there: a message, an edited deferral, a modal or choices."""
        return self.answered_at > 0

    @property
    def deferred(self) -> bool:
        """It was acknowledged by a deferral, answered since or not."""
        return self.callback in (5, 6)

    @property
    def ephemeral(self) -> bool:
        """Only this member sees the original answer, or will once the deferral is answered."""
        return self.private if self.message is None else bool(self.message["flags"] & EPHEMERAL)

    @property
    def text(self) -> str:
        """What the original answer says; empty without one."""
        return "" if self.message is None else self.message.text

    def __await__(self) -> Generator[Any, None, Self]:
        return self.until(lambda answer: answer.answered).__await__()

    async def until(self, holds: Callable[[Self], object], within: float | None = None) -> Self:
        """Wait for any condition of this answer, at most `within` seconds (default: the wire's patience)."""
        within = self.patience if within is None else within
        await self._signal.until(lambda: holds(self), within, lambda: repr(self))
        return self

    async def until_acknowledged(self, within: float | None = None) -> Self:
        """Wait for any acknowledgement, a deferral included."""
        return await self.until(lambda answer: answer.acknowledged, within)

    async def until_followups(self, count: int = 1, within: float | None = None) -> Self:
        """Wait for this many messages besides the original answer."""
        return await self.until(lambda answer: len(answer.followups) >= count, within)

    def notify(self) -> None:
        """Wake who waits, after a change."""
        self._signal.notify()


class CannotSend(ValueError):  # noqa: N818 - it says what happened
    """Discord's client would not let the member send this."""


@dataclass(slots=True, frozen=True)
class Upload:
    """A file that a member attaches or a bot sends."""

    filename: str
    data: bytes = b""
    content_type: str = "application/octet-stream"
