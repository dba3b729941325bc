"""The picture of a roster's statistics. matplotlib, which draws it, is an extra and may be missing."""

# matplotlib leaves open what it takes by keyword.
# pyright: reportUnknownMemberType=false

import asyncio
import logging
import os
import sys
from collections.abc import Generator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC
from io import BytesIO
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, Final

from bot.roster.statistics import BANDS, Statistics

if TYPE_CHECKING:
    from matplotlib.axes import Axes

log = logging.getLogger(__name__)

SIZE: Final = (1000, 900)
"""Of the picture, in pixels. Discord shows it about 550 wide, so its text has almost twice the usual size."""

_DPI: Final = 100
# Discord's dark grey, on which the rest has a contrast of at least 3 to 1 (bars) and 7 to 1 (text):
# https://www.w3.org/TR/WCAG21/#contrast-minimum. The hues are Okabe and Ito's for all kinds of colour
# vision: https://jfly.uni-koeln.de/color/
_BACKGROUND: Final = "#2b2d31"
_TEXT: Final = "#f2f3f5"
_GRID: Final = "#4e5058"
_BLUE: Final = "#56b4e9"
_ORANGE: Final = "#e69f00"
_GREY: Final = "#949ba4"
_TITLE_SIZE: Final = 19
_TEXT_SIZE: Final = 16

_drawer: Final = ThreadPoolExecutor(max_workers=1, thread_name_prefix="chart")
"""One picture at a time: they take memory, and Python draws two no sooner than one after the other."""


async def chart(statistics: Statistics) -> bytes | None:
    """Draw statistics, apart from the event loop.

    Returns:
        A PNG as `draw` makes it; None where there are no heroes, or no matplotlib.
    """
    if statistics.total == 0:
        return None
    try:
        return await asyncio.get_running_loop().run_in_executor(_drawer, draw, statistics)
    except ImportError as error:
        log.info("No picture of the statistics: %s", error)
        return None


def draw(statistics: Statistics) -> bytes:
    """Draw ages, heroes over time and the most prolific owners, who are called "1." and so on.

    Returns:
        A PNG of `SIZE`.

    Raises:
        ImportError: matplotlib is missing.
    """
    with _untouched_home():
        from matplotlib.backends.backend_agg import FigureCanvasAgg  # noqa: PLC0415 - an extra, and 45 MB
        from matplotlib.figure import Figure  # noqa: PLC0415
        from matplotlib.layout_engine import ConstrainedLayoutEngine  # noqa: PLC0415

    figure = Figure(
        figsize=(SIZE[0] / _DPI, SIZE[1] / _DPI),
        dpi=_DPI,
        facecolor=_BACKGROUND,
        layout=ConstrainedLayoutEngine(w_pad=0.2, h_pad=0.2),
    )
    grid = figure.add_gridspec(2, 2, height_ratios=(5, 4), width_ratios=(5, 4))
    colours = [_BLUE] * (len(BANDS) - 1) + [_GREY]
    _bars(figure.add_subplot(grid[0, 0]), "Age in years", BANDS, statistics.bands, colours)
    places = [f"{place}." for place in range(1, len(statistics.prolific) + 1)]
    counts = [count for _owner_id, count in statistics.prolific]
    _bars(figure.add_subplot(grid[0, 1]), "Heroes by member", places, counts, [_ORANGE] * len(counts))
    _line(figure.add_subplot(grid[1, :]), "Heroes over time", statistics)
    picture = BytesIO()
    FigureCanvasAgg(figure).print_png(picture)
    return picture.getvalue()


def _bars(
    axes: "Axes", title: str, labels: Sequence[str], counts: Sequence[int], colours: Sequence[str]
) -> None:
    """A bar from the left for each count, the first one on top."""
    _frame(axes, title)
    bars = axes.barh(range(len(labels)), counts, color=colours, height=0.72)
    axes.bar_label(bars, [f"{count:,}" for count in counts], padding=6, color=_TEXT, fontsize=_TEXT_SIZE)
    axes.set_yticks(range(len(labels)), labels)
    axes.tick_params(axis="y", length=0)
    axes.xaxis.set_visible(False)
    # Room for the number at the end of the longest bar, and for five bars also where there are fewer.
    most = max(counts, default=0)
    axes.set_xlim(0, max(most, 1) * (1.1 + 0.06 * len(f"{most:,}")))
    axes.set_ylim(max(len(labels), 5) - 0.5, -0.5)


def _line(axes: "Axes", title: str, statistics: Statistics) -> None:
    """The number of heroes at each moment."""
    from matplotlib.dates import AutoDateLocator, ConciseDateFormatter  # noqa: PLC0415
    from matplotlib.ticker import MaxNLocator, StrMethodFormatter  # noqa: PLC0415

    _frame(axes, title)
    # matplotlib takes moments where it says numbers.
    moments: list[Any] = [moment for moment, _count in statistics.growth]
    counts = [count for _moment, count in statistics.growth]
    axes.fill_between(moments, counts, step="post", color=_BLUE, alpha=0.25, linewidth=0)
    # A single moment has no line.
    axes.plot(
        moments,
        counts,
        drawstyle="steps-post",
        color=_BLUE,
        linewidth=3,
        marker="o" if len(moments) == 1 else "",
        markersize=12,
    )
    dates = AutoDateLocator(tz=UTC, minticks=3, maxticks=7)
    axes.xaxis.set_major_locator(dates)
    axes.xaxis.set_major_formatter(ConciseDateFormatter(dates, tz=UTC))
    # The part of the dates that all of them share.
    axes.xaxis.get_offset_text().set(color=_TEXT, fontsize=_TEXT_SIZE)
    axes.yaxis.set_major_locator(MaxNLocator(nbins=4, integer=True))
    axes.yaxis.set_major_formatter(StrMethodFormatter("{x:,.0f}"))
    axes.grid(axis="y", color=_GRID)
    axes.set_axisbelow(True)
    axes.margins(x=0.01)
    axes.set_ylim(0, max(counts, default=0) * 1.1 + 1)


def _frame(axes: "Axes", title: str) -> None:
    axes.set_facecolor(_BACKGROUND)
    axes.set_title(title, color=_TEXT, fontsize=_TITLE_SIZE, loc="left", pad=14)
    axes.tick_params(colors=_TEXT, labelsize=_TEXT_SIZE)
    for side in ("top", "right", "bottom", "left"):
        axes.spines[side].set_visible(False)


@contextmanager
def _untouched_home() -> Generator[None]:
    """Let matplotlib keep what it keeps in a folder that goes again, unless the operator names one.

    When it is imported it makes folders at home and lists the computer's fonts there, or complains that
    it can't. Without that list it looks through the fonts once a process, in a fraction of a second.
    """
    if "matplotlib" in sys.modules:
        yield
        return
    # It talks about each font it finds.
    logging.getLogger("matplotlib").setLevel(logging.ERROR)
    if "MPLCONFIGDIR" in os.environ:
        yield
        return
    with TemporaryDirectory(prefix="hero-roster-") as folder:
        os.environ["MPLCONFIGDIR"] = folder
        try:
            yield
        finally:
            del os.environ["MPLCONFIGDIR"]
