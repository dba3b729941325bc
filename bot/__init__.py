"""Hero Roster, a Discord bot. `bot.client` assembles it from the rooms below; see docs/architecture.md."""
