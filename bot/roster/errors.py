"""What a member can run into. Each carries the sentence that the member reads."""

from collections.abc import Sequence

from bot.text import quote


class RosterError(Exception):
    """Something a member asked for can't be done.

    Args:
        sentence: what was wrong and what to do next, ready to be shown: typed text in it is escaped.
    """

    def __init__(self, sentence: str) -> None:
        super().__init__(sentence)
        self.sentence = sentence


class InvalidHeroError(RosterError):
    """A field of a hero holds what it may not."""


class NameTakenError(RosterError):
    """Another hero of the guild has that name."""

    def __init__(self, name: str, owner_id: int) -> None:
        super().__init__(
            f"The name {quote(name)} is taken: <@{owner_id}> plays that hero. Please choose another name."
        )


class HeroNotFoundError(RosterError):
    """No hero of the guild has that name.

    Args:
        name: what the member typed.
        near: names that come close to it, best first.
    """

    def __init__(self, name: str, near: Sequence[str] = ()) -> None:
        self.near = near
        self.unknown = f"No hero here is called {quote(name)}"
        super().__init__(
            f"{self.unknown}. Did you mean {_any_of(near)}?"
            if near
            else f"{self.unknown}, and no name comes close. You can add one with `/hero add`."
        )


def _any_of(names: Sequence[str]) -> str:
    *others, last = [quote(name) for name in names]
    return f"{', '.join(others)} or {last}" if others else last


class HeroGoneError(RosterError):
    """The hero that a button or menu belongs to is not in the roster any more."""

    def __init__(self) -> None:
        super().__init__("That hero is no longer in this server's roster.")


class NotYoursError(RosterError):
    """Only the owner of the hero may do that."""
