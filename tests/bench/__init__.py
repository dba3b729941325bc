"""How fast the bot is, beside a bot without a database and a bot as people would write it: `make bench`.

All three are real processes on the same stand-in for Discord, and take turns within each measurement.
"""
