"""python -m bot."""

import os
import signal
import sys


def _end(_signal: int, _frame: object) -> None:
    os._exit(0)


if len(sys.argv) == 1:
    # Until `bot.operator.run` listens there is nothing to finish, and an error raised amid an import could
    # get lost.
    signal.signal(signal.SIGTERM, _end)

from bot.operator.cli import main  # noqa: E402 - that takes a second

main()
