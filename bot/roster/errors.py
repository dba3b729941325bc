"""The errors that a member can run into.

An error carries a key and facts, and no words: `bot.interactions.sentences` makes the sentence where it is
shown.
"""

from collections.abc import Sequence
from enum import StrEnum, auto
from typing import Any


class Refusal(StrEnum):
    """The reason why something is impossible. The comments name the facts that come with it."""

    # name, owner
    NAME_TAKEN = auto()
    # name
    NOT_FOUND = auto()
    # name, near
    NOT_FOUND_BUT_NEAR = auto()
    HERO_GONE = auto()
    EMPTY_ROSTER = auto()
    # owner
    NOT_YOURS = auto()
    NOT_YOURS_NOR_A_KEEPER = auto()
    STALE_EDIT = auto()
    SECRET_NOT_YOURS_TO_CHANGE = auto()
    # owner
    SECRET_NOT_FOR_YOU = auto()
    # name
    KNOWS_OWN_SECRET = auto()
    # member, name
    TRUSTED_ALREADY = auto()
    NOT_TRUSTED = auto()
    # most
    TOO_MANY_CONFIDANTS = auto()
    # owner, receiver
    OFFER_FOR_SOMEBODY_ELSE = auto()
    # owner
    OFFER_LAPSED = auto()
    # name
    CHANGED_HANDS = auto()
    # name, owner
    CLAIMED_BY_ANOTHER = auto()
    # name
    IN_THE_ROSTER = auto()
    # name, days
    NOT_REMOVED = auto()
    # seconds
    TOO_MANY_CHANGES = auto()
    # owner, heroes
    TOO_MANY_HEROES = auto()
    # field
    HIDDEN_CHARACTERS = auto()
    HIDDEN_IN_DESCRIPTION = auto()
    NOTHING_VISIBLE = auto()
    # field, most, length
    TOO_LONG = auto()
    # most
    AGE_OUT_OF_RANGE = auto()
    UNREADABLE_PICTURE = auto()
    # most
    TOO_MANY_MEBIBYTES = auto()
    TOO_MANY_MEGAPIXELS = auto()


class RosterError(Exception):
    """Something a member asked for is impossible.

    Args:
        key: the reason.
        facts: the facts that the sentence needs: typed text as it was typed, members by their snowflakes.
    """

    def __init__(self, key: Refusal, **facts: Any) -> None:
        super().__init__(key)
        self.key = key
        self.facts = facts


class InvalidHeroError(RosterError):
    """A field of a hero holds what it may not."""


class NameTakenError(RosterError):
    """Another hero of the guild has that name."""

    def __init__(self, name: str, owner_id: int) -> None:
        super().__init__(Refusal.NAME_TAKEN, name=name, owner=owner_id)


class HeroNotFoundError(RosterError):
    """No hero of the guild has that name.

    Args:
        name: what the member typed.
        near: names that come close to it, best first.
    """

    def __init__(self, name: str, near: Sequence[str] = ()) -> None:
        if near:
            super().__init__(Refusal.NOT_FOUND_BUT_NEAR, name=name, near=near)
        else:
            super().__init__(Refusal.NOT_FOUND, name=name)
        self.name = name
        self.near = near


class HeroGoneError(RosterError):
    """The hero that a button or menu belongs to is not in the roster any more."""

    def __init__(self) -> None:
        super().__init__(Refusal.HERO_GONE)


class NotYoursError(RosterError):
    """The asker lacks the right to do that with this hero."""
