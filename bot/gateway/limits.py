"""Discord's limits on commands, checked before Discord does.

https://discord.com/developers/docs/interactions/application-commands
"""

import re
from collections.abc import Iterator
from typing import Any, Final

COMMANDS_MOST: Final = 100
NAME_MOST: Final = 32
DESCRIPTION_MOST: Final = 100
OPTIONS_MOST: Final = 25
TOTAL_MOST: Final = 8_000

_CHAT_INPUT: Final = 1
_NAME: Final = re.compile(r"[-_'\w]{1,32}")


def _characters(part: dict[str, Any]) -> int:
    """What counts towards a command's total: names, descriptions and values, of its options too."""
    own = len(part.get("name", "")) + len(part.get("description", ""))
    values = sum(len(choice["name"]) + len(str(choice["value"])) for choice in part.get("choices") or ())
    return own + values + sum(_characters(option) for option in part.get("options") or ())


def _faults(part: dict[str, Any], path: str) -> Iterator[str]:
    name, description = part["name"], part.get("description", "")
    if part.get("type", _CHAT_INPUT) == _CHAT_INPUT or path != f"/{name}":
        if not _NAME.fullmatch(name) or name != name.lower():
            yield f"{path}: a name has 1-{NAME_MOST} lower-case letters, digits, - or _"
        if not 1 <= len(description) <= DESCRIPTION_MOST or description == "…":
            yield f"{path}: a description has 1-{DESCRIPTION_MOST} characters and says something"
    elif not 1 <= len(name) <= NAME_MOST:
        yield f"{path}: a name has 1-{NAME_MOST} characters"
    options: list[dict[str, Any]] = part.get("options") or []
    if len(options) > OPTIONS_MOST:
        yield f"{path}: at most {OPTIONS_MOST} options, not {len(options)}"
    for option in options:
        yield from _faults(option, f"{path} {option['name']}")


def command_faults(commands: list[dict[str, Any]]) -> list[str]:
    """What Discord would not accept of these commands, a line each.

    Args:
        commands: as `discord.app_commands.Command.to_dict` makes them.
    """
    slash = [command for command in commands if command.get("type", _CHAT_INPUT) == _CHAT_INPUT]
    faults = [fault for command in commands for fault in _faults(command, f"/{command['name']}")]
    if len(slash) > COMMANDS_MOST:
        faults.append(f"at most {COMMANDS_MOST} commands, not {len(slash)}")
    faults += [
        f"/{command['name']}: at most {TOTAL_MOST} characters in all"
        for command in commands
        if _characters(command) > TOTAL_MOST
    ]
    return faults
