"""The gateway drops, invalidates and falls silent; whatever it delivers afterwards is answered once."""

from itertools import pairwise

from sqlalchemy import URL

from tests.endurance.load import Crowd, Figures
from tests.endurance.process import running
from tests.wire import Answer, Wire


async def gateway(
    url: URL, *, drops: int, invalid: int, silent: int, scarce: int, in_flight: int = 4
) -> Figures:
    """Misbehave so many times in each way, with interactions sent before and after each time.

    Args:
        scarce: invalid sessions of a day that has few left, or none.
    """
    # A silent socket is noticed by a heartbeat that nobody acknowledges.
    async with Wire(heartbeat=1.0 if silent else 41.25) as wire, running(wire, url) as bot:
        crowd = Crowd(wire)
        answers: list[Answer] = []
        gateway = wire.gateway

        def send() -> list[Answer]:
            new = [crowd.member().slash("hero find", name="x") for _ in range(in_flight)]
            answers.extend(new)
            return new

        async def all_answered(new: list[Answer]) -> None:
            for each in new:
                await each

        for number in range(drops):
            resumes = len(gateway.resumes)
            # Sent into the connection that breaks: these are delivered by the resume.
            replayed = send()
            if number % 5 == 4:
                gateway.reconnect()
            else:
                gateway.drop((None, 4000, 4008, 1012)[number % 4])
            await gateway.until(lambda resumes=resumes: len(gateway.resumes) > resumes)
            await all_answered(replayed + send())
        assert len(gateway.identifies) == 1, "every drop was resumed"
        for _ in range(invalid):
            identifies = len(gateway.identifies)
            gateway.invalidate()
            await gateway.until(lambda identifies=identifies: len(gateway.identifies) > identifies, within=60)
            await all_answered(send())
        silence = 0.0
        for _ in range(silent):
            before, resumes = wire.now(), len(gateway.resumes)
            gateway.silence()
            await gateway.until(lambda resumes=resumes: len(gateway.resumes) > resumes, within=180)
            silence = wire.now() - before
            await all_answered(send())
        waits = [7.0 if number % 2 else 9.0 for number in range(scarce)]
        for number, wait in enumerate(waits):
            identifies = len(gateway.identifies)
            # None left for a while, or one for each so many seconds.
            left = 0 if number % 2 else 1
            wire.sessions, wire.sessions_reset = identifies + left, wait
            gateway.invalidate()
            await gateway.until(lambda identifies=identifies: len(gateway.identifies) > identifies, within=60)
            await all_answered(send())
        spacing = [after.at - before.at for before, after in pairwise(gateway.identifies)]
        # Discord takes one identify in 5 seconds from each shard; the clocks may differ by a little.
        assert all(each > 4.9 for each in spacing), spacing
        assert all(each > wait - 0.1 for each, wait in zip(spacing[invalid:], waits, strict=True)), spacing
        assert [each.refusals for each in answers if each.refusals] == []
        assert gateway.live() == 1
        assert await bot.stop() == 0
        assert "Traceback" not in bot.log, bot.log
    return {
        "drops resumed": drops,
        "invalid sessions": invalid + scarce,
        "answered": len(answers),
        "shortest pause between identifies": round(min(spacing, default=0), 1),
        "longest": round(max(spacing, default=0), 1),
        "silence noticed after": round(silence, 1),
    }
