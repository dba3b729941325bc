"""A progress bar for long commands."""

from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import TypeAlias

Progress: TypeAlias = Callable[[int, int], None]
"""Takes the amount that is done and the whole amount."""


@contextmanager
def progress_bar(work: str) -> Generator[Progress]:
    """Show a bar on standard error during the block; yield the function that moves it."""
    from rich.console import Console  # noqa: PLC0415 - 3 MB that the bot never needs
    from rich.progress import Progress as Bars  # noqa: PLC0415

    with Bars(console=Console(stderr=True)) as bars:
        task = bars.add_task(work, total=None)
        yield lambda done, total: bars.update(task, completed=done, total=total)
