"""What Discord accepts in a message, a modal, an autocomplete answer and a set of commands."""

import re
from typing import Any

from .form import (
    CHECKBOX,
    CHECKBOXES,
    CONTAINER,
    IN_CONTAINER,
    LABEL,
    RADIO,
    ROW,
    SELECTS,
    TEXT,
    TEXT_INPUT,
    UPLOAD,
    Form,
    Refused,
)
from .records import COMPONENTS_V2, Json, walk

COMMAND_NAME = re.compile(r"[-_'\w]{1,32}")


def check_message(message: Json, files: set[str]) -> None:
    """Raises Refused unless a message may look like this; `message` is what it will be, the edit included."""
    form = Form()
    content, flags = message.get("content"), message.get("flags") or 0
    form.text("content", content, 2000)
    embeds = form.objects("embeds", message.get("embeds"), 10)
    nodes = form.objects("components", message.get("components"), 40)
    if flags & COMPONENTS_V2:
        form.must("content", not content, "Cannot be used together with Components V2.")
        form.must("embeds", not embeds, "Cannot be used together with Components V2.")
        form.must("components", nodes, "Components V2 need at least one component.")
        form.components("components", nodes, (*IN_CONTAINER, CONTAINER), files)
        form.must("components", sum(1 for _ in walk(nodes)) <= 40, "More than 40 components in all.")
        text = sum(len(node.get("content") or "") for node in walk(nodes) if node.get("type") == TEXT)
        form.must("components", text <= 4000, "More than 4000 characters of text in all.")
    else:
        form.must("components", len(nodes) <= 5, "More than 5 rows.")
        form.components("components", nodes, (ROW,), files)
        check_embeds(form, embeds)
    form.unique("components", nodes)
    form.finish()
    if not (content or embeds or nodes or files or message.get("poll")):
        raise Refused(400, 50006, "Cannot send an empty message")


def check_embeds(form: Form, embeds: list[Json]) -> None:
    total = 0
    for index, embed in enumerate(embeds):
        texts: list[tuple[str, Any, int]] = [("title", embed.get("title"), 256)]
        texts.append(("description", embed.get("description"), 4096))
        texts.append(("footer", (embed.get("footer") or Json()).get("text"), 2048))
        for field in form.objects(f"embeds.{index}.fields", embed.get("fields"), 25):
            texts += [("fields.name", field.get("name"), 256), ("fields.value", field.get("value"), 1024)]
        for name, value, high in texts:
            form.text(f"embeds.{index}.{name}", value, high)
            total += len(value or "")
    form.must("embeds", total <= 6000, "More than 6000 characters in all.")


def check_modal(modal: Json) -> None:
    """Raises Refused unless Discord would open this modal."""
    form = Form()
    form.text("title", modal.get("title"), 45, 1)
    form.text("custom_id", modal.get("custom_id"), 100, 1)
    nodes = form.objects("components", modal.get("components"), 5, 1)
    for index, node in enumerate(nodes):
        here = f"components.{index}"
        kind = node.get("type")
        if kind == TEXT:
            form.text(f"{here}.content", node.get("content"), 4000, 1)
        elif kind == ROW:
            for child in form.objects(f"{here}.components", node.get("components"), 1, 1):
                form.must(
                    f"{here}.components.0.type",
                    child.get("type") == TEXT_INPUT,
                    "Only a text input fits here.",
                )
                form.text(f"{here}.components.0.label", child.get("label"), 45, 1)
                check_input(form, f"{here}.components.0", child)
        elif kind == LABEL:
            form.text(f"{here}.label", node.get("label"), 45, 1)
            form.text(f"{here}.description", node.get("description"), 100)
            check_input(form, f"{here}.component", node.get("component") or {})
        else:
            form.errors[f"{here}.type"] = f"Component type {kind} cannot be used in a modal."
    form.unique("components", nodes)
    form.finish()


def check_input(form: Form, here: str, node: Json) -> None:
    kind = node.get("type")
    if kind == TEXT_INPUT:
        high = node.get("max_length", 4000)
        form.text(f"{here}.custom_id", node.get("custom_id"), 100, 1)
        form.text(f"{here}.placeholder", node.get("placeholder"), 100)
        form.number(f"{here}.style", node.get("style"), 1, 2)
        form.number(f"{here}.max_length", high, 1, 4000)
        form.number(f"{here}.min_length", node.get("min_length", 0), 0, 4000)
        form.text(f"{here}.value", node.get("value"), high)
    elif kind in (*SELECTS, RADIO, CHECKBOXES):
        form.choices(here, node)
    elif kind in (UPLOAD, CHECKBOX):
        form.text(f"{here}.custom_id", node.get("custom_id"), 100, 1)
    else:
        form.errors[f"{here}.type"] = f"Component type {kind} cannot be used here."


def check_choices(choices: Any) -> None:
    """Raises Refused unless Discord would show these autocomplete choices."""
    form = Form()
    for index, choice in enumerate(form.objects("choices", choices, 25)):
        form.text(f"choices.{index}.name", choice.get("name"), 100, 1)
        if not isinstance(choice.get("value"), int | float):
            form.text(f"choices.{index}.value", choice.get("value"), 100, 1)
    form.finish()


def check_commands(commands: list[Json]) -> None:
    """Raises Refused unless Discord would register this set of commands."""
    form = Form()
    form.must(
        "commands", sum(each.get("type", 1) == 1 for each in commands) <= 100, "More than 100 commands."
    )
    names = [(each.get("type", 1), each.get("name")) for each in commands]
    form.must("commands", len(set(names)) == len(names), "Two commands have the same name.")
    for index, command in enumerate(commands):
        if command.get("type", 1) == 1:
            size = check_command(form, str(index), command)
            form.must(str(index), size <= 8000, "More than 8000 characters in all.")
        else:
            form.text(f"{index}.name", command.get("name"), 32, 1)
    form.finish()


def check_command(form: Form, here: str, node: Json) -> int:
    """Check a command or an option; returns its characters, as Discord counts them."""
    name, description = str(node.get("name")), str(node.get("description"))
    form.must(
        f"{here}.name", COMMAND_NAME.fullmatch(name) and name == name.lower(), "Not a name for a command."
    )
    form.text(f"{here}.description", node.get("description"), 100, 1)
    size = len(name) + len(description)
    for index, choice in enumerate(form.objects(f"{here}.choices", node.get("choices"), 25)):
        form.text(f"{here}.choices.{index}.name", choice.get("name"), 100, 1)
        size += len(str(choice.get("name"))) + len(str(choice.get("value")))
    required = True
    for index, option in enumerate(form.objects(f"{here}.options", node.get("options"), 25)):
        size += check_command(form, f"{here}.options.{index}", option)
        form.must(
            f"{here}.options.{index}", required or not option.get("required"), "Required options come first."
        )
        required = bool(option.get("required"))
    return size
