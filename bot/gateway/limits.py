"""Find what Discord would refuse of the commands, before Discord is asked.

https://discord.com/developers/docs/interactions/application-commands
"""

import re
from collections.abc import Iterator
from typing import Any, Final

from bot.discord_limits import (
    MAX_CHOICE_NAME,
    MAX_CHOICES,
    MAX_COMMAND_DESCRIPTION,
    MAX_COMMAND_NAME,
    MAX_COMMAND_OPTIONS,
    MAX_COMMAND_TOTAL,
    MAX_COMMANDS,
)

_CHAT_INPUT: Final = 1
_NAME: Final = re.compile(rf"[-_'\w]{{1,{MAX_COMMAND_NAME}}}")


def _characters(part: dict[str, Any]) -> int:
    """Count what belongs to a command's total: names, descriptions and values, of its options too."""
    own = len(part.get("name", "")) + len(part.get("description", ""))
    values = sum(len(choice["name"]) + len(str(choice["value"])) for choice in part.get("choices") or ())
    return own + values + sum(_characters(option) for option in part.get("options") or ())


def _in_choices(choices: list[dict[str, Any]], path: str) -> Iterator[str]:
    if len(choices) > MAX_CHOICES:
        yield f"{path}: at most {MAX_CHOICES} choices, not {len(choices)}"
    for choice in choices:
        if not 1 <= len(choice["name"]) <= MAX_CHOICE_NAME or len(str(choice["value"])) > MAX_CHOICE_NAME:
            yield f"{path}: a choice has 1-{MAX_CHOICE_NAME} characters"


def _in_part(part: dict[str, Any], path: str) -> Iterator[str]:
    name, description = part["name"], part.get("description", "")
    if part.get("type", _CHAT_INPUT) == _CHAT_INPUT or path != f"/{name}":
        if not _NAME.fullmatch(name) or name != name.lower():
            yield f"{path}: a name has 1-{MAX_COMMAND_NAME} lower-case letters, digits, - or _"
        if not 1 <= len(description) <= MAX_COMMAND_DESCRIPTION or description == "…":
            yield f"{path}: a description has 1-{MAX_COMMAND_DESCRIPTION} characters and says something"
    elif not 1 <= len(name) <= MAX_COMMAND_NAME:
        yield f"{path}: a name has 1-{MAX_COMMAND_NAME} characters"
    options: list[dict[str, Any]] = part.get("options") or []
    if len(options) > MAX_COMMAND_OPTIONS:
        yield f"{path}: at most {MAX_COMMAND_OPTIONS} options, not {len(options)}"
    yield from _in_choices(part.get("choices") or [], path)
    for option in options:
        yield from _in_part(option, f"{path} {option['name']}")


def unacceptable(commands: list[dict[str, Any]]) -> list[str]:
    """Return the faults for which Discord would refuse these commands, one line each.

    Args:
        commands: as `discord.app_commands.Command.to_dict` makes them.
    """
    slash = [command for command in commands if command.get("type", _CHAT_INPUT) == _CHAT_INPUT]
    lines = [line for command in commands for line in _in_part(command, f"/{command['name']}")]
    if len(slash) > MAX_COMMANDS:
        lines.append(f"at most {MAX_COMMANDS} commands, not {len(slash)}")
    lines += [
        f"/{command['name']}: at most {MAX_COMMAND_TOTAL} characters in all"
        for command in commands
        if _characters(command) > MAX_COMMAND_TOTAL
    ]
    return lines
