"""`python -m bot`, which on SIGUSR1 says how much it holds in memory: one line of JSON."""

import asyncio
import gc
import json
import signal
from operator import attrgetter
from types import FrameType

from bot.client import HeroBot
from bot.operator.cli import main


def _count(_signal: int, _frame: FrameType | None) -> None:
    # The bot sets aside what it has loaded at the start.
    gc.unfreeze()
    gc.collect()
    objects = gc.get_objects()
    (bot,) = (each for each in objects if type(each) is HeroBot)
    views = attrgetter("_connection._view_store")(bot)
    held = ("_views", "_modals", "_synced_message_views")
    counts = {
        "tasks": len(asyncio.all_tasks(bot.loop)),
        "views": sum(len(attrgetter(name)(views)) for name in held),
        "objects": len(objects),
    }
    print(f"COUNTED {json.dumps(counts)}", flush=True)


signal.signal(signal.SIGUSR1, _count)
main()
