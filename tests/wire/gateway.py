"""The gateway: sessions that outlive their connections, replay, compression, and its misbehaviour."""

import asyncio
import importlib
import json
import socket
import struct
import zlib
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, cast

from aiohttp import WSMsgType, web

from .records import Answer, Json, Signal, dumps

if TYPE_CHECKING:
    from .wire import Wire

Moment = Literal["connect", "hello", "identify", "ready", "guilds", "resume"]
"""When a connection can be closed: instead of hello, right after it, instead of READY, right after it, after
the guilds, or instead of what a resume replays."""

GUILDS = 1
PRIVILEGED = 1 << 1 | 1 << 8 | 1 << 15  # members, presences, message content
LONGEST = 4096
"""Bytes of a frame that the bot may send."""
ENDED = frozenset({4004, 4007, 4009, 4010, 4011, 4012, 4013, 4014})
"""Close codes after which there is no session to resume."""


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


class Gateway:
    """Serves WebSockets, keeps sessions, and misbehaves when told to."""

    def __init__(self, wire: "Wire", heartbeat: float, buffer: int) -> None:
        self.sessions: dict[str, Session] = {}
        """Sessions that can be used or resumed, the oldest first."""
        self.identifies: list[Hello] = []
        self.resumes: list[Hello] = []
        self.heartbeats = 0
        self.connects: list[float] = []
        """When each connection was asked for, accepted or not, in seconds of the stand-in's clock."""
        self.abrupt = False
        """Whether TCP ends with each refusal, so that the other side can't reply to it."""
        self._wire = wire
        self._heartbeat = int(heartbeat * 1000)
        self._buffer = buffer
        self._signal = Signal()
        self._refuse: list[bool] = []
        self._closes: dict[Moment, list[int]] = {}
        self._upgrades: list[int | None] = []

    # -- for tests -------------------------------------------------------------------------------------------

    async def until(self, holds: Callable[[], object], within: float = 15.0) -> None:
        """Wait at most `within` seconds for a condition on this gateway; raises Overdue."""
        await self._signal.until(
            holds,
            within,
            lambda: f"{len(self.identifies)} identifies, {len(self.resumes)} resumes, {self.live()} live",
        )

    async def connected(self, count: int = 1, within: float = 15.0) -> None:
        """Wait until `count` sessions are connected, ready or resumed."""
        await self.until(lambda: self.live() >= count, within)

    def live(self) -> int:
        """How many sessions are connected."""
        return sum(session.live for session in self.sessions.values())

    def drop(self, code: int | None = None, *, shard: int | None = None) -> int:
        """Drop the connections (of one shard) by a close `code` or by cutting TCP; returns how many."""
        dropped = self._live(shard)
        for connection in dropped:
            if code is None:
                connection.abort()
            else:
                connection.hang_up(code)
            self._leave(connection, code)
        self._signal.notify()
        return len(dropped)

    def silence(self, *, shard: int | None = None, deaf: bool = False) -> None:
        """Stop answering on the connections there are, which stay open; events wait for a resume.

        A `deaf` one does not even see that the other side closes it, as behind a network that died.
        """
        for connection in self._live(shard):
            connection.silent = True
            if deaf and connection.request.transport is not None:
                connection.request.transport.pause_reading()

    def reconnect(self, *, shard: int | None = None) -> None:
        """Ask for a reconnect (op 7)."""
        for connection in self._live(shard):
            connection.send('{"op":7,"d":null}')

    def invalidate(self, *, resumable: bool = False, shard: int | None = None) -> None:
        """Declare the sessions that are connected invalid (op 9)."""
        for connection in self._live(shard):
            connection.send(f'{{"op":9,"d":{dumps(resumable)}}}')
            if not resumable and connection.session is not None:
                self.sessions.pop(connection.session.id, None)
                self._detach(connection)

    def refuse_resumes(self, times: int = 1, *, resumable: bool = False) -> None:
        """Answer the next resumes with op 9; a session that is not `resumable` is gone."""
        self._refuse += [resumable] * times

    def close_at(self, moment: Moment, code: int, times: int = 1) -> None:
        """Close the next connections that come to this moment."""
        self._closes.setdefault(moment, []).extend([code] * times)

    def reject(self, status: int | None = None, times: int = 1) -> None:
        """Answer the next connections with a status, or cut them, before they are WebSockets."""
        self._upgrades += [status] * times

    def dispatch(
        self,
        event: str,
        data: str,
        guild_id: int = 0,
        *,
        to_all: bool = False,
        answer: Answer | None = None,
    ) -> bool:
        """Send an event to the newest session of a shard, connected ones first. False: there is none."""
        found = [each for each in self.sessions.values() if (guild_id >> 22) % each.shards == each.shard]
        if not to_all and found:
            found = [next((each for each in reversed(found) if each.live), found[-1])]
        for session in found:
            session.event(event, data, answer)
        return bool(found)

    # -- the protocol ----------------------------------------------------------------------------------------

    async def serve(self, request: web.BaseRequest) -> web.StreamResponse:
        self.connects.append(self._wire.now())
        self._signal.notify()
        if self._upgrades:
            status = self._upgrades.pop(0)
            if status is None and request.transport is not None:
                request.transport.abort()
            return web.Response(status=status or 500)
        ws = web.WebSocketResponse(compress=False)
        try:
            connection = Connection(ws, request, abrupt=self.abrupt)
        except LookupError as error:
            self._wire.errors.append(str(error))
            return web.Response(status=400, text=str(error))
        await ws.prepare(request)
        if request.query.get("v") != "10" or request.query.get("encoding") != "json":
            connection.close(4012)
        elif not self._strike("connect", connection):
            connection.send(f'{{"op":10,"d":{{"heartbeat_interval":{self._heartbeat}}}}}')
            self._strike("hello", connection)
        writer = asyncio.create_task(connection.write())
        try:
            async for frame in ws:
                code = self._receive(connection, frame.data) if frame.type is WSMsgType.TEXT else 4002
                if code:
                    connection.close(code)
                    self._leave(connection, code)
        except Exception as error:
            self._wire.errors.append(f"gateway: {error!r}")
            raise
        finally:
            writer.cancel()
            session = connection.session
            self._detach(connection)
            if session is not None and ws.close_code in (
                1000,
                1001,
            ):  # the client said that it will not come back
                self.sessions.pop(session.id, None)
            self._signal.notify()
        return ws

    def close(self) -> None:
        """Cut every connection that still serves a session."""
        self.drop()

    def _live(self, shard: int | None) -> list[Connection]:
        return [
            each.connection
            for each in self.sessions.values()
            if each.connection is not None and shard in (None, each.shard)
        ]

    def _detach(self, connection: Connection) -> None:
        if connection.session is not None and connection.session.connection is connection:
            connection.session.connection = None
        connection.session = None

    def _leave(self, connection: Connection, code: int | None) -> None:
        """Part a connection that closes from its session, which ends with some codes."""
        if connection.session is not None and code in ENDED:
            self.sessions.pop(connection.session.id, None)
        self._detach(connection)

    def _strike(self, moment: Moment, connection: Connection) -> bool:
        """Whether the connection is closed at this moment of its life, as `close_at` has ordered."""
        codes = self._closes.get(moment)
        if not codes:
            return False
        code = codes.pop(0)
        connection.close(code)
        self._leave(connection, code)
        self._signal.notify()
        return True

    def _receive(self, connection: Connection, text: str) -> int:
        """Take one frame; returns the code to close with, or 0."""
        try:
            frame: Json = json.loads(text if len(text.encode()) <= LONGEST else "")
            op, data = int(frame["op"]), cast("Any", frame.get("d"))
        except (ValueError, KeyError, TypeError):
            return 4002
        if connection.silent or connection.closed:
            return 0
        code = 0
        if op == 1:
            self.heartbeats += 1
            session = connection.session
            if session is not None and isinstance(data, int):
                if data > session.sequence:
                    self._wire.invalid.append(f"a heartbeat for event {data} of {session.sequence}")
                    return 4007
                session.seen(data)
            connection.send('{"op":11}')
        elif op == 2:
            code = self._identify(connection, data)
        elif op == 6:
            code = self._resume(connection, data)
        elif connection.session is None:
            code = 4003
        elif op not in (3, 4):  # presence and voice state are nobody's business here
            self._wire.unknown.append(f"gateway op {op}")
            code = 4001
        return code

    def _identify(self, connection: Connection, data: Json) -> int:  # noqa: PLR0911 - one for each refusal
        wire = self._wire
        shard, shards = data.get("shard") or (0, 1)
        intents = data.get("intents")
        if connection.session is not None:
            return 4005
        if data.get("token") != wire.token:
            return 4004
        if not 0 <= shard < shards:
            return 4010
        if not isinstance(intents, int) or intents & PRIVILEGED:
            return 4014 if isinstance(intents, int) else 4013
        session = Session(f"{wire.snowflake():x}", shard, shards, intents, self._buffer)
        # Discord counts it for the day, whatever becomes of it.
        self.identifies.append(Hello(wire.now(), shard, session.id, connection.compression))
        if self._strike("identify", connection):
            return 0
        self.sessions[session.id] = session
        connection.session, session.connection = session, connection
        guilds = [each for each in wire.guilds.values() if (each.id >> 22) % shards == shard]
        ready: Json = {
            "v": 10,
            "user": wire.bot_user,
            "session_id": session.id,
            "resume_gateway_url": wire.gateway_url,
            "guilds": [{"id": str(each.id), "unavailable": True} for each in guilds],
            "application": {"id": str(wire.application_id), "flags": 0},
            "shard": [shard, shards],
        }
        session.event("READY", dumps(ready))
        if self._strike("ready", connection):
            return 0
        if intents & GUILDS:
            for guild in guilds:
                session.event("GUILD_CREATE", guild.created)
        self._strike("guilds", connection)
        self._signal.notify()
        return 0

    def _resume(self, connection: Connection, data: Json) -> int:
        session = self.sessions.get(str(data.get("session_id")))
        if data.get("token") != self._wire.token:
            if session is not None:
                del self.sessions[session.id]
            return 4004
        if self._strike("resume", connection):
            return 0
        sequence = int(data.get("seq") or 0)
        refused = self._refuse.pop(0) if self._refuse else None
        lost = (
            session is None
            or (session.missed[0][0] if session.missed else session.sequence + 1) > sequence + 1
        )
        if session is None or lost or refused is not None:
            if not refused and session is not None:
                del self.sessions[session.id]
            connection.send(f'{{"op":9,"d":{dumps(bool(refused))}}}')
            return 0
        if sequence > session.sequence:
            del self.sessions[session.id]
            return 4007
        if session.connection is not None:
            session.connection.abort()
            self._detach(session.connection)
        session.seen(sequence)
        connection.session, session.connection = session, connection
        for _, frame, answer in session.missed:
            connection.send(frame, answer)
        session.event("RESUMED", "{}")
        self.resumes.append(Hello(self._wire.now(), session.shard, session.id, connection.compression))
        self._signal.notify()
        return 0
