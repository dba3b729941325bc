"""Figures as a table, against the goals, and as JSON."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from rich.table import Table

GUILD_KB: Final = 5
IN_FLIGHT: Final = 16
"""The load at which this bot is compared with the plain one."""
TIMES: Final = 2.0
"""How many times the plain bot's rate is to be reached."""
BASE_MB: Final = 95


@dataclass(frozen=True, slots=True)
class Cell:
    """One measurement of one bot: milliseconds (cpu: of the processor, an answer) and MB of memory."""

    database: str
    heroes: int
    command: str
    in_flight: int
    bot: str
    rate: float
    """Answers a second; 0 where none came in the measured time."""
    p50: float
    p99: float
    cpu: float
    lost: int
    memory: float


@dataclass(frozen=True, slots=True)
class Extras:
    """What is measured of this bot alone, on SQLite where nothing else is said.

    Args:
        start_seconds: processor time from start to ready, migration included.
        base_mb: memory of the process when it has answered once, in a dozen guilds, by database.
        guild_kb: memory that each of 10,000 guilds adds.
        plain_text: answers a second by command with secret identities in plain text.
        encrypted: the same with encryption.
    """

    start_seconds: float
    base_mb: dict[str, float]
    guild_kb: float
    plain_text: dict[str, float]
    encrypted: dict[str, float]


Key = tuple[str, int, str, int]


def by_key(cells: list[Cell]) -> dict[Key, dict[str, Cell]]:
    """The cells of all bots by what was measured: database, heroes, command, in flight."""
    found: dict[Key, dict[str, Cell]] = {}
    for cell in cells:
        found.setdefault((cell.database, cell.heroes, cell.command, cell.in_flight), {})[cell.bot] = cell
    return found


def table(cells: list[Cell]) -> Table:
    """A row for each measurement, the three bots side by side."""
    made = Table(title="Answers a second; milliseconds; interactions lost; MB")
    heads = [
        "database",
        "heroes",
        "command",
        "in flight",
        "limit/s",
        "plain/s",
        "ours/s",
        "x plain",
        "x limit",
    ]
    heads += [
        "p50 limit",
        "plain",
        "ours",
        "p99 limit",
        "plain",
        "ours",
        "CPU limit",
        "plain",
        "ours",
        "lost l/p/o",
        "MB limit",
        "plain",
        "ours",
    ]
    for head in heads:
        made.add_column(head, justify="left" if head in ("database", "command") else "right")
    before: tuple[Any, ...] = ()
    for (database, heroes, command, in_flight), bots in by_key(cells).items():
        if before not in ((), (database, heroes, command)):
            made.add_section()
        before = (database, heroes, command)
        limit, plain, ours = bots["limit"], bots["plain"], bots["ours"]
        three = (limit, plain, ours)
        made.add_row(
            database,
            f"{heroes:,}",
            command,
            str(in_flight),
            *(f"{bot.rate:,.0f}" for bot in three),
            _ratio(ours.rate, plain.rate),
            _ratio(ours.rate, limit.rate),
            *(f"{bot.p50:,.1f}" for bot in three),
            *(f"{bot.p99:,.1f}" for bot in three),
            *(f"{bot.cpu:.2f}" for bot in three),
            "/".join(str(bot.lost) for bot in three),
            *(f"{bot.memory:.0f}" for bot in three),
        )
    return made


def _ratio(part: float, whole: float) -> str:
    return f"{part / whole:.2f}" if whole else "-"


@dataclass(frozen=True, slots=True)
class Goal:
    """What was to be reached, how far it was, and where."""

    what: str
    figure: str
    reached: bool


def goals(cells: list[Cell], extras: Extras | None) -> Iterator[Goal]:
    """Each goal that these measurements speak of, by the worst of them."""
    found = by_key(cells)
    most = [bots["ours"].lost for key, bots in found.items() if key[3] == 256]
    if most:
        yield Goal("nothing lost at 256 in flight", f"{sum(most)} lost", not sum(most))
    for database in dict.fromkeys(key[0] for key in found):
        yield from _beside(database, {key: bots for key, bots in found.items() if key[0] == database})
        yield from _grown(database, found)
    yield from _databases(found)
    if extras is not None:
        encrypted = extras.encrypted["find"] / extras.plain_text["find"]
        yield Goal("find costs no encryption", f"{encrypted:.2f} of its rate without", encrypted > 0.93)
        yield Goal(f"under {GUILD_KB} KB a guild", f"{extras.guild_kb:.1f} KB", extras.guild_kb < GUILD_KB)
        for database, base in extras.base_mb.items():
            yield Goal(f"base at most {BASE_MB} MB, {database}", f"{base:.0f} MB", base <= BASE_MB)


def _share(bots: dict[str, Cell], bot: str = "limit") -> float:
    """Our rate as a part of another's of the same minute, which a busy machine slows as well; never 0."""
    return max(bots["ours"].rate, 0.01) / max(bots[bot].rate, 0.01)


def _slower(bots: dict[str, Cell]) -> float:
    """Our p99 as a part of the plain bot's; a bot that answered nothing took for ever."""
    ours, plain = bots["ours"].p99, bots["plain"].p99
    return math.inf if math.isinf(ours) else ours / plain


def _beside(database: str, found: dict[Key, dict[str, Cell]]) -> Iterator[Goal]:
    for command in ("add", "find"):
        rows = [bots for key, bots in found.items() if key[2] == command and key[3] == IN_FLIGHT]
        if not rows:
            continue
        where = f"{command} at {IN_FLIGHT}, {database}"
        ratio = min(_share(bots, "plain") for bots in rows)
        yield Goal(f"{where}: {TIMES:g} x plain", f"{ratio:.2f}", ratio >= TIMES)
        if command == "add":
            ratio = max(_slower(bots) for bots in rows)
            yield Goal(f"{where}: p99 under a quarter of plain's", f"{ratio:.2f}", ratio < 0.25)


def _grown(database: str, found: dict[Key, dict[str, Cell]]) -> Iterator[Goal]:
    sizes = sorted({key[1] for key in found})
    if len(sizes) == 1:
        return
    small, large = sizes[0], sizes[-1]
    for command in ("find", "autocomplete"):
        for in_flight in dict.fromkeys(key[3] for key in found):
            base = found.get((database, small, command, in_flight))
            if base is None:
                continue
            for suffix, times in (("", 1.3), (", large", 3.0)):
                grown = found.get((database, large, command + suffix, in_flight))
                if grown is None:
                    continue
                ratio = _share(base) / _share(grown)
                where = f"{command}{suffix} at {in_flight}, {database}, {large:,} heroes"
                yield Goal(f"{where}: {times:g} x the time at {small:,}", f"{ratio:.2f}", ratio <= times)


def _databases(found: dict[Key, dict[str, Cell]]) -> Iterator[Goal]:
    for (database, heroes, command, in_flight), bots in found.items():
        if database != "postgresql" or in_flight != IN_FLIGHT:
            continue
        other = found.get(("sqlite", heroes, command, in_flight))
        if other is not None:
            ratio = _share(bots) / _share(other)
            what = f"{command} at {IN_FLIGHT}, {heroes:,} heroes: PostgreSQL at least SQLite"
            yield Goal(what, f"{ratio:.2f}", ratio >= 1)
