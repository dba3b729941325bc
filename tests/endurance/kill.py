"""kill -9: what the bot confirmed is there afterwards, once."""

from sqlalchemy import URL

from tests.endurance.load import Crowd, Figures, busy, is_card
from tests.endurance.process import running
from tests.wire import Wire


async def kill(url: URL, *, kills: int, adds: int, in_flight: int = 16) -> Figures:
    """Kill the bot again and again, each time when it has confirmed `adds` more heroes."""
    confirmed: list[str] = []
    stored = sent = 0
    async with Wire() as wire:
        crowd = Crowd(wire)

        async def add() -> None:
            nonlocal sent
            sent += 1
            name, answer = crowd.add()
            await answer.until(lambda answer: answer.answered, within=60)
            assert is_card(answer), answer.text
            confirmed.append(name)
            wire.notify()

        for _ in range(kills):
            goal = len(confirmed) + adds
            async with running(wire, url) as bot, busy(add, in_flight):
                await wire.until(lambda goal=goal: len(confirmed) >= goal, within=60)
                bot.process.kill()
                await bot.ended()
            stored = await crowd.check_stored(url, confirmed)
        # It starts once more, and shows what it had confirmed last.
        async with running(wire, url) as bot:
            found = await crowd.member().slash("hero find", name=confirmed[-1])
            assert is_card(found), found.text
            assert await bot.stop() == 0
        assert await crowd.check_stored(url, confirmed) == stored
    return {
        "kills": kills,
        "sent": sent,
        "confirmed": len(confirmed),
        "stored unconfirmed": stored - len(confirmed),
    }
