import asyncio
import itertools
import os
import statistics as python
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image
from sqlalchemy import event

from bot.db.engine import Database
from bot.images import chart as chart_module
from bot.images.chart import SIZE, chart, draw
from bot.interactions.panel import Panel
from bot.roster.adding import add_hero, new_hero
from bot.roster.asker import Asker
from bot.roster.quota import Quota
from bot.roster.removal import remove_hero
from bot.roster.statistics import BANDS, MOMENTS, Statistics, statistics
from bot.roster.vault import Vault
from cogs.ui.stats import stats_panel
from tests.support.world import World, answer_of, assert_public, text_of

BACKGROUND = (0x2B, 0x2D, 0x31)
NOW = datetime(2026, 11, 22, 15, 30, tzinfo=UTC)
BIG = 10**9
SNOWFLAKE = 1_234_567_890_123_456_789

guild_numbers = itertools.count(1)


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


def band_of(age: int | None) -> str:
    """The band that says it holds this age."""
    if age is None:
        return "unknown"
    if age < 10:
        return "under 10"
    spans = [band.split("-") for band in BANDS if "-" in band]
    return next((f"{low}-{high}" for low, high in spans if int(low) <= age <= int(high)), "1,000 and more")


def picture_of(png: bytes) -> Image.Image:
    """The picture, if it is a whole PNG."""
    picture = Image.open(BytesIO(png), formats=["PNG"])
    picture.load()
    return picture.convert("RGB")


def counted_in(picture: Image.Image, wanted: Callable[[tuple[int, ...]], bool]) -> int:
    """How many pixels have a colour like that."""
    raw = iter(picture.tobytes())
    return sum(count * wanted(colour) for colour, count in Counter(zip(raw, raw, raw, strict=True)).items())


def texts_of(panel: Panel) -> str:
    """All that one reads in a panel."""
    return "\n".join(item["content"] for item in shown_in(panel) if "content" in item)


def shown_in(panel: Panel) -> list[dict[str, Any]]:
    (container,) = panel.to_components()
    found: list[dict[str, Any]] = container["components"]
    return found


heroes = st.lists(
    st.tuples(
        st.sampled_from(["here", "here", "here", "elsewhere", "removed"]),
        st.integers(1, 7).map(lambda owner: SNOWFLAKE + owner),
        st.none()
        | st.integers(0, 120)
        | st.sampled_from([0, 9, 10, 19, 20, 59, 60, 99, 100, 999, 1000, 1_000_000]),
        st.timedeltas(timedelta(0), timedelta(days=900)),
    ),
    max_size=25,
)


@given(heroes)
@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
async def test_the_numbers_are_those_of_the_heroes_that_are_there(
    db: Database, heroes: list[tuple[str, int, int | None, timedelta]]
) -> None:
    guild_id, elsewhere = next(guild_numbers), next(guild_numbers)
    async with db.write() as session:
        for number, (where, owner_id, age, before) in enumerate(heroes):
            hero = await add_hero(
                session,
                new_hero(
                    guild_id=elsewhere if where == "elsewhere" else guild_id,
                    owner_id=owner_id,
                    vault=Vault(),
                    name=f"Hero {number}",
                    secret_name="x",
                    age=age,
                    now=NOW - before,
                ),
                Quota(1_000, 1_000),
            )
            if where == "removed":
                asker = Asker(owner_id, keeper=False)
                await remove_hero(session, guild_id=guild_id, hero_id=hero.id, asker=asker, now=NOW)
    present = [(owner_id, age, NOW - before) for where, owner_id, age, before in heroes if where == "here"]

    async with db.read() as session:
        counted = await statistics(session, guild_id=guild_id, now=NOW)

    owners = Counter(owner_id for owner_id, _age, _added in present)
    ages = [age for _owner, age, _added in present if age is not None]
    bands = Counter(band_of(age) for _owner, age, _added in present)
    added = sorted(moment for _owner, _age, moment in present)
    assert counted.total == len(present)
    assert counted.owners == len(owners)
    assert counted.aged == len(ages)
    assert counted.youngest == min(ages, default=None)
    assert counted.oldest == max(ages, default=None)
    assert counted.median == (python.median(ages) if ages else None)
    assert counted.bands == tuple(bands[band] for band in BANDS)
    assert list(counted.prolific) == sorted(owners.items(), key=lambda item: (-item[1], item[0]))[:5]
    moments = [moment for moment, _count in counted.growth]
    assert [count for _moment, count in counted.growth] == [
        sum(moment <= until for moment in added) for until in moments
    ]
    assert moments[:1] == added[:1]
    assert moments[-1:] == [NOW] * bool(present)
    steps = [later - earlier for earlier, later in itertools.pairwise(moments)]
    assert not steps or max(steps) - min(steps) <= timedelta(microseconds=2)


