"""How the bot endures: kills, stops, drops, faults, floods of nonsense and long runs.

Each scenario is one async function that takes its size, starts the real process against the stand-in for
Discord, fails by an assertion, and returns its figures. `pytest` runs a short form of each;
`python -m tests.endurance` runs the full sizes and prints a line for each.
"""
