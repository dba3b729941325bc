"""Discord's limits on commands and forms, in one place. Lengths are characters."""

from typing import Final

MAX_COMMANDS: Final = 100
"""Slash commands of an application, everywhere or in one server:
https://discord.com/developers/docs/interactions/application-commands#registering-a-command"""
MAX_COMMAND_NAME: Final = 32
"""The name of a command or of an option:
https://discord.com/developers/docs/interactions/application-commands#application-command-object-application-command-naming"""
MAX_COMMAND_DESCRIPTION: Final = 100
"""The description of a command or of an option:
https://discord.com/developers/docs/interactions/application-commands#application-command-object"""
MAX_COMMAND_OPTIONS: Final = 25
"""Options of a command, or subcommands of a group:
https://discord.com/developers/docs/interactions/application-commands#application-command-object"""
MAX_COMMAND_TOTAL: Final = 8_000
"""Names, descriptions and values of a command and its options together:
https://discord.com/developers/docs/interactions/application-commands#slash-commands"""
MAX_CHOICES: Final = 25
"""Choices of an option, suggested ones too:
https://discord.com/developers/docs/interactions/application-commands#application-command-object-application-command-option-structure"""
MAX_CHOICE_NAME: Final = 100
"""The name of a choice, and its value if that is a text:
https://discord.com/developers/docs/interactions/application-commands#application-command-object-application-command-option-choice-structure"""

MAX_FORM_TITLE: Final = 45
"""The title of a form:
https://discord.com/developers/docs/interactions/receiving-and-responding#interaction-response-object-modal"""
