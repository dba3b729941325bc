"""The stand-in as a whole: what exists in it, and its life."""

import itertools
import time
from collections import Counter, OrderedDict, deque
from collections.abc import Callable
from typing import Literal, Self
from urllib.parse import quote
from weakref import WeakValueDictionary

from aiohttp import web

from .faults import Faults
from .gateway import Gateway
from .guild import MEMBER_PERMISSIONS, Guild
from .member import Member
from .records import Answer, CannotSend, Json, Message, Signal, Upload, WireError, dumps
from .rest import BASE, Rest

FIRST_GUILD = 238_418_579_101  # the lowest 18-digit snowflakes, without their low 22 bits
DISCORD_EPOCH = 1_420_070_400  # in Unix seconds
REMEMBERED = 2048  # interactions and messages that are kept although nobody holds them


class Wire:
    """Discord on 127.0.0.1: REST and gateway on one free port, for any number of processes with one token.

    `guilds` exist from the start. `shards` and `max_concurrency` are what
    /gateway/bot says, as are `sessions`, how many a day may begin, and `sessions_reset`, the seconds left
    of that day. In seconds: the `heartbeat` interval, `ack_within` (10062 after it), `token_lives`
    (50027 after it) and `patience`, the bound of every wait for an answer. The rules go by `clock`, which
    `advance` shifts. An interaction goes to the newest session of its shard, or to all (`deliver`). A
    session can replay its last `buffer` events.

    Leaving the context raises WireError for what is in `unknown`, `invalid` or `errors`; clear what is meant.
    """

    def __init__(
        self,
        *,
        token: str = "wire-token",
        guilds: int = 1,
        shards: int = 1,
        max_concurrency: int = 1,
        heartbeat: float = 41.25,
        ack_within: float = 3.0,
        token_lives: float = 900.0,
        patience: float = 15.0,
        clock: Callable[[], float] = time.monotonic,
        deliver: Literal["newest", "all"] = "newest",
        buffer: int = 16384,
    ) -> None:
        self.token = token
        self.shards = shards
        self.max_concurrency = max_concurrency
        self.sessions = 1000
        self.sessions_reset = 86_400.0
        self.ack_within = ack_within
        self.token_lives = token_lives
        self.patience = patience
        self.deliver = deliver
        self.faults = Faults()
        self.gateway = Gateway(self, heartbeat, buffer)
        self.unknown: list[str] = []
        """Requests that Discord does not know, as "METHOD /path"."""
        self.invalid: list[str] = []
        """Requests with a payload that Discord would refuse, and why."""
        self.errors: list[str] = []
        """What went wrong in the stand-in itself."""
        self.requests: Counter[str] = Counter()
        """How often each route was called, by "METHOD /path/{variable}"."""
        self.commands: dict[int, list[Json]] = {}
        """The commands registered for each guild, and for everywhere under 0."""
        self.syncs: list[int] = []
        """The guild (or 0) of each PUT of commands."""
        self.posted: deque[Message] = deque(maxlen=REMEMBERED)
        """Messages that the bot posted in channels other than as an answer."""
        self.lost = 0
        """Interactions for which there was no session."""
        self.guilds: dict[int, Guild] = {}
        self.members: dict[int, Member] = {}
        self.answers: WeakValueDictionary[str, Answer] = WeakValueDictionary()
        self.messages: WeakValueDictionary[int, Message] = WeakValueDictionary()
        self.uploads: OrderedDict[str, Upload] = OrderedDict()
        self._recent: deque[Answer] = deque(maxlen=REMEMBERED)
        self._count = itertools.count()
        self._founded = itertools.count()
        self._clock = clock
        self._ahead = 0.0
        self._signal = Signal()
        self.application_id = self.snowflake()
        self.bot_user: Json = {
            "id": str(self.application_id),
            "username": "wire",
            "global_name": None,
            "discriminator": "0001",
            "avatar": None,
            "bot": True,
        }
        for _ in range(guilds):
            self.add_guild()

    async def __aenter__(self) -> Self:
        rest = Rest(self)

        async def serve(request: web.BaseRequest) -> web.StreamResponse:
            return await (self.gateway.serve(request) if request.path == "/" else rest.serve(request))

        server = web.Server(serve, access_log=None, keepalive_timeout=3600)
        self._runner = web.ServerRunner(server, shutdown_timeout=0.5)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0, backlog=1024).start()
        self.port: int = self._runner.addresses[0][1]
        return self

    async def __aexit__(self, kind: type[BaseException] | None, *_: object) -> None:
        self.gateway.close()
        await self._runner.cleanup()
        if kind is None:
            self.check()

    def check(self) -> None:
        """Raises WireError if the bot, or the stand-in, did what it must not."""
        found = [f"unknown request: {each}" for each in self.unknown]
        found += [f"invalid payload: {each}" for each in self.invalid]
        found += [f"error in the stand-in: {each}" for each in self.errors]
        if found:
            raise WireError(f"{len(found)} faults:\n" + "\n".join(found[:20]))

    # -- for tests -------------------------------------------------------------------------------------------

    @property
    def api_url(self) -> str:
        return f"http://127.0.0.1:{self.port}{BASE}"

    @property
    def gateway_url(self) -> str:
        return f"ws://127.0.0.1:{self.port}/"

    def environment(self) -> dict[str, str]:
        """The variables that point the bot's process here."""
        return {
            "DISCORD_TOKEN": self.token,
            "DISCORD_API_URL": self.api_url,
            "DISCORD_GATEWAY_URL": self.gateway_url,
        }

    @property
    def guild(self) -> Guild:
        """The first guild."""
        return next(iter(self.guilds.values()))

    def member(self, name: str, guild: Guild | None = None, permissions: int = MEMBER_PERMISSIONS) -> Member:
        """A new member of a guild (default: the first)."""
        guild = guild or self.guild
        found = Member(self, guild, self.snowflake(), name, permissions)
        self.members[found.id] = guild.members[found.id] = found
        return found

    def add_guild(self, name: str | None = None) -> Guild:
        """The bot joins a new guild; connected sessions of its shard are told."""
        number = next(self._founded)
        guild = Guild((FIRST_GUILD + number) << 22, name or f"Guild {number}", self.bot_user)
        self.guilds[guild.id] = guild
        self.gateway.dispatch("GUILD_CREATE", guild.created, guild.id, to_all=True)
        return guild

    def remove_guild(self, guild: Guild) -> None:
        """The bot is removed from a guild."""
        del self.guilds[guild.id]
        self.gateway.dispatch("GUILD_DELETE", dumps({"id": str(guild.id)}), guild.id, to_all=True)

    async def until(self, holds: Callable[[], object], within: float | None = None) -> None:
        """Wait for a condition that a request of the bot brings about; Overdue after `within` seconds."""
        within = self.patience if within is None else within
        await self._signal.until(holds, within, lambda: f"requests so far: {dict(self.requests)}")

    def advance(self, seconds: float) -> None:
        """Let the clock of the rules jump ahead."""
        self._ahead += seconds

    # -- for the other parts ---------------------------------------------------------------------------------

    def now(self) -> float:
        """Seconds of the stand-in's clock."""
        return self._clock() + self._ahead

    def notify(self) -> None:
        self._signal.notify()

    def snowflake(self) -> int:
        """A new id, of this moment."""
        return int((time.time() - DISCORD_EPOCH) * 1000) << 22 | next(self._count) & 0x3FFFFF

    def interact(self, answer: Answer, data: str) -> None:
        """Bring an interaction to the bot."""
        self.answers[answer.token] = answer
        self._recent.append(answer)
        if not self.gateway.dispatch(
            "INTERACTION_CREATE",
            data,
            answer.member.guild.id,
            to_all=self.deliver == "all",
            answer=answer,
        ):
            self.lost += 1

    def command(self, name: str, guild_id: int, kind: int = 1) -> Json:
        """The registered command of this name, the guild's own before the global one; raises CannotSend."""
        for each in (*self.commands.get(guild_id, ()), *self.commands.get(0, ())):
            if each["name"] == name and each["type"] == kind:
                return each
        raise CannotSend(
            f"there is no command {name}, only {[each['name'] for each in self.commands.get(0, ())]}"
        )

    def attach(self, channel_id: int, upload: Upload) -> Json:
        """Keep a file for a while, and describe it as an attachment."""
        number = self.snowflake()
        path = f"/attachments/{channel_id}/{number}/{upload.filename}"
        self.uploads[path] = upload
        if len(self.uploads) > 256:
            self.uploads.popitem(last=False)
        url = f"http://127.0.0.1:{self.port}{quote(path)}"
        about = {"filename": upload.filename, "size": len(upload.data), "content_type": upload.content_type}
        return {"id": str(number), "url": url, "proxy_url": url, **about}
