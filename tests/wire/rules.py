"""What Discord accepts in a message, a modal, an autocomplete answer and a set of commands."""

import re
from typing import Any, cast

from .records import COMPONENTS_V2, Json, walk

ROW, BUTTON, TEXT_SELECT, TEXT_INPUT, SECTION, TEXT, THUMBNAIL, GALLERY, FILE, SEPARATOR = (
    1,
    2,
    3,
    4,
    9,
    10,
    11,
    12,
    13,
    14,
)
CONTAINER, LABEL, UPLOAD, RADIO, CHECKBOXES, CHECKBOX = 17, 18, 19, 21, 22, 23
SELECTS = (TEXT_SELECT, 5, 6, 7, 8)
IN_CONTAINER = (ROW, SECTION, TEXT, GALLERY, FILE, SEPARATOR)
COMMAND_NAME = re.compile(r"[-_'\w]{1,32}")


class Refused(Exception):  # noqa: N818 - it says what happened
    """What Discord answers with an HTTP `status`, an error `code` and, for a form, `errors` by field."""

    def __init__(self, status: int, code: int, text: str, errors: dict[str, str] | None = None) -> None:
        super().__init__(f"{code} {text} {errors or ''}".strip())
        self.status = status
        self.code = code
        self.text = text
        self.errors = errors or {}

    @property
    def body(self) -> Json:
        fields = {
            where: {"_errors": [{"code": "INVALID", "message": why}]} for where, why in self.errors.items()
        }
        return {"message": self.text, "code": self.code} | ({"errors": fields} if fields else {})


