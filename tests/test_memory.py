"""What the bot keeps in memory of what it has shown: nothing, however much that is."""

import asyncio
import gc
import os
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any

import discord
import pytest
from discord import ui
from discord.gateway import DiscordWebSocket
from discord.http import Route
from pydantic import SecretStr
from sqlalchemy import URL
from sqlmodel import select

from bot.client import HeroBot
from bot.db.models import Hero, Portrait
from bot.panel import Panel
from tests.wire import Wire
from tests.world import settings_for

SHOWN = int(os.environ.get("SHOWN", "400"))
"""How many finds and lists; `SHOWN=10000` for the full size."""


@pytest.fixture
def _addresses() -> object:  # pyright: ignore[reportUnusedFunction]
    """Discord's addresses, put back afterwards."""
    base, gateway = Route.BASE, DiscordWebSocket.DEFAULT_GATEWAY
    yield
    Route.BASE, DiscordWebSocket.DEFAULT_GATEWAY = base, gateway


@asynccontextmanager
async def bot_on(wire: Wire, url: URL) -> AsyncGenerator[HeroBot]:
    settings = settings_for(url, discord_token=SecretStr(wire.token), discord_api_url=wire.api_url)
    async with HeroBot(settings) as bot:
        running = asyncio.create_task(bot.start(wire.token))
        await wire.gateway.connected()
        yield bot
        await bot.close()
        await running


@pytest.mark.usefixtures("_addresses")
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


@pytest.mark.usefixtures("_addresses")
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
