"""Statistics of rosters: one that has a bit of everything, and extremes."""

from datetime import UTC, datetime, timedelta
from typing import Any

from bot.roster.statistics import BANDS, MOMENTS, Statistics

NOW = datetime(2026, 11, 22, 15, 30, tzinfo=UTC)
BIG = 10**9
SNOWFLAKE = 1_234_567_890_123_456_789


def numbers(**changes: Any) -> Statistics:
    """Statistics of a roster that has a bit of everything."""
    moments = [NOW - timedelta(days=10) * (MOMENTS - 1 - number) for number in range(MOMENTS)]
    values: dict[str, Any] = {
        "total": 60,
        "owners": 21,
        "aged": 54,
        "youngest": 3,
        "oldest": 987_654,
        "median": 27.5,
        "bands": (3, 8, 14, 10, 5, 2, 7, 1, 4, 6),
        "growth": tuple((moment, number + 1) for number, moment in enumerate(moments)),
        "prolific": ((SNOWFLAKE, 17), (22, 11), (33, 9), (44, 4), (55, 1)),
        **changes,
    }
    return Statistics(**values)


NOTHING = numbers(
    total=0,
    owners=0,
    aged=0,
    youngest=None,
    oldest=None,
    median=None,
    bands=(0,) * len(BANDS),
    growth=(),
    prolific=(),
)
ONE = numbers(
    total=1,
    owners=1,
    aged=0,
    youngest=None,
    oldest=None,
    median=None,
    bands=(*[0] * (len(BANDS) - 1), 1),
    growth=((NOW, 1),),
    prolific=((SNOWFLAKE, 1),),
)
HUGE = numbers(
    total=BIG,
    owners=BIG,
    aged=BIG,
    bands=(BIG,) * len(BANDS),
    growth=tuple((NOW + timedelta(seconds=number), BIG) for number in range(MOMENTS)),
    prolific=tuple((SNOWFLAKE + number, BIG) for number in range(5)),
)
