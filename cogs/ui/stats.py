"""The panel that shows a roster's statistics."""

from datetime import timedelta
from io import BytesIO
from typing import Any, Final

import discord
from discord import ui

from bot.interactions.panel import Panel
from bot.roster.statistics import BANDS, Statistics

_FILE: Final = "stats.png"
_ALT: Final = (
    "Three diagrams: how many heroes there are of each age, how many each of the members with the most "
    "heroes plays, and how many there were over time. The numbers stand in the text."
)
"""Discord takes 256 characters: https://discordpy.readthedocs.io/en/stable/interactions/api.html"""
_TOLD: Final = 5
"""Moments over time that the text tells."""


def stats_panel(statistics: Statistics, picture: bytes | None) -> Panel:
    """Return a roster in numbers, as text and, where there is one, as a picture.

    Args:
        statistics: the numbers.
        picture: a PNG of them as `bot.images.chart` draws it; None leaves the text alone, which says as much.
    """
    if statistics.total == 0:
        return Panel("There are no heroes here yet. Add the first one with `/hero add`.")
    shown: list[ui.Item[Any]] = []
    files: list[discord.File] = []
    if picture is not None:
        shown.append(ui.MediaGallery(discord.MediaGalleryItem(f"attachment://{_FILE}", description=_ALT)))
        files.append(discord.File(BytesIO(picture), _FILE))
    heading = (
        f"## Heroes of this server\n**{_counted(statistics.total, 'hero', 'heroes')}**, "
        f"played by **{_counted(statistics.owners, 'member', 'members')}**."
    )
    return Panel(heading, *shown, _ages(statistics), _prolific(statistics), _growth(statistics), files=files)


def _ages(statistics: Statistics) -> str:
    if statistics.median is None:
        return "**Age in years** unknown for every hero"
    # A median is a whole or a half.
    median = f"{statistics.median:,.1f}".removesuffix(".0")
    bands = (f"{band}: {count:,}" for band, count in zip(BANDS, statistics.bands, strict=True) if count)
    return (
        f"**Age in years** {statistics.youngest:,} to {statistics.oldest:,}, median {median}, "
        f"known for {_counted(statistics.aged, 'hero', 'heroes')}\n{' · '.join(bands)}"
    )


def _prolific(statistics: Statistics) -> str:
    lines = (
        f"{place}. <@{owner_id}> with {_counted(count, 'hero', 'heroes')}"
        for place, (owner_id, count) in enumerate(statistics.prolific, 1)
    )
    return "\n".join(["**Heroes by member**", *lines])


def _growth(statistics: Statistics) -> str:
    growth = statistics.growth
    style = "f" if growth[-1][0] - growth[0][0] < timedelta(weeks=1) else "d"
    places = sorted({round((len(growth) - 1) * step / (_TOLD - 1)) for step in range(_TOLD)})
    told = (growth[place] for place in places)
    return "**Heroes over time**\n" + " · ".join(
        f"{discord.utils.format_dt(moment, style)}: {count:,}" for moment, count in told
    )


def _counted(count: int, one: str, many: str) -> str:
    return f"{count:,} {one if count == 1 else many}"
