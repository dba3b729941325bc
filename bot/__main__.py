"""python -m bot."""

from bot.operator.cli import main

main()
