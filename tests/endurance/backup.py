"""Backups of the database that a busy bot writes to: what it had confirmed before is in each of them."""

import asyncio
import sqlite3
import stat
from collections import Counter
from contextlib import closing
from pathlib import Path

from sqlalchemy import URL

from tests.endurance.load import Crowd, Figures, busy, is_card
from tests.endurance.process import running
from tests.support.live import COMMAND, start_process
from tests.wire import Wire


async def _command(wire: Wire, url: URL, name: str, file: Path) -> None:
    """Run an operator's command to its end, and see that it went well."""
    process = await start_process(wire, url, command=(*COMMAND, name, str(file)))
    code, said = await process.ended(within=120)
    assert code == 0, said


def _names_in(copy: Path) -> Counter[str]:
    """The names in a backup, which is whole and its owner's alone."""
    assert stat.S_IMODE(copy.stat().st_mode) == 0o600
    with closing(sqlite3.connect(copy)) as database:
        assert database.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        return Counter(name for (name,) in database.execute("SELECT name FROM hero"))


async def backup(url: URL, *, times: int, adds: int, megabytes: int, in_flight: int = 16) -> Figures:
    """Back up again and again under a load of adds; restore the last one elsewhere, and start a bot on it.

    Args:
        url: of a SQLite database.
        times: how many backups.
        adds: how many heroes are confirmed before each of them.
        megabytes: how much else the database holds, so that copying takes a while.
        in_flight: how many members add at a time.
    """
    place = Path(str(url.database))
    sent: set[str] = set()
    confirmed: list[str] = []
    copies: dict[Path, str] = {}
    meanwhile = 0
    async with Wire() as wire:
        crowd = Crowd(wire)

        async def add() -> None:
            name, answer = crowd.add()
            sent.add(name)
            await answer.until(lambda answer: answer.answered, within=60)
            assert is_card(answer), answer.text
            confirmed.append(name)
            wire.notify()

        async with running(wire, url):
            with closing(sqlite3.connect(place, timeout=10, isolation_level=None)) as other:
                other.execute("CREATE TABLE ballast AS SELECT zeroblob(? * 1000000)", (megabytes,))
                async with busy(add, in_flight):
                    for number in range(times):
                        if number % 2 == 0:
                            # While somebody reads what is old, all that is new stays in the log.
                            other.execute("BEGIN")
                            other.execute("SELECT count(*) FROM hero").fetchone()
                        goal = len(confirmed) + adds
                        await wire.until(lambda goal=goal: len(confirmed) >= goal, within=60)
                        before = list(confirmed)
                        copy = place.with_name(f"copy-{number}.db")
                        await _command(wire, url, "backup", copy)
                        other.rollback()
                        meanwhile += len(confirmed) - len(before)
                        copied = await asyncio.to_thread(_names_in, copy)
                        assert [name for name in before if copied[name] != 1] == []
                        assert max(copied.values()) == 1
                        assert copied.keys() <= sent
                        copies[copy] = before[-1]
        assert meanwhile, "they were made while the bot wrote"
        last, name = copies.popitem()
        fresh = place.parent / "fresh" / "heroes.db"
        await _command(wire, url.set(database=str(fresh)), "restore", last)
        assert _names_in(fresh) == _names_in(last)
        async with running(wire, url.set(database=str(fresh))) as bot:
            found = await crowd.member().slash("hero find", name=name)
            assert is_card(found), found.text
            assert name in found.text
            assert await bot.stop() == 0
    return {"backups": times, "confirmed": len(confirmed), "confirmed meanwhile": meanwhile}
