"""The commands: one cog a command group, and `housekeeping` for what happens without one.

A handler opens a session, awaits the roster and returns an answer. It writes no query.
"""