class Form:
    """Collects what is wrong with a payload, by field."""

    def __init__(self) -> None:
        self.errors: dict[str, str] = {}

    def text(self, where: str, value: object, high: int, low: int = 0) -> None:
        """A string of `low` to `high` characters; nothing at all is fine where `low` is 0."""
        if value is None and low == 0:
            return
        if not isinstance(value, str) or not low <= len(value) <= high:
            self.errors[where] = f"Must be a string of {low} to {high} characters."

    def number(self, where: str, value: object, low: int, high: int) -> None:
        if not isinstance(value, int) or not low <= value <= high:
            self.errors[where] = f"Must be a whole number from {low} to {high}."

    def objects(self, where: str, value: Any, high: int, low: int = 0) -> list[Json]:
        """The list, if it holds `low` to `high` objects; else nothing, and an error."""
        value = [] if value is None else value
        found = cast("list[object]", value) if isinstance(value, list) else None
        if found is not None and low <= len(found) <= high and all(isinstance(each, dict) for each in found):
            return cast("list[Json]", found)
        self.errors[where] = f"Must be a list of {low} to {high} objects."
        return []

    def must(self, where: str, holds: object, why: str) -> None:
        if not holds:
            self.errors[where] = why

    def finish(self) -> None:
        """Raises Refused with code 50035 if anything is wrong."""
        if self.errors:
            raise Refused(400, 50035, "Invalid Form Body", self.errors)

    def components(self, where: str, nodes: list[Json], allowed: tuple[int, ...], files: set[str]) -> None:
        """Check components, nested ones included; `files` are the names that attachment:// may use."""
        for index, node in enumerate(nodes):
            here = f"{where}.{index}"
            kind = node.get("type")
            if kind not in allowed:
                self.errors[f"{here}.type"] = f"Component type {kind} cannot be used here."
            elif kind == ROW:
                children = self.objects(f"{here}.components", node.get("components"), 5, 1)
                self.components(f"{here}.components", children, (BUTTON, *SELECTS), files)
                if any(child.get("type") != BUTTON for child in children):
                    self.must(f"{here}.components", len(children) == 1, "A select fills a row of its own.")
            elif kind == SECTION:
                self.components(
                    f"{here}.components", self.objects(here, node.get("components"), 3, 1), (TEXT,), files
                )
                self.components(
                    f"{here}.accessory", [node.get("accessory") or {}], (BUTTON, THUMBNAIL), files
                )
            elif kind == CONTAINER:
                children = self.objects(f"{here}.components", node.get("components"), 40, 1)
                self.components(f"{here}.components", children, IN_CONTAINER, files)
                if node.get("accent_color") is not None:
                    self.number(f"{here}.accent_color", node["accent_color"], 0, 0xFFFFFF)
            else:
                self.leaf(here, node, files)

    def leaf(self, here: str, node: Json, files: set[str]) -> None:
        """A component that holds no others."""
        kind = node["type"]
        if kind == BUTTON:
            style = node.get("style")
            self.number(f"{here}.style", style, 1, 6)
            self.text(f"{here}.label", node.get("label"), 80)
            if style == 5:
                self.text(f"{here}.url", node.get("url"), 512, 1)
            elif style != 6:
                self.text(f"{here}.custom_id", node.get("custom_id"), 100, 1)
                self.must(f"{here}.url", not node.get("url"), "Only a link has a URL.")
            self.must(
                here,
                node.get("label") or node.get("emoji") or style == 6,
                "A button needs a label or an emoji.",
            )
        elif kind in SELECTS:
            self.choices(here, node)
        elif kind == TEXT:
            self.text(f"{here}.content", node.get("content"), 4000, 1)
        elif kind == THUMBNAIL:
            self.text(f"{here}.description", node.get("description"), 1024)
            self.media(f"{here}.media", node.get("media"), files)
        elif kind == GALLERY:
            for index, item in enumerate(self.objects(f"{here}.items", node.get("items"), 10, 1)):
                self.text(f"{here}.items.{index}.description", item.get("description"), 1024)
                self.media(f"{here}.items.{index}.media", item.get("media"), files)
        elif kind == FILE:
            self.media(f"{here}.file", node.get("file"), files)

    def choices(self, here: str, node: Json) -> None:
        """A select, or the radio and check boxes of a modal."""
        self.text(f"{here}.custom_id", node.get("custom_id"), 100, 1)
        self.text(f"{here}.placeholder", node.get("placeholder"), 150)
        low, high = node.get("min_values", 1), node.get("max_values", 1)
        self.number(f"{here}.min_values", low, 0, 25)
        self.number(f"{here}.max_values", high, 1, 25)
        self.must(f"{here}.min_values", low <= high, "Must not be more than max_values.")
        if node["type"] not in (TEXT_SELECT, RADIO, CHECKBOXES):
            return
        options = self.objects(
            f"{here}.options", node.get("options"), 25 if node["type"] == TEXT_SELECT else 10, 1
        )
        for index, option in enumerate(options):
            self.text(f"{here}.options.{index}.label", option.get("label"), 100, 1)
            self.text(f"{here}.options.{index}.value", option.get("value"), 100, 1)
            self.text(f"{here}.options.{index}.description", option.get("description"), 100)
        values = [option.get("value") for option in options]
        self.must(f"{here}.options", len(set(values)) == len(values), "Two options have the same value.")
        chosen = sum(bool(option.get("default")) for option in options)
        self.must(f"{here}.options", chosen <= high, "More defaults than max_values.")

    def media(self, where: str, media: Any, files: set[str]) -> None:
        url = str(cast("Json", media).get("url")) if isinstance(media, dict) else ""
        if url.startswith("attachment://"):
            self.must(where, url.removeprefix("attachment://") in files, f"{url} is not attached.")
        else:
            self.must(
                where,
                url.startswith(("https://", "http://")),
                "Must be a URL of a web page or an attachment.",
            )

    def unique(self, where: str, nodes: list[Json]) -> None:
        """No two components share a custom id or a number."""
        for key in ("custom_id", "id"):
            found = [node[key] for node in walk(nodes) if node.get(key)]
            self.must(f"{where}.{key}", len(set(found)) == len(found), f"Two components have the same {key}.")


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
