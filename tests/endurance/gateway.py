"""The gateway drops, invalidates, falls silent and stays away; whatever it delivers is answered once."""

import sys
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from itertools import pairwise

from sqlalchemy import URL

from tests.endurance.load import Crowd, Figures
from tests.endurance.process import Bot, running
from tests.support.live import COMMAND
from tests.wire import Answer, Wire

LATE = 10062
"""Discord's code for what is acknowledged after three seconds."""

IMPATIENT = (
    sys.executable,
    "-c",
    "import bot.client, bot.operator.cli; bot.client.HEARTBEAT_TIMEOUT_SECONDS = 2; bot.operator.cli.main()",
)
"""The bot, noticing a silent socket sooner."""

LATER = (1, 2, 4, 8, 16)
"""Seconds that have to pass at least after each try to connect that came to nothing."""

SESSION = 60.0
"""Seconds that the bot has to begin a session."""


class _Trial:
    """A bot, what was sent to it, and what Discord asks of the pauses between its sessions."""

    def __init__(self, wire: Wire, in_flight: int) -> None:
        self.wire = wire
        self.gateway = wire.gateway
        self.answers: list[Answer] = []
        self.late: list[Answer] = []
        """Sent while nobody would hear of it for longer than Discord waits."""
        self.undelivered: list[Answer] = []
        """Sent while there was no session, or to one that was lost before it was delivered."""
        self.pauses: list[float] = []
        """Seconds that have to pass before each session but the first."""
        self._crowd = Crowd(wire)
        self._in_flight = in_flight

    def send(self) -> list[Answer]:
        new = [self._crowd.member().slash("hero find", name="x") for _ in range(self._in_flight)]
        self.answers += new
        return new

    @asynccontextmanager
    async def resumed(self) -> AsyncGenerator[None]:
        """What breaks the connection in this block is mended by a resume after it."""
        resumes = len(self.gateway.resumes)
        yield
        await self.gateway.until(lambda: len(self.gateway.resumes) > resumes, within=180)

    async def all_answered(self, sent: list[Answer]) -> None:
        for each in sent:
            await each

    async def drop(self, number: int) -> None:
        """Break the connection in one of several ways."""
        async with self.resumed():
            # Sent into the connection that breaks: these are delivered by the resume.
            replayed = self.send()
            if number % 5 == 4:
                self.gateway.reconnect()
            else:
                self.gateway.drop((None, 4000, 4008, 1012)[number % 4])
        await self.all_answered(replayed + self.send())

    async def invalidate(self, pause: float = 5.0) -> None:
        """End the session: in turn while it is connected, and when it is about to be resumed."""
        await self.gateway.connected()
        identifies = len(self.gateway.identifies)
        self.pauses.append(pause)
        before = self.send()
        if len(self.pauses) % 2 == 0:
            # What the connection had not delivered went with the session.
            self.gateway.refuse_resumes()
            self.gateway.drop()
            self.undelivered += before
            before = []
        else:
            self.gateway.invalidate()
            self.undelivered += self.send()
        await self.gateway.until(lambda: len(self.gateway.identifies) > identifies, within=SESSION)
        await self.all_answered(before + self.send())

    async def silence(self) -> float:
        """Say nothing any more on an open connection; returns the seconds until the bot had another."""
        await self.gateway.connected()
        before = self.wire.now()
        async with self.resumed():
            self.gateway.silence()
            unheard = self.send()
            self.late += unheard
        noticed = self.wire.now() - before
        await self.all_answered(self.send())
        for each in unheard:
            await each.until(lambda it: it.answered or it.refusals)
        return noticed

    async def stay_away(self, attempts: int) -> list[float]:
        """Drop, then turn away so many connections in a row; returns the seconds between the attempts."""
        await self.gateway.connected()
        identifies, connects = len(self.gateway.identifies), len(self.gateway.connects)
        for number in range(attempts):
            # Not a WebSocket, and no answer at all.
            self.gateway.reject((503, None)[number % 2])
        self.gateway.drop()
        await self.gateway.until(lambda: len(self.gateway.connects) == connects + attempts + 1, within=600)
        assert len(self.gateway.identifies) == identifies, "no session was begun in vain"
        # discord.py begins anew once a connection could not be made.
        self.pauses.append(5.0)
        await self.gateway.until(lambda: len(self.gateway.identifies) > identifies, within=SESSION)
        await self.all_answered(self.send())
        pauses = [after - before for before, after in pairwise(self.gateway.connects[connects:])]
        # aiohttp asks once more at once where a connection that it had used before is closed.
        tries = [pause for pause in pauses if pause > 0.1]
        assert len(tries) >= attempts // 2, pauses
        # The clocks may differ by a little; discord.py adds some of its own, by chance.
        assert all(pause > least - 0.1 for pause, least in zip(tries, LATER, strict=False)), pauses
        return pauses

    def check(self) -> None:
        """Look at what was answered, and when sessions began."""
        spacing = [after.at - before.at for before, after in pairwise(self.gateway.identifies)]
        # The clocks may differ by a little.
        assert all(each > pause - 0.1 for each, pause in zip(spacing, self.pauses, strict=True)), spacing
        assert [each for each in self.undelivered if each.deliveries or each.acknowledged] == []
        for each in self.answers:
            delivered = each not in self.undelivered
            refused_late = each in self.late and each.refusals == [LATE]
            assert (each.deliveries > 0) == delivered, each
            assert each.answered == (delivered and not refused_late), each
            assert refused_late or each.refusals == [], each
            assert each.followups == [], each


