"""Discord's limits, as the stand-in knows them."""

from collections.abc import Callable
from typing import Any

import pytest

from . import Refused
from .records import COMPONENTS_V2, Json
from .rules import check_choices, check_commands, check_message, check_modal

LIMITS: list[tuple[Json, str]] = [
    ({"type": 10, "content": "x" * 4001}, "content"),
    ({"type": 17, "components": [{"type": 10, "content": "x"}] * 40}, "40 components"),
    ({"type": 17, "components": [{"type": 10, "content": "x" * 2001}] * 2}, "4000 characters"),
    ({"type": 1, "components": [{"type": 2, "style": 1, "label": "x" * 81, "custom_id": "a"}]}, "label"),
    (
        {"type": 1, "components": [{"type": 2, "style": 1, "label": "x", "custom_id": "a"}] * 2},
        "same custom_id",
    ),
    (
        {"type": 1, "components": [{"type": 2, "style": 1, "label": "x", "custom_id": "a" * 101}]},
        "custom_id",
    ),
    ({"type": 1, "components": [{"type": 3, "custom_id": "a", "options": []}]}, "options"),
    ({"type": 9, "components": [{"type": 10, "content": "x"}]}, "accessory"),
    ({"type": 12, "items": [{"media": {"url": "attachment://none.png"}}]}, "not attached"),
]


@pytest.mark.parametrize(("node", "fault"), LIMITS)
def test_components_have_limits(node: Json, fault: str) -> None:
    fine: Json = {"content": "", "flags": COMPONENTS_V2, "components": [{"type": 10, "content": "x"}]}
    check_message(fine, set())
    with pytest.raises(Refused, match=fault):
        check_message({**fine, "components": [node]}, set())
    with pytest.raises(Refused, match="Cannot be used together"):
        check_message({**fine, "content": "x"}, set())


def test_modals_choices_and_commands_have_limits() -> None:
    field: Json = {"type": 18, "label": "Name", "component": {"type": 4, "style": 1, "custom_id": "name"}}
    modal: Json = {"title": "x", "custom_id": "x", "components": [field]}
    check_modal(modal)
    check_choices([{"name": "x", "value": "x"}] * 25)
    command: Json = {"name": "hero", "description": "x"}
    check_commands([command])
    bad: list[tuple[Callable[[Any], None], Any]] = [
        (check_modal, {**modal, "title": "x" * 46}),
        (check_modal, {**modal, "components": [field] * 2}),
        (check_choices, [{"name": "x", "value": "x"}] * 26),
        (check_choices, [{"name": "", "value": "x"}]),
        (check_commands, [command, command]),
        (check_commands, [{**command, "name": "Hero"}]),
        (check_commands, [{**command, "options": [command] * 26}]),
    ]
    for check, payload in bad:
        with pytest.raises(Refused):
            check(payload)
