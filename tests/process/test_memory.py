"""What the bot keeps in memory of what it has shown: nothing, however much that is."""

import json
import os

from sqlalchemy import URL

from tests.support.live import bot_on
from tests.wire import Wire
from tests.wire.records import dumps

SHOWN = int(os.environ.get("SHOWN", "400"))
"""How many finds and lists; `SHOWN=10000` for the full size."""

THREAD = {
    "id": "8",
    "type": 11,
    "name": "thread",
    "owner_id": "1",
    "message_count": 0,
    "member_count": 0,
    "thread_metadata": {
        "archived": False,
        "auto_archive_duration": 60,
        "archive_timestamp": "2024-01-01T00:00:00+00:00",
    },
}


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


async def test_a_guild_is_hardly_more_than_known_to_be_there(tmp_path_url: URL) -> None:
    async with Wire() as wire, bot_on(wire, tmp_path_url) as bot:
        here = wire.guild
        for event, told in {
            "GUILD_UPDATE": json.loads(here.created) | {"name": "Renamed"},
            "CHANNEL_CREATE": here.channel | {"id": "9"},
            "GUILD_ROLE_CREATE": {"guild_id": str(here.id), "role": here.role | {"id": "9"}},
            "THREAD_CREATE": THREAD | {"guild_id": str(here.id), "parent_id": str(here.channel_id)},
        }.items():
            wire.gateway.dispatch(event, dumps(told), here.id)
        # What uses a channel, its server and the one who asks comes with the interaction.
        ana = wire.member("Ana")
        await ana.slash("hero add", name="Deadpond", secret_name="x")
        await ana.slash("hero find", name="Deadpond")
        (guild,) = bot.guilds
        wire.remove_guild(here)
        joined = wire.add_guild()
        await wire.member("Ben", joined).slash("hero list")

    assert guild.name == "Renamed"
    assert [*guild.channels, *guild.threads, *guild.roles, *guild.emojis] == []
    assert [each.id for each in bot.guilds] == [joined.id]
