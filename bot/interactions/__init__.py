"""Answer members: in time, in words, and with an excuse when something fails.

It knows discord.py and the roster's errors. It knows no command: cogs build on it.
"""
