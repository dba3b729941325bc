"""A flood of nonsense: nothing breaks, nothing leaks out that Discord refuses, nobody's heroes change."""

import asyncio
from typing import Any

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from sqlalchemy import URL, text

from tests.endurance.load import Figures, connection, is_card
from tests.endurance.nonsense import PRECIOUS, Nonsense, nonsense
from tests.endurance.process import Bot, running
from tests.wire import Answer, Member, Wire
from tests.wire.member import MEMBER_PERMISSIONS
from tests.wire.messages import blank
from tests.wire.records import COMPONENTS_V2

MANAGE_GUILD = 1 << 5
BATCH = 20


async def bad_input(url: URL, *, interactions: int) -> Figures:
    """Send that many made-up interactions, by a member of the victim's guild and a keeper of another one."""
    async with Wire(guilds=2) as wire, running(wire, url) as bot:
        here, there = wire.guilds.values()
        victim, robber = wire.member("Vic", here), wire.member("Rob", here)
        keeper = wire.member("Kay", there, MEMBER_PERMISSIONS | MANAGE_GUILD)
        for name in PRECIOUS.values():
            added = await victim.slash("hero add", name=name, secret_name="Nobody", age=30)
            assert is_card(added)
        attempt = _Attempt(wire, bot, url, victim, (robber, keeper))
        before = await attempt.state()
        loop = asyncio.get_running_loop()
        ids = [victim.id, robber.id, keeper.id, here.id, there.id]
        made = st.lists(nonsense(wire.commands[0], ids), min_size=BATCH, max_size=BATCH)

        @settings(
            max_examples=-(-interactions // BATCH),
            database=None,
            deadline=None,
            # A batch changes the roster for the next ones, so a failure is not the same the second time.
            phases=[Phase.generate],
            suppress_health_check=[
                HealthCheck.too_slow,
                HealthCheck.data_too_large,
                HealthCheck.large_base_example,
            ],
        )
        @given(made)
        def flood(batch: list[Nonsense]) -> None:
            asyncio.run_coroutine_threadsafe(attempt.send(batch, before), loop).result(timeout=120)

        await asyncio.to_thread(flood)
        assert await attempt.state() == before
        assert await bot.stop() == 0
    return attempt.figures


class _Attempt:
    """What is tried, and what came of it."""

    def __init__(
        self, wire: Wire, bot: Bot, url: URL, victim: Member, senders: tuple[Member, Member]
    ) -> None:
        self.figures: Figures = {"sent": 0, "answered": 0, "removed between clicks": 0}
        self._wire = wire
        self._bot = bot
        self._url = url
        self._victim = victim
        self._senders = senders

    async def state(self) -> list[Any]:
        """The victim's heroes, and what happened to them."""
        heroes = text("SELECT * FROM hero WHERE owner_id = :owner ORDER BY id")
        history = text("SELECT * FROM history WHERE hero_id <= 3 ORDER BY id")
        async with connection(self._url) as other:
            owned = await other.execute(heroes, {"owner": self._victim.id})
            return [*owned.all(), *(await other.execute(history)).all()]

    async def send(self, batch: list[Nonsense], before: list[Any]) -> None:
        """Send some at once, and see that all is well."""
        said = len(self._bot.log)
        answers = [self._send(each) for each in batch]
        for each, answer in zip(batch, answers, strict=True):
            if each.owed:
                try:
                    await answer
                except TimeoutError:
                    raise AssertionError(f"{each} has no answer\n{self._bot.log[said:]}") from None
        await self._remove_between_clicks()
        self.figures["sent"] += len(batch)
        self.figures["answered"] += sum(each.answered for each in answers)
        assert self._bot.alive
        log = self._bot.log[said:]
        assert "ERROR" not in log, log
        assert "Traceback" not in log, log
        self._wire.check()
        assert not [each.refusals for each in answers if each.refusals]
        assert await self.state() == before

    def _send(self, made: Nonsense) -> Answer:
        sender = self._senders[made.by]
        source = None
        if made.components is not None:
            source = blank(self._wire, sender.guild.channel_id, COMPONENTS_V2)
            source["components"] = made.components
        return sender.raw(made.kind, made.data, source)

    async def _remove_between_clicks(self) -> None:
        """A hero goes away while others have its card in front of them."""
        member = self._senders[0]
        self.figures["removed between clicks"] += 1
        name = f"Fleeting {self.figures['removed between clicks']}"
        await member.slash("hero add", name=name, secret_name="Nobody")
        card = (await member.slash("hero find", name=name)).message
        panel = (await member.slash("hero remove", name=name)).message
        form = await member.slash("hero edit", name=name)
        assert card is not None
        assert panel is not None
        again = blank(self._wire, member.guild.channel_id, COMPONENTS_V2)
        again["components"] = panel["components"]
        await member.click(panel, label="Remove")
        told = [
            await member.click(card, label="Secret identity"),
            await member.click(again, label="Remove").until(lambda answer: answer.answered),
            await member.submit(form, {}),
        ]
        for each in told:
            private = [part.text for part in (each.message, *each.followups) if part is not None]
            assert "no longer" in "".join(private), private
