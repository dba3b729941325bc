"""Hero Roster, a Discord bot. `bot.client` assembles it from the rooms below; docs/architecture.md is the map."""
