"""Logs that a machine reads."""

import json
import logging

import pytest

from bot.operator.log import configure_logging


def test_json_logs_are_one_object_a_line_and_quote_no_exception(capsys: pytest.CaptureFixture[str]) -> None:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    try:
        configure_logging("DEBUG", "json")
        try:
            int("hunter2")
        except ValueError:
            logging.getLogger("cogs.test").exception("it failed")
        logging.getLogger("discord.gateway").debug("hunter2")
    finally:
        root.handlers[:] = handlers
        root.setLevel(level)

    (line,) = capsys.readouterr().err.splitlines()
    entry = json.loads(line)
    assert entry["message"] == "it failed"
    assert entry["exception"].endswith("builtins.ValueError")
    assert 'int("hunter2")' in entry["exception"], "the line of code itself is no secret"
