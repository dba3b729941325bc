"""What the bot keeps in memory of what it has shown: nothing, however much that is."""

import asyncio
import os

import pytest
from discord.gateway import DiscordWebSocket
from discord.http import Route
from pydantic import SecretStr
from sqlalchemy import URL

from bot.client import HeroBot
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


@pytest.mark.usefixtures("_addresses")
async def test_finds_and_lists_leave_no_views_behind(tmp_path_url: URL) -> None:
    async with Wire() as wire:
        settings = settings_for(
            tmp_path_url, discord_token=SecretStr(wire.token), discord_api_url=wire.api_url
        )
        async with HeroBot(settings) as bot:
            running = asyncio.create_task(bot.start(wire.token))
            await wire.gateway.connected()
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
            await bot.close()
            await running

    print(f"store before {before}, after {SHOWN} finds and lists {after}")
    assert before == after == (0, 0, 0)