async def gateway(
    url: URL,
    *,
    drops: int,
    invalid: int,
    silent: int,
    scarce: int,
    away: int,
    patient: bool = True,
    in_flight: int = 4,
) -> Figures:
    """Misbehave so many times in each way, with interactions sent before, meanwhile and after each time.

    Args:
        scarce: invalid sessions of a day that has few left, or none.
        away: connections that are turned away in a row.
        patient: let the bot take its minute to notice silence; without, it can't wait for a session either.
    """
    command = COMMAND if patient else IMPATIENT
    # A silent socket is noticed by a heartbeat that nobody acknowledges.
    async with Wire(heartbeat=0.5) as wire, running(wire, url, command=command) as bot:
        trial = _Trial(wire, in_flight)
        for number in range(drops):
            await trial.drop(number)
        assert len(wire.gateway.identifies) == 1, "every drop was resumed"
        for _ in range(invalid):
            await trial.invalidate()
        noticed = [await trial.silence() for _ in range(silent)]
        assert "Traceback" not in bot.log, bot.log
        # Here discord.py says where it failed.
        attempts = await trial.stay_away(away) if away else []
        since = len(bot.log)
        for number in range(scarce):
            # One for each so many seconds, or none left for a while.
            pause = 7.0 if number % 2 else 6.0
            wire.sessions = len(wire.gateway.identifies) + (number + 1) % 2
            wire.sessions_reset = pause
            await trial.invalidate(pause)
        await wire.gateway.connected()
        assert wire.gateway.live() == 1
        assert await bot.stop() == 0
        trial.check()
        assert "Traceback" not in bot.log[since:], bot.log
    spacing = [after.at - before.at for before, after in pairwise(wire.gateway.identifies)]
    return {
        "drops resumed": drops,
        "invalid sessions": invalid + scarce,
        "answered": sum(each.answered for each in trial.answers),
        "delivered again, answered once": sum(each.deliveries > 1 for each in trial.answers),
        "never delivered, never answered": len(trial.undelivered),
        "late after a silence": sum(each.refusals == [LATE] for each in trial.late),
        "shortest pause between identifies": round(min(spacing, default=0), 1),
        "longest": round(max(spacing, default=0), 1),
        "silence noticed after": round(max(noticed, default=0), 1),
        "turned away": away,
        "longest pause between attempts": round(max(attempts, default=0), 1),
    }


async def crash_loop(url: URL, *, sessions: int, day: float) -> Figures:
    """Kill the bot whenever it has begun a session, all through a day that has so few of them.

    Args:
        sessions: how many may begin in that day.
        day: how long it is, in seconds.
    """
    async with Wire() as wire:
        wire.sessions = sessions
        began = wire.now()
        while (left := began + day - wire.now()) > 0:
            wire.sessions_reset = left
            bot = await Bot.start(wire, url)
            try:
                await bot.ready(within=day)
            finally:
                await bot.kill()
        begun = [each.at - began for each in wire.gateway.identifies]
    spacing = [after - before for before, after in pairwise(begun)]
    # The last one waited for the next day, more or less.
    assert len([each for each in begun if each < day - 0.1]) <= sessions, begun
    assert max(spacing) < day / 2, "they last the day"
    return {
        "sessions a day has": sessions,
        "begun": len(begun),
        "shortest pause between them": round(min(spacing), 1),
        "longest": round(max(spacing), 1),
    }
