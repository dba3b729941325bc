"""A connection to the gateway, and the session that outlives it: replay, compression."""

import asyncio
import importlib
import socket
import struct
import zlib
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Literal

from aiohttp import web

from .records import Answer

Moment = Literal["connect", "hello", "identify", "ready", "guilds", "resume"]
"""When a connection can be closed: instead of hello, right after it, instead of READY, right after it, after
the guilds, or instead of what a resume replays."""

LONGEST = 4096
"""Bytes of a frame that the bot may send."""
ENDED = frozenset({4004, 4007, 4009, 4010, 4011, 4012, 4013, 4014})
"""Close codes after which there is no session to resume."""
LEFT = frozenset({1000, 1001})
"""Close codes by which a client says that it will not come back."""


def compressor(name: str | None) -> Callable[[str], bytes] | None:
    """A stream compressor by Discord's name for it; None for plain JSON; raises LookupError."""
    if name is None:
        return None
    if name == "zlib-stream":
        stream = zlib.compressobj(1)
        return lambda text: stream.compress(text.encode()) + stream.flush(zlib.Z_SYNC_FLUSH)
    if name == "zstd-stream":
        with suppress(ImportError):
            zstandard: Any = importlib.import_module("zstandard")
            block: Any = zstandard.ZstdCompressor().compressobj()
            flush: Any = zstandard.COMPRESSOBJ_FLUSH_BLOCK
            return lambda text: block.compress(text.encode()) + block.flush(flush)
        with suppress(ImportError):
            encoder: Any = importlib.import_module("compression.zstd").ZstdCompressor()
            return lambda text: encoder.compress(text.encode(), encoder.FLUSH_BLOCK)
    raise LookupError(f"no compression {name!r} here")


@dataclass(slots=True, frozen=True)
class Hello:
    """An identify or a resume that reached the gateway; `at` is in seconds of the stand-in's clock."""

    at: float
    shard: int
    session: str
    compression: str | None
    """By Discord's name for it; None for plain JSON."""


class Connection:
    """One WebSocket. What it sends goes through a queue, so that an event is sent without waiting."""

    def __init__(self, ws: web.WebSocketResponse, request: web.BaseRequest, *, abrupt: bool) -> None:
        self.ws = ws
        self.request = request
        self._abrupt = abrupt
        self.session: Session | None = None
        self.silent = False
        self.closed = False
        """What comes in is of no interest any more."""
        self.compression = request.query.get("compress")
        self._compress = compressor(self.compression)
        self._queue: asyncio.Queue[tuple[str, Answer | None] | int] = asyncio.Queue()

    def send(self, frame: str, answer: Answer | None = None) -> None:
        """Queue a frame, which may bring the interaction of an `answer`; a silent connection swallows it."""
        if not self.silent:
            self._queue.put_nowait((frame, answer))

    def close(self, code: int) -> None:
        """Close it once what is queued has been sent."""
        self.closed = True
        self._queue.put_nowait(code)

    async def write(self) -> None:
        """Send what is queued until cancelled or disconnected."""
        with suppress(ConnectionError):
            while True:
                item = await self._queue.get()
                if isinstance(item, int):
                    self.hang_up(item, abrupt=self._abrupt)
                    return
                frame, answer = item
                if self._compress is None:
                    await self.ws.send_str(frame)
                else:
                    await self.ws.send_bytes(self._compress(frame))
                if answer is not None:
                    answer.deliveries += 1

    def hang_up(self, code: int, *, abrupt: bool = True) -> None:
        """Close it at once: a close frame, with an `abrupt` end of TCP behind it or an answer awaited."""
        self.closed = True
        transport = self.request.transport
        if transport is None:
            return
        if not abrupt:
            transport.write(struct.pack("!BBH", 0x88, 2, code))
            return
        # Linux sends both in one packet, so that there is nobody left to reply to.
        if (cork := getattr(socket, "TCP_CORK", None)) is not None:
            transport.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, cork, 1)
        transport.write(struct.pack("!BBH", 0x88, 2, code))
        # What the other side still sends is read, or its system would throw away what it has not read yet.
        transport.write_eof()

    def abort(self) -> None:
        """Cut the TCP connection, without a close frame."""
        if self.request.transport is not None:
            self.request.transport.abort()


class Session:
    """What an identify began: a sequence of events, the last `buffer` of which can be replayed."""

    def __init__(self, session_id: str, shard: int, shards: int, intents: int, buffer: int) -> None:
        self.id = session_id
        self.shard = shard
        self.shards = shards
        self.intents = intents
        self.sequence = 0
        self.connection: Connection | None = None
        self.missed: deque[tuple[int, str, Answer | None]] = deque(maxlen=buffer)
        """Events with their number, which the bot has not yet said it has."""

    @property
    def live(self) -> bool:
        return self.connection is not None and not self.connection.silent

    def event(self, name: str, data: str, answer: Answer | None = None) -> None:
        """Number an event of this name and JSON, remember it, and send it if connected."""
        self.sequence += 1
        frame = f'{{"op":0,"s":{self.sequence},"t":"{name}","d":{data}}}'
        self.missed.append((self.sequence, frame, answer))
        if self.connection is not None:
            self.connection.send(frame, answer)

    def seen(self, sequence: int) -> None:
        """Forget the events up to this number."""
        while self.missed and self.missed[0][0] <= sequence:
            self.missed.popleft()
