"""SIGTERM: what was in flight is answered, and a second process takes over."""

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field

from sqlalchemy import URL

from bot.db.url import parse_url
from tests.endurance.database import own_postgres
from tests.endurance.load import Crowd, Figures, busy, is_card, locked
from tests.endurance.process import Bot, running
from tests.support.live import COMMAND
from tests.wire import Answer, Wire

RESTARTS = "I have to restart, and could not finish this before. Please try again in a minute."
ALREADY_ACKNOWLEDGED = 40060


@dataclass
class Finders:
    """Members who look for a hero again and again; whom nobody answers waits for the next process.

    Args:
        wire: the Discord they are on.
        crowd: who they are.
    """

    wire: Wire
    crowd: Crowd
    sent: list[Answer] = field(default_factory=list[Answer])
    answered: int = 0
    handed_over: asyncio.Event = field(default_factory=asyncio.Event)

    async def find(self) -> None:
        answer = self.crowd.member().slash("hero find", name="Deadpond")
        self.sent.append(answer)
        if self.handed_over.is_set():
            await answer
        else:
            waiting = asyncio.ensure_future(answer.until(lambda answer: answer.answered, within=60))
            leaving = asyncio.ensure_future(self.handed_over.wait())
            await asyncio.wait({waiting, leaving}, return_when=asyncio.FIRST_COMPLETED)
            waiting.cancel()
            leaving.cancel()
        self.answered += answer.answered
        self.wire.notify()

    async def more(self, count: int) -> None:
        """Wait for so many more answers."""
        goal = self.answered + count
        await self.wire.until(lambda: self.answered >= goal, within=60)

    def between(self, start: float, end: float) -> list[Answer]:
        """What was sent between two moments."""
        return [each for each in self.sent if start <= each.dispatched_at < end]


async def stop(url: URL, *, in_flight: int = 16, load: int = 200) -> Figures:
    """Stop a bot that has deferred some commands and is busy with others; start the next one meanwhile."""
    # As Discord does: each process that is connected hears of each interaction.
    async with Wire(deliver="all") as wire, running(wire, url) as first:
        crowd = Crowd(wire)
        finders = Finders(wire, crowd)
        await crowd.member().slash("hero add", name="Deadpond", secret_name="Nobody")
        async with busy(finders.find, in_flight):
            await finders.more(load)
            async with locked(url):
                slow = [crowd.add()[1] for _ in range(in_flight)]
                for each in slow:
                    await each.until_acknowledged()
                stopped_at = wire.now()
                first.process.terminate()
            second = await Bot.start(wire, url)
            try:
                code = await first.ended(within=10)
                took = wire.now() - stopped_at
                await second.ready()
                taken_over_at = wire.gateway.identifies[-1].at
                finders.handed_over.set()
                await finders.more(load)
            except BaseException:
                await second.kill()
                raise
        try:
            after = finders.between(taken_over_at, wire.now())
            for each in after:
                await each
            assert await second.stop() == 0
        finally:
            await second.kill()
    assert code == 0, first.log
    assert took <= 10
    assert all(is_card(each) for each in slow), [each.text for each in slow]
    before = finders.between(0, stopped_at)
    lost = sum(not each.answered for each in before)
    assert not lost, f"{lost} of {len(before)} from before the signal have no answer"
    assert not [each for each in (*finders.sent, *slow) if ALREADY_ACKNOWLEDGED in each.refusals]
    assert "ERROR" not in first.log + second.log, first.log + second.log
    gap = finders.between(stopped_at, taken_over_at)
    return {
        "deferred": len(slow),
        "before": len(before),
        "in between": len(gap),
        "of those unanswered": sum(not each.answered for each in gap),
        "after": len(after),
        "seconds to exit": round(took, 2),
        "seconds without a bot": round(taken_over_at - stopped_at, 2),
    }


async def stop_stuck(
    url: URL,
    *,
    held: Callable[[URL], AbstractAsyncContextManager[None]] = locked,
    in_flight: int = 16,
    deaf: bool = True,
    command: tuple[str, ...] = COMMAND,
) -> Figures:
    """Stop a bot while the database stays as it is: whoever waits for it is told, and nothing is stored.

    Args:
        url: the bot's database.
        held: keeps the database from storing anything for as long as the block lasts.
        in_flight: how many wait.
        deaf: whether the network to Discord's gateway is dead, too.
        command: starts the bot.
    """
    async with Wire() as wire, running(wire, url, command=command) as bot:
        crowd = Crowd(wire)
        kept, added = crowd.add()
        assert is_card(await added)
        async with held(url):
            stuck = [crowd.add()[1] for _ in range(in_flight)]
            for each in stuck:
                await each.until_acknowledged()
            if deaf:
                wire.gateway.silence(deaf=True)
            stopped_at = wire.now()
            code = await bot.stop(within=10)
            took = wire.now() - stopped_at
            for each in stuck:
                await each
        assert code == 0, bot.log
        assert "Traceback" not in bot.log, bot.log
        assert all(each.deferred and each.ephemeral for each in stuck)
        assert {each.text for each in stuck} == {RESTARTS}, [each.text for each in stuck]
        assert await crowd.check_stored(url, [kept]) == 1
    told = max(each.answered_at for each in stuck) - stopped_at
    return {"told": len(stuck), "seconds to the last": round(told, 2), "seconds to exit": round(took, 2)}


async def stop_frozen(*, command: tuple[str, ...] = COMMAND) -> Figures:
    """Stop a bot while PostgreSQL keeps its connections, and does nothing."""
    async with own_postgres() as server:

        @asynccontextmanager
        async def frozen(_: URL) -> AsyncGenerator[None]:
            postmaster = server.get_postmaster_info().process
            assert postmaster is not None
            processes = [postmaster, *postmaster.children(recursive=True)]
            for each in processes:
                each.suspend()
            try:
                yield
            finally:
                for each in processes:
                    each.resume()

        return await stop_stuck(parse_url(server.get_uri()), held=frozen, command=command)