async def add(db: Database, *added: datetime) -> None:
    async with db.write() as session:
        for number, moment in enumerate(added):
            await add_hero(
                session,
                new_hero(
                    guild_id=1,
                    owner_id=2,
                    vault=Vault(),
                    name=f"Hero {number}",
                    secret_name="x",
                    now=moment,
                ),
                Quota(),
            )


async def test_a_time_without_new_heroes_shows_as_one(db: Database) -> None:
    start = NOW - timedelta(days=(MOMENTS - 1) * 10)
    await add(db, start, start + timedelta(days=10), NOW - timedelta(days=10, microseconds=-1), NOW)

    async with db.read() as session:
        counted = await statistics(session, guild_id=1, now=NOW)

    assert [count for _moment, count in counted.growth] == [1, *[2] * (MOMENTS - 2), 4]
    assert counted.growth[1][0] == start + timedelta(days=10)


async def test_a_clock_that_is_behind_loses_no_hero(db: Database) -> None:
    await add(db, NOW - timedelta(hours=2), NOW)

    async with db.read() as session:
        at_start = await statistics(session, guild_id=1, now=NOW - timedelta(hours=3))
        in_between = await statistics(session, guild_id=1, now=NOW - timedelta(hours=1))

    assert at_start.growth == ((NOW - timedelta(hours=2), 2),)
    assert [count for _moment, count in in_between.growth] == [*[1] * (MOMENTS - 1), 2]


