"""The picture of a roster's statistics."""

import asyncio
import os
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Callable
from io import BytesIO
from pathlib import Path

import pytest
from PIL import Image

from bot.images import chart as chart_module
from bot.images.chart import SIZE, chart, draw
from bot.roster.statistics import Statistics
from tests.support.paths import ROOT
from tests.support.statistics import HUGE, NOTHING, ONE, numbers

BACKGROUND = (0x2B, 0x2D, 0x31)


def picture_of(png: bytes) -> Image.Image:
    """The picture, if it is a whole PNG."""
    picture = Image.open(BytesIO(png), formats=["PNG"])
    picture.load()
    return picture.convert("RGB")


def counted_in(picture: Image.Image, wanted: Callable[[tuple[int, ...]], bool]) -> int:
    """How many pixels have a colour like that."""
    raw = iter(picture.tobytes())
    return sum(count * wanted(colour) for colour, count in Counter(zip(raw, raw, raw, strict=True)).items())


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


async def test_without_matplotlib_there_is_no_picture(monkeypatch: pytest.MonkeyPatch) -> None:
    draw(numbers())
    for name in [name for name in sys.modules if name.split(".")[0] == "matplotlib"]:
        monkeypatch.setitem(sys.modules, name, None)

    picture = await chart(numbers())

    assert picture is None


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
        "PYTHONPATH": str(ROOT),
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


async def test_an_empty_roster_has_no_picture() -> None:
    assert await chart(NOTHING) is None
