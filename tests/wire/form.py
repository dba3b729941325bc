"""What Discord refuses, and the look for it in a payload, field by field."""

from typing import Any, cast

from .records import Json, walk

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
