"""Discord's limits on commands, components, messages and interactions, in one place.

Lengths are characters unless the name says otherwise.
"""

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

MAX_COMPONENTS: Final = 40
"""Components of a message, nested ones too:
https://discord.com/developers/docs/components/reference#component-reference"""
MAX_CUSTOM_ID: Final = 100
"""The custom id of a component or of a form:
https://discord.com/developers/docs/components/reference#anatomy-of-a-component-custom-id"""
MAX_BUTTON_LABEL: Final = 80
"""The label of a button: https://discord.com/developers/docs/components/reference#button"""
MAX_SELECT_OPTIONS: Final = 25
"""Options of a select menu: https://discord.com/developers/docs/components/reference#string-select"""
MAX_SELECT_PLACEHOLDER: Final = 150
"""The placeholder of a select menu: https://discord.com/developers/docs/components/reference#string-select"""
MAX_SELECT_OPTION_TEXT: Final = 100
"""The label, the value or the description of an option of a select menu:
https://discord.com/developers/docs/components/reference#string-select-select-option-structure"""
MAX_DISPLAY_TEXT: Final = 4_000
"""All texts of a message or form that is made of components, together:
https://discord.com/developers/docs/components/reference#text-display"""
MAX_MEDIA_DESCRIPTION: Final = 256
"""The alternative text of a picture, as discord.py has it; Discord's own reference says 1,024:
https://discordpy.readthedocs.io/en/stable/interactions/api.html#discord.MediaGalleryItem.description"""

MAX_FORM_TITLE: Final = 45
"""The title of a form:
https://discord.com/developers/docs/interactions/receiving-and-responding#interaction-response-object-modal"""
MAX_FORM_LABEL: Final = 45
"""The label above a field of a form: https://discord.com/developers/docs/components/reference#label"""
MAX_FORM_HINT: Final = 100
"""The description of a field of a form: https://discord.com/developers/docs/components/reference#label"""
MAX_FORM_TEXT: Final = 4_000
"""What a member may type into a field of a form:
https://discord.com/developers/docs/components/reference#text-input"""

MAX_SECONDS_TO_ACKNOWLEDGE: Final = 3.0
"""Seconds in which an interaction has to be answered or deferred:
https://discord.com/developers/docs/interactions/receiving-and-responding"""
MAX_SECONDS_OF_TOKEN: Final = 15 * 60.0
"""Seconds in which the token of an interaction is good for further answers:
https://discord.com/developers/docs/interactions/receiving-and-responding"""
