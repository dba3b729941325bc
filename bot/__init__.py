"""Hero Roster, a Discord bot. `bot.client` assembles it from the rooms below; see docs/architecture.md."""

from typing import Final

__version__: Final = "0.1.0"
