"""The chart of a roster's statistics. It needs matplotlib, an extra that may not be installed."""

# matplotlib does not type its keyword arguments.
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
"""Width and height in pixels. Discord shows a chart about 550 wide, so its text is almost twice as large as
usual."""

_DPI: Final = 100
# Discord's dark grey. Bars have a contrast of at least 3 to 1 with it, and text of at least 7 to 1:
# https://www.w3.org/TR/WCAG21/#contrast-minimum. The hues are from Okabe and Ito's palette for all kinds of
# colour vision: https://jfly.uni-koeln.de/color/
_BACKGROUND: Final = "#2b2d31"
_TEXT: Final = "#f2f3f5"
_GRID: Final = "#4e5058"
_BLUE: Final = "#56b4e9"
_ORANGE: Final = "#e69f00"
_GREY: Final = "#949ba4"
_TITLE_SIZE: Final = 19
_TEXT_SIZE: Final = 16
_MIN_ROWS: Final = 5
"""Rows that a bar chart has room for, so that few bars are no thicker than many."""

_executor: Final = ThreadPoolExecutor(max_workers=1, thread_name_prefix="chart")
"""One thread, since charts need memory, and the interpreter lock makes two at once no faster."""


async def chart(statistics: Statistics) -> bytes | None:
    """Draw statistics off the event loop.

    Returns:
        A PNG, as `draw` returns it; None if there are no heroes or matplotlib is not installed.
    """
    if statistics.total == 0:
        return None
    try:
        return await asyncio.get_running_loop().run_in_executor(_executor, draw, statistics)
    except ImportError as error:
        log.info("No chart of the statistics: %s", error)
        return None


def draw(statistics: Statistics) -> bytes:
    """Draw ages, heroes over time, and the most prolific owners, each named by rank: "1.", "2." and so on.

    Returns:
        A PNG of `SIZE`.

    Raises:
        ImportError: matplotlib is not installed.
    """
    with _temporary_config_dir():
        from matplotlib.backends.backend_agg import FigureCanvasAgg  # noqa: PLC0415 - an extra of 45 MB
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
    ranks = [f"{rank}." for rank in range(1, len(statistics.prolific) + 1)]
    counts = [count for _owner_id, count in statistics.prolific]
    _bars(figure.add_subplot(grid[0, 1]), "Heroes by member", ranks, counts, [_ORANGE] * len(counts))
    _line(figure.add_subplot(grid[1, :]), "Heroes over time", statistics)
    png = BytesIO()
    FigureCanvasAgg(figure).print_png(png)
    return png.getvalue()


def _bars(
    axes: "Axes", title: str, labels: Sequence[str], counts: Sequence[int], colours: Sequence[str]
) -> None:
    """Draw horizontal bars, the first one on top."""
    _frame(axes, title)
    bars = axes.barh(range(len(labels)), counts, color=colours, height=0.72)
    axes.bar_label(bars, [f"{count:,}" for count in counts], padding=6, color=_TEXT, fontsize=_TEXT_SIZE)
    axes.set_yticks(range(len(labels)), labels)
    axes.tick_params(axis="y", length=0)
    axes.xaxis.set_visible(False)
    # The number behind the longest bar needs room.
    longest = max(counts, default=0)
    axes.set_xlim(0, max(longest, 1) * (1.1 + 0.06 * len(f"{longest:,}")))
    axes.set_ylim(max(len(labels), _MIN_ROWS) - 0.5, -0.5)


def _line(axes: "Axes", title: str, statistics: Statistics) -> None:
    """Draw the number of heroes at each moment."""
    from matplotlib.dates import AutoDateLocator, ConciseDateFormatter  # noqa: PLC0415
    from matplotlib.ticker import MaxNLocator, StrMethodFormatter  # noqa: PLC0415

    _frame(axes, title)
    # matplotlib accepts moments where its types ask for numbers.
    moments: list[Any] = [moment for moment, _count in statistics.growth]
    counts = [count for _moment, count in statistics.growth]
    axes.fill_between(moments, counts, step="post", color=_BLUE, alpha=0.25, linewidth=0)
    # A single moment makes no line, so it is drawn as a dot.
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
    # The part that all dates share, such as the year.
    axes.xaxis.get_offset_text().set(color=_TEXT, fontsize=_TEXT_SIZE)
    axes.yaxis.set_major_locator(MaxNLocator(nbins=4, integer=True))
    axes.yaxis.set_major_formatter(StrMethodFormatter("{x:,.0f}"))
    axes.grid(axis="y", color=_GRID)
    axes.set_axisbelow(True)
    axes.margins(x=0.01)
    axes.set_ylim(0, max(counts, default=0) * 1.1 + 1)


def _frame(axes: "Axes", title: str) -> None:
    """Set the background, the title and the look of the labels, and hide the border."""
    axes.set_facecolor(_BACKGROUND)
    axes.set_title(title, color=_TEXT, fontsize=_TITLE_SIZE, loc="left", pad=14)
    axes.tick_params(colors=_TEXT, labelsize=_TEXT_SIZE)
    for side in ("top", "right", "bottom", "left"):
        axes.spines[side].set_visible(False)


@contextmanager
def _temporary_config_dir() -> Generator[None]:
    """Import matplotlib with a temporary folder for its files, unless the operator sets MPLCONFIGDIR.

    The import creates folders in the home directory and writes a cache of fonts there, or logs a warning if
    that is impossible. Without the cache matplotlib searches the fonts once a process, in a fraction of a
    second: https://matplotlib.org/stable/install/environment_variables_faq.html
    """
    if "matplotlib" in sys.modules:
        yield
        return
    # matplotlib logs each font it finds.
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
