"""What the bot keeps in memory of what it has shown: nothing, however much that is."""

import gc
import os
from typing import Any

import discord
from discord import ui
from sqlalchemy import URL
from sqlmodel import select

from bot.db.models import Hero, Portrait
from bot.panel import Panel
from tests.live import bot_on
from tests.wire import Wire

SHOWN = int(os.environ.get("SHOWN", "400"))
"""How many finds and lists; `SHOWN=10000` for the full size."""


async def test_finds_and_lists_leave_no_views_behind(tmp_path_url: URL) -> None:
    async with Wire() as wire, bot_on(wire, tmp_path_url) as bot:
        ana = wire.member("Ana")
        for number in range(12):
            await ana.slash("hero add", name=f"Hero {number}", secret_name="x")
        store = bot._connection._view_store  # pyright: ignore[reportPrivateUsage]  # noqa: SLF001

        def size() -> tuple[int, int, int]:
            """Views, messages and forms that discord.py keeps."""
            kept = (store._views, store._synced_message_views, store._modals)  # pyright: ignore[reportPrivateUsage]  # noqa: SLF001
            return len(kept[0]), len(kept[1]), len(kept[2])

        before = size()
        for number in range(0, SHOWN, 20):
            finds = [ana.slash("hero find", name=f"Hero {n % 12}") for n in range(number, number + 10)]
            lists = [ana.slash("hero list") for _ in range(10)]
            for answer in finds + lists:
                await answer
        after = size()

    print(f"store before {before}, after {SHOWN} finds and lists {after}")
    assert before == after == (0, 0, 0)


async def test_what_is_answered_does_not_wait_for_the_garbage_collector(tmp_path_url: URL) -> None:
    async with Wire() as wire:
        # Other tests may keep some.
        gc.collect()
        before = _kept()
        gc.disable()
        try:
            # In the end all of it has been handled to the end.
            async with bot_on(wire, tmp_path_url) as bot:
                ana = wire.member("Ana")
                for number in range(12):
                    await ana.slash("hero add", name=f"Hero {number}", secret_name="x")
                await ana.slash("hero find", name="Hero 1")
                await ana.slash("hero find", name="Nobody")
                async with bot.db.write() as session:
                    hero = (await session.exec(select(Hero).where(Hero.name == "Hero 2"))).one()
                    hero.has_portrait = True
                    session.add(Portrait(hero_id=hero.id, guild_id=hero.guild_id, image=b"RIFF"))
                await ana.slash("hero find", name="Hero 2")
                await ana.slash("hero list")
                await ana.slash("hero stats")
            others = {id(each) for each in before}
            kept = [type(each).__name__ for each in _kept() if id(each) not in others]
        finally:
            gc.enable()

    assert kept == []


def _kept() -> list[Any]:
    """What is in memory of interactions and of what answered them."""
    kinds = (discord.Interaction, ui.Item, Panel)
    return [each for each in gc.get_objects() if isinstance(each, kinds)]
