"""The connection to Discord: what the bot reads of it, sessions, shards, and the commands Discord knows.

`link` decides when to connect, when to begin a session and when to give up. `guilds` decides what is kept in
memory of a server. `commands` registers the commands, `limits` finds what Discord would not accept of them.
`discordpy` holds the names that discord.py does not document.
"""
