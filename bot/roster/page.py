"""Pages of a long list."""

from dataclasses import dataclass
from typing import Generic, TypeVar

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """One page of something.

    Args:
        items: the items on it.
        number: which page it is, from 1.
        pages: how many there are, at least 1.
        total: how many items there are on all of them.
    """

    items: list[T]
    number: int
    pages: int
    total: int


def page_of(total: int, asked: int, size: int) -> tuple[int, int, int]:
    """Return where a page begins.

    Args:
        total: how many items there are.
        asked: the page that is asked for, any number: items may have been deleted meanwhile.
        size: how many items a page holds.

    Returns:
        The nearest page there is, how many pages there are, and how many items come before it.
    """
    pages = max(1, -(-total // size))
    number = min(max(asked, 1), pages)
    return number, pages, (number - 1) * size
