"""A flood of nonsense: nothing breaks, no secret and nothing that Discord refuses comes out, and nobody's
heroes change."""

import asyncio
import secrets
from typing import Any

from hypothesis import HealthCheck, Phase, given, seed, settings
from sqlalchemy import URL, text

from tests.endurance.forgery import FILE_ID, OWN, PICTURE, PRECIOUS, Nonsense, People
from tests.endurance.load import Figures, connection, is_card
from tests.endurance.nonsense import nonsense
from tests.endurance.process import Bot, running
from tests.wire import Answer, Member, Upload, Wire
from tests.wire.guild import MEMBER_PERMISSIONS
from tests.wire.messages import blank
from tests.wire.records import COMPONENTS_V2, dumps

MANAGE_GUILD = 1 << 5
BATCH = 20
STAYS = (
    "SELECT * FROM hero WHERE owner_id = :victim OR id <= 3 ORDER BY id",
    "SELECT * FROM history WHERE hero_id <= 3 ORDER BY id",
    "SELECT * FROM confidant WHERE hero_id <= 3 ORDER BY hero_id, user_id",
    "SELECT * FROM portrait WHERE hero_id <= 3 ORDER BY hero_id",
    # Each sender is a member of one guild, and does nothing in the other.
    "SELECT * FROM history WHERE guild_id = :here AND actor_id = :keeper",
    "SELECT * FROM history WHERE guild_id = :there AND actor_id = :robber",
    "SELECT * FROM hero WHERE guild_id = :here AND owner_id = :keeper",
    "SELECT * FROM hero WHERE guild_id = :there AND owner_id = :robber",
)


async def bad_input(url: URL, *, interactions: int) -> Figures:
    """Send that many made-up interactions, by a member of the victim's guild and a keeper of another one."""
    async with Wire(guilds=2) as wire, running(wire, url) as bot:
        here, there = wire.guilds.values()
        victim, robber = wire.member("Vic", here), wire.member("Rob", here)
        keeper = wire.member("Kay", there, MEMBER_PERMISSIONS | MANAGE_GUILD)
        # Nobody types this by chance.
        secret = secrets.token_hex(16)
        for name in PRECIOUS.values():
            assert is_card(await victim.slash("hero add", name=name, secret_name=secret, age=30))
        trusted = await victim.slash("hero confide", name=PRECIOUS[1], member=wire.member("Con", here))
        assert "can now read" in trusted.text
        assert is_card(await victim.slash("hero portrait", name=PRECIOUS[2], image=Upload("a.png", PICTURE)))
        attempt = _Attempt(wire, bot, url, victim, (robber, keeper), secret)
        before = await attempt.state()
        loop = asyncio.get_running_loop()
        people = People(victim.id, robber.id, keeper.id, (here.id, there.id))
        batch: list[Nonsense] = []

        def send() -> None:
            asyncio.run_coroutine_threadsafe(attempt.send(batch, before), loop).result(timeout=120)
            batch.clear()

        # The same on each run, and others on each kind of database.
        @seed(url.get_backend_name())
        @settings(
            max_examples=interactions,
            database=None,
            deadline=None,
            # A batch changes the roster for the next ones, so a failure is not the same the second time.
            phases=[Phase.generate],
            suppress_health_check=[HealthCheck.too_slow],
        )
        @given(nonsense(wire.commands[0], people))
        def flood(made: Nonsense) -> None:
            batch.append(made)
            if len(batch) == BATCH:
                send()

        await asyncio.to_thread(flood)
        await asyncio.to_thread(send)
        assert await attempt.state() == before
        assert await bot.stop() == 0
        attempt.check_log()
    assert attempt.figures["sent"] >= interactions
    return attempt.figures


class _Attempt:
    """What is tried, and what came of it."""

    def __init__(
        self,
        wire: Wire,
        bot: Bot,
        url: URL,
        victim: Member,
        senders: tuple[Member, Member],
        secret: str,
    ) -> None:
        kinds = ("commands", "suggestions", "menus", "clicks", "forms", "uploads")
        self.figures: Figures = dict.fromkeys(("sent", "answered", *kinds, "removed between clicks"), 0)
        self._wire = wire
        self._bot = bot
        self._url = url
        self._victim = victim
        self._senders = senders
        self._secret = secret

    async def state(self) -> list[list[Any]]:
        """The victim's heroes with all that belongs to them, and what anybody has done where they are not."""
        robber, keeper = self._senders
        here, there = robber.guild.id, keeper.guild.id
        people = {"victim": self._victim.id, "robber": robber.id, "keeper": keeper.id}
        people |= {"here": here, "there": there}
        async with connection(self._url) as other:
            return [[*(await other.execute(text(query), people if ":" in query else {}))] for query in STAYS]

    def check_log(self) -> None:
        """See that nothing failed in all that the bot has said so far, and that it told no secret."""
        log = self._bot.log
        for never in ("ERROR", "Traceback", self._secret):
            assert never not in log, log[max(0, log.index(never) - 10_000) :]

    async def send(self, batch: list[Nonsense], before: list[list[Any]]) -> None:
        """Send some at once, and see that all is well."""
        for sender in self._senders:
            await sender.slash("hero add", name=OWN, secret_name="Nobody")
        answers = [self._send(each) for each in batch]
        for each, answer in zip(batch, answers, strict=True):
            if each.owed:
                try:
                    await answer
                except TimeoutError:
                    raise AssertionError(f"{each} has no answer\n{self._bot.log[-10_000:]}") from None
        await self._remove_between_clicks()
        self.figures["sent"] += len(batch)
        self.figures["answered"] += sum(each.answered for each in answers)
        for each in batch:
            self.figures[each.what] += 1
            self.figures["uploads"] += each.file is not None
        assert self._bot.alive
        self.check_log()
        self._wire.check()
        for each, answer in zip(batch, answers, strict=True):
            told = dumps([answer.message, *answer.followups, answer.modal, answer.choices])
            assert self._secret not in told, each
        assert not [each for each in self._wire.uploads.values() if self._secret.encode() in each.data]
        assert not [each.refusals for each in answers if each.refusals]
        assert await self.state() == before

    def _send(self, made: Nonsense) -> Answer:
        sender = self._senders[made.by]
        source = None
        if made.components is not None:
            source = blank(self._wire, sender.guild.channel_id, COMPONENTS_V2)
            source["components"] = made.components
        data = made.data
        if made.file is not None:
            described = self._wire.attach(sender.guild.channel_id, made.file) | (made.claimed or {})
            attachments = {FILE_ID: described | {"id": FILE_ID}}
            data = data | {"resolved": data.get("resolved", {}) | {"attachments": attachments}}
        return sender.raw(made.kind, data, source)

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
