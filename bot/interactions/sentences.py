"""The sentence for each refusal of the roster: what was wrong, and what to do next."""

from collections.abc import Callable, Sequence
from typing import Any, Final

from bot.roster.errors import Refusal, RosterError
from bot.text import quote

SENTENCES: Final[dict[Refusal, str]] = {
    Refusal.NAME_TAKEN: "The name {name} is taken: {owner} plays that hero. Please choose another name.",
    Refusal.NOT_FOUND: (
        "No hero here is called {name}, and no name comes close. You can add one with `/hero add`."
    ),
    Refusal.NOT_FOUND_BUT_NEAR: "No hero here is called {name}. Did you mean {near}?",
    Refusal.HERO_GONE: "That hero is no longer in this server's roster.",
    Refusal.EMPTY_ROSTER: "There are no heroes here yet. Add the first one with `/hero add`.",
    Refusal.NOT_YOURS: "Only {owner}, who plays this hero, can do that.",
    Refusal.NOT_YOURS_NOR_A_KEEPER: (
        "Only {owner}, who plays this hero, and members who may manage this server can do that."
    ),
    Refusal.STALE_EDIT: "Somebody changed this hero while you were writing, so nothing was saved.",
    Refusal.SECRET_NOT_YOURS_TO_CHANGE: (
        "Only the hero's owner, and whom they trust with it, can change the secret."
    ),
    Refusal.SECRET_NOT_FOR_YOU: (
        "This secret identity is known to {owner}, the hero's owner, and whom they trust. "
        "You could ask them nicely."
    ),
    Refusal.KNOWS_OWN_SECRET: "{name} is yours: you know its secret identity anyway.",
    Refusal.TRUSTED_ALREADY: "{member} is trusted with {name} already.",
    Refusal.NOT_TRUSTED: "{member} is not among those you trust with {name}.",
    Refusal.TOO_MANY_CONFIDANTS: (
        "{most} members know this secret already, which is as many as can. `/hero unconfide` makes room."
    ),
    Refusal.OFFER_FOR_SOMEBODY_ELSE: (
        "This offer is for {receiver} to accept. {owner} can withdraw it with Decline."
    ),
    Refusal.OFFER_LAPSED: "This offer has lapsed. {owner} can make it again with `/hero transfer`.",
    Refusal.CHANGED_HANDS: "{name} has changed hands since this offer was made.",
    Refusal.CLAIMED_BY_ANOTHER: "Somebody was faster: {owner} plays {name} now.",
    Refusal.IN_THE_ROSTER: "{name} is in the roster already. `/hero find` shows its card.",
    Refusal.NOT_REMOVED: "No hero called {name} was removed in the last {days} days that you could restore.",
    Refusal.TOO_MANY_CHANGES: "That is a lot at once. Please go on in {seconds}.",
    Refusal.TOO_MANY_HEROES: (
        "{owner} has {heroes} heroes here, which is as many as one member may have. "
        "`/hero remove` or `/hero transfer` makes room."
    ),
    Refusal.HIDDEN_CHARACTERS: (
        "{field} can't hold line breaks or invisible characters. Please type it as one plain line."
    ),
    Refusal.HIDDEN_IN_DESCRIPTION: (
        "A description can't hold invisible control characters. Please type it as plain text."
    ),
    Refusal.NOTHING_VISIBLE: "{field} needs at least one visible character. Please type one.",
    Refusal.TOO_LONG: "{field} can have at most {most} characters; this has {length}. Please shorten it.",
    Refusal.AGE_OUT_OF_RANGE: (
        "An age is a whole number from 0 to {most}. Please correct it, or leave it out."
    ),
    Refusal.UNREADABLE_PICTURE: (
        "This is not a picture that I can read. Please send a PNG, JPEG, WebP or GIF."
    ),
    Refusal.TOO_MANY_MEBIBYTES: (
        "A picture can have at most {most} MiB. Please send a smaller file, for example as a JPEG."
    ),
    Refusal.TOO_MANY_MEGAPIXELS: ("A picture can have at most {most} megapixels. Please send a smaller one."),
}

_FIELDS: Final = {
    "name": "A hero's name",
    "secret_name": "A secret identity",
    "description": "A description",
}


def sentence_of(error: RosterError) -> str:
    """Return the sentence for the member who ran into it, ready to be shown: typed text in it is escaped."""
    facts = {fact: _SHOWN.get(fact, _number)(value) for fact, value in error.facts.items()}
    return SENTENCES[error.key].format_map(facts)


def _number(value: int) -> str:
    return f"{value:,}"


def _mention(user_id: int) -> str:
    return f"<@{user_id}>"


def _any_of(names: Sequence[str]) -> str:
    *others, last = [quote(name) for name in names]
    return f"{', '.join(others)} or {last}" if others else last


def _seconds(count: int) -> str:
    return "1 second" if count == 1 else f"{count:,} seconds"


_SHOWN: Final[dict[str, Callable[[Any], str]]] = {
    "name": quote,
    "near": _any_of,
    "owner": _mention,
    "receiver": _mention,
    "member": _mention,
    "field": _FIELDS.__getitem__,
    "seconds": _seconds,
}
"""The function that shows each fact; a fact that is not here is a number."""
