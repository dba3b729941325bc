"""Handlers that run, handlers that may not begin, and forms that come back."""

import re

import pytest
from typing_extensions import override

from bot.interactions.answer import answers
from bot.interactions.form import Form
from bot.interactions.host import Interaction
from bot.interactions.send import Answer, To
from tests.support.online import Online
from tests.wire.records import MODAL, Json


class GreetingForm(Form):
    """Greets whoever is named in it."""

    template = re.compile("greeting:(?P<word>[a-z]+)")

    @classmethod
    @override
    @answers(To.ASKER)
    async def submitted(cls, interaction: Interaction, match: re.Match[str], typed: dict[str, str]) -> Answer:
        return f"{match['word']} {typed['name']}"


def submission(custom_id: str, name: str) -> Json:
    """What Discord sends of a form with one field."""
    field: Json = {"type": 4, "id": 2, "custom_id": "name", "value": name}
    return {"custom_id": custom_id, "components": [{"type": 18, "id": 1, "component": field}]}


async def test_the_end_of_a_handler_is_waited_for(online: Online) -> None:
    assert not await online.bot.handlers_run(0)
    used = await online.deferred("quiet")
    assert await online.bot.handlers_run(0.01)

    online.cog.go_on.set()

    assert not await online.bot.handlers_run(10)
    assert used.text == "Here it is."


async def test_a_handler_that_runs_while_the_bot_stops_is_answered(online: Online) -> None:
    used = await online.deferred("quiet")
    online.bot.refuse_handlers()

    online.cog.go_on.set()
    await used

    assert used.text == "Here it is."


async def test_no_handler_begins_while_the_bot_stops(
    online: Online, caplog: pytest.LogCaptureFixture
) -> None:
    begun: list[str] = []

    async def work(name: str) -> None:
        begun.append(name)

    await online.bot.run_handler(work("before"))
    online.bot.refuse_handlers()
    await online.bot.run_handler(work("after"))
    used = [
        online.ana.slash("hero find", name="Deadpond"),
        online.ana.autocomplete("hero find", "name", "d"),
        online.ana.raw(MODAL, submission("greeting:hello", "Ben")),
    ]
    await online.until(lambda: all(each.deliveries for each in used))
    await online.ended()

    assert begun == ["before"]
    assert not any(each.acknowledged for each in used)
    assert [record for record in caplog.records if record.levelname == "ERROR"] == []


async def test_a_form_is_handled_by_the_class_whose_custom_id_it_has(online: Online) -> None:
    online.bot.add_forms(GreetingForm)

    answer = await online.ana.raw(MODAL, submission("greeting:hello", "Ben"))

    assert answer.ephemeral
    assert answer.text == "hello Ben"


async def test_a_form_that_is_nobodys_is_left_alone(online: Online) -> None:
    online.bot.add_forms(GreetingForm)

    other = online.ana.raw(MODAL, submission("greeting:HELLO", "Ben"))
    await online.ana.raw(MODAL, submission("greeting:hello", "Ben"))

    assert not other.acknowledged
