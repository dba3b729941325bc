"""The gateway: sessions that outlive their connections, and its misbehaviour."""

import asyncio
import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, cast

from aiohttp import WSMsgType, web

from .connection import ENDED, LEFT, LONGEST, Connection, Hello, Moment, Session
from .records import Answer, Json, Signal, dumps

if TYPE_CHECKING:
    from .wire import Wire

GUILDS = 1
PRIVILEGED = 1 << 1 | 1 << 8 | 1 << 15  # members, presences, message content


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
            if session is not None and ws.close_code in LEFT:
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
