"""A roster in numbers, counted by the database."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import accumulate
from typing import Any, Final

from sqlalchemy import ColumnElement, SQLColumnExpression, case
from sqlmodel import col, func, select
from sqlmodel.ext.asyncio.session import AsyncSession

from bot.db.models import Hero
from bot.roster.heroes import present

BANDS: Final = (
    "under 10",
    "10-19",
    "20-29",
    "30-39",
    "40-49",
    "50-59",
    "60-99",
    "100-999",
    "1,000 and more",
    "unknown",
)
"""The bands by which ages are counted, in years. Some heroes are gods."""
MOMENTS: Final = 60
"""Moments at which the heroes are counted, from the first hero to now."""
MAX_PROLIFIC: Final = 5
"""Owners with the most heroes that are named."""

_BAND_LASTS: Final = (9, 19, 29, 39, 49, 59, 99, 999)
"""The greatest age in each band but the last two."""


@dataclass(frozen=True, slots=True)
class Statistics:
    """The heroes in a roster, counted.

    Args:
        total: how many there are; removed ones are not.
        owners: how many members play them.
        aged: how many have a known age.
        youngest: the least age in years, None where none is known.
        oldest: the greatest one.
        median: the middle one, or half-way between the two in the middle.
        bands: how many heroes each of `BANDS` holds, in that order.
        growth: how many of them there were at each of up to `MOMENTS` moments, evenly spaced; empty where
            there are none.
        prolific: the snowflakes of up to `MAX_PROLIFIC` owners and how many heroes each plays, the most
            first.
    """

    total: int
    owners: int
    aged: int
    youngest: int | None
    oldest: int | None
    median: float | None
    bands: tuple[int, ...]
    growth: tuple[tuple[datetime, int], ...]
    prolific: tuple[tuple[int, int], ...]


async def statistics(session: AsyncSession, guild_id: int, now: datetime) -> Statistics:
    """Count the heroes of a guild.

    Args:
        session: one that reads.
        guild_id: the guild's snowflake.
        now: the present moment, where the growth ends.
    """
    totals = select(func.count(), func.count(col(Hero.owner_id).distinct()), func.min(Hero.created_at))
    total, owners, first = (await session.exec(totals.where(present(guild_id)))).one()
    aged, youngest, oldest, median = await _ages(session, guild_id)
    band = case((col(Hero.age).is_(None), len(BANDS) - 1), else_=_place(col(Hero.age), _BAND_LASTS))
    bands = await _grouped(session, guild_id, band)
    return Statistics(
        total=total,
        owners=owners,
        aged=aged,
        youngest=youngest,
        oldest=oldest,
        median=median,
        bands=tuple(bands.get(number, 0) for number in range(len(BANDS))),
        growth=await _growth(session, guild_id, total, first, now) if total else (),
        prolific=await _prolific(session, guild_id),
    )


async def _ages(session: AsyncSession, guild_id: int) -> tuple[int, int | None, int | None, float | None]:
    # SQLite has no percentile_cont; numbering the rows works on both.
    rows = (
        select(
            col(Hero.age),
            func.row_number().over(order_by=col(Hero.age)).label("place"),
            func.count().over().label("aged"),
        )
        .where(present(guild_id), col(Hero.age).is_not(None))
        .subquery()
    )
    age, place, aged = rows.c.age, rows.c.place, rows.c.aged
    middle = (place * 2).between(aged, aged + 2)
    query = select(func.count(), func.min(age), func.max(age), func.avg(age).filter(middle)).select_from(rows)
    known, youngest, oldest, median = (await session.exec(query)).one()
    return known, youngest, oldest, None if median is None else float(median)


async def _growth(
    session: AsyncSession, guild_id: int, total: int, first: datetime, now: datetime
) -> tuple[tuple[datetime, int], ...]:
    if now <= first:
        return ((first, total),)
    # Made here: how a database cuts dates differs, also by PostgreSQL's time zone.
    moments = [first + (now - first) * number / (MOMENTS - 1) for number in range(MOMENTS)]
    # If another clock is ahead of ours, its heroes count at the last moment.
    added = await _grouped(session, guild_id, _place(col(Hero.created_at), moments[:-1]))
    counts = accumulate(added.get(number, 0) for number in range(MOMENTS))
    return tuple(zip(moments, counts, strict=True))


async def _prolific(session: AsyncSession, guild_id: int) -> tuple[tuple[int, int], ...]:
    heroes = func.count()
    query = (
        select(Hero.owner_id, heroes)
        .where(present(guild_id))
        .group_by(col(Hero.owner_id))
        .order_by(heroes.desc(), col(Hero.owner_id))
        .limit(MAX_PROLIFIC)
    )
    return tuple((owner_id, count) for owner_id, count in (await session.exec(query)).all())


def _place(value: SQLColumnExpression[Any], lasts: Sequence[Any]) -> ColumnElement[int]:
    """Return the place, from 0, of the first of the ascending `lasts` that is at least `value`."""
    return case(*((value <= last, number) for number, last in enumerate(lasts)), else_=len(lasts))


async def _grouped(session: AsyncSession, guild_id: int, group: ColumnElement[int]) -> dict[int, int]:
    """Return how many heroes are in each group that has any."""
    # By its name: PostgreSQL takes two copies of an expression with parameters for two expressions.
    query = select(group.label("place"), func.count()).where(present(guild_id)).group_by("place")
    return dict((await session.exec(query)).all())
