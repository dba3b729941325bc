"""Forms as Discord is told of them, and what comes back from them."""

import re
from typing import Any

from bot.interactions.form import Form, typed_in


class AgeForm(Form):
    """Asks for an age."""

    template = re.compile("age")

    def __init__(self) -> None:
        super().__init__(title="Age", custom_id="age")
        self.add_text("age", "How old?", value="30", hint="In years.", most=9, required=False)
        self.add_text("why", "Why?", most=100, paragraph=True)


async def test_a_form_tells_discord_its_fields_with_what_stands_in_them() -> None:
    shown: dict[str, Any] = AgeForm().to_dict()

    assert (shown["title"], shown["custom_id"]) == ("Age", "age")
    first, second = shown["components"]
    assert (first["label"], first["description"]) == ("How old?", "In years.")
    age, why = first["component"], second["component"]
    assert (age["custom_id"], age["value"], age["max_length"], age["required"]) == ("age", "30", 9, False)
    assert (why["custom_id"], why.get("value"), why["max_length"], why["required"]) == (
        "why",
        None,
        100,
        True,
    )
    assert (age["style"], why["style"]) == (1, 2)


async def test_a_form_is_not_waited_for() -> None:
    form = AgeForm()

    assert form.is_finished()
    assert form.timeout is None


def test_what_was_typed_is_read_wherever_it_stands() -> None:
    in_label = {"type": 18, "component": {"type": 4, "custom_id": "age", "value": "30"}}
    in_row = {"type": 1, "components": [{"type": 4, "custom_id": "why", "value": ""}]}
    no_text = {"type": 18, "component": {"type": 3, "custom_id": "menu", "values": ["x"]}}

    assert typed_in({"components": [in_label, in_row, no_text]}) == {"age": "30", "why": ""}
    assert typed_in({}) == {}