async def test_a_few_statements_count_a_roster_of_any_size(db: Database) -> None:
    await add(db, *(NOW - timedelta(hours=number) for number in range(40)))
    statements: list[str] = []

    def noted(_connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        statements.append(statement)

    event.listen(db.engine.sync_engine, "before_cursor_execute", noted)
    async with db.read() as session:
        await statistics(session, guild_id=1, now=NOW)

    assert len(statements) == 5
    assert all("guild_id =" in statement for statement in statements)


@pytest.mark.parametrize("roster", [numbers(), NOTHING, ONE, HUGE], ids=["some", "nothing", "one", "huge"])
def test_the_picture_is_whole_dark_and_light_to_send(roster: Statistics) -> None:
    png = draw(roster)

    picture = picture_of(png)
    assert picture.size == SIZE == (1000, 900)
    assert len(png) < 200_000
    # Nothing is cut off where the picture ends.
    width, height = picture.size
    edges = [
        (0, 0, width, 4),
        (0, height - 4, width, height),
        (0, 0, 4, height),
        (width - 4, 0, width, height),
    ]
    assert [picture.crop(edge).getcolors() for edge in edges] == [
        [((right - left) * (low - top), BACKGROUND)] for left, top, right, low in edges
    ]
    # Most of it is background, and there is text on it that stands out.
    assert counted_in(picture, lambda colour: colour == BACKGROUND) > width * height / 3
    assert counted_in(picture, lambda colour: min(colour) > 230) > 1000


def test_longer_bars_stand_for_more_heroes() -> None:
    def coloured(roster: Statistics) -> int:
        return counted_in(picture_of(draw(roster)), lambda colour: colour[0] > 200 and colour[2] < 60)

    few = coloured(numbers(prolific=((1, 20), (2, 1))))
    many = coloured(numbers(prolific=((1, 20), (2, 19))))

    assert few * 1.6 < many < few * 2


async def test_pictures_are_drawn_one_at_a_time_apart_from_the_event_loop(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    running: list[int] = []
    most: list[int] = []

    def watched(roster: Statistics) -> bytes:
        running.append(threading.get_ident())
        most.append(len(running))
        png = draw(roster)
        running.pop()
        assert threading.current_thread() is not threading.main_thread()
        return png

    monkeypatch.setattr(chart_module, "draw", watched)

    pictures = await asyncio.gather(*(chart(numbers()) for _ in range(3)))

    assert most == [1, 1, 1]
    assert pictures[0] is not None
    assert picture_of(pictures[0]).size == SIZE


async def test_without_matplotlib_the_text_stands_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    draw(numbers())
    for name in [name for name in sys.modules if name.split(".")[0] == "matplotlib"]:
        monkeypatch.setitem(sys.modules, name, None)

    picture = await chart(numbers())

    assert picture is None
    panel = stats_panel(numbers(), picture)
    assert panel.files == []
    assert [item["type"] for item in shown_in(panel)] == [10] * 4


def test_drawing_leaves_nothing_at_home_and_says_nothing(tmp_path: Path) -> None:
    code = (
        "import datetime, logging; logging.basicConfig(level=logging.DEBUG)\n"
        "from bot.images.chart import draw; from bot.roster.statistics import Statistics\n"
        f"draw({numbers()!r})"
    )
    home, temporary = tmp_path / "home", tmp_path / "tmp"
    home.mkdir()
    temporary.mkdir()
    environment = {
        name: value for name, value in os.environ.items() if not name.startswith(("MPL", "XDG", "PY"))
    }
    environment |= {
        "HOME": str(home),
        "TMPDIR": str(temporary),
        "PYTHONPATH": str(Path(__file__).parents[1]),
        "PYTHONDONTWRITEBYTECODE": "1",
    }

    done = subprocess.run(
        [sys.executable, "-c", code],
        env=environment,
        cwd=tmp_path,
        check=True,
        capture_output=True,
        text=True,
        timeout=60,
    )

    assert "matplotlib" not in done.stdout + done.stderr
    assert list(home.iterdir()) == []
    assert list(temporary.iterdir()) == []


def test_the_text_has_the_numbers() -> None:
    roster = numbers()

    text = texts_of(stats_panel(roster, None))

    assert text.startswith("## ")
    assert "**60 heroes**, played by **21 members**" in text
    assert "3 to 987,654, median 27.5, known for 54 heroes" in text
    for band, count in zip(BANDS, roster.bands, strict=True):
        assert f"{band}: {count}" in text
    for place, (owner_id, count) in enumerate(roster.prolific, 1):
        assert f"{place}. <@{owner_id}> with {count} hero" in text
    first, last = roster.growth[0][0], roster.growth[-1][0]
    assert f"<t:{int(first.timestamp())}:d>: 1 · " in text
    assert text.endswith(f"<t:{int(last.timestamp())}:d>: 60")


def test_one_hero_is_told_in_the_singular() -> None:
    text = texts_of(stats_panel(ONE, None))

    assert "**1 hero**, played by **1 member**" in text
    assert f"1. <@{SNOWFLAKE}> with 1 hero\n" in text
    assert "unknown" in text
    assert "None" not in text
    assert text.count("<t:") == 1


def test_an_even_median_has_no_fraction() -> None:
    assert "median 1,024," in texts_of(stats_panel(numbers(median=1024.0), None))


@pytest.mark.parametrize("roster", [numbers(), ONE, HUGE])
def test_a_panel_stays_within_discords_limits(roster: Statistics) -> None:
    panel = stats_panel(roster, b"a picture")

    assert panel.content_length() < 4000
    assert panel.total_children_count <= 40
    (gallery,) = [item for item in shown_in(panel) if item["type"] == 12]
    (picture,) = gallery["items"]
    (file,) = panel.files
    assert picture["media"]["url"] == file.uri == "attachment://stats.png"
    assert file.fp.read() == b"a picture"
    assert 20 < len(picture["description"]) <= 256


async def test_an_empty_roster_says_how_to_add_the_first_hero() -> None:
    picture = await chart(NOTHING)
    panel = stats_panel(NOTHING, picture)

    assert picture is None
    assert panel.files == []
    assert "`/hero add`" in texts_of(panel)


async def test_members_see_the_numbers_and_the_picture(world: World) -> None:
    empty = await world.bob.slash(world.channel, "hero stats")
    assert "/hero add" in text_of(empty)
    for n in range(3):
        await world.add(world.alice, f"Hero {n}", age=10 * n)

    shown = await world.bob.slash(world.channel, "hero stats")

    assert_public(shown)
    assert "3" in text_of(shown)
    assert world.alice.mention in text_of(shown)
    assert [file.filename for file in answer_of(shown).attachments] == ["stats.png"]
