"""Logs for people and for machines: neither quotes an exception."""

import json
import logging

import pytest

from tests.support.logs import logging_as


def fail(typed: str) -> None:
    """Log an exception whose message, and that of its cause, quotes what was typed."""
    try:
        try:
            int(typed)
        except ValueError as error:
            raise LookupError(typed) from error
    except LookupError:
        logging.getLogger("cogs.test").exception("it failed")


def test_text_logs_quote_no_exception(capsys: pytest.CaptureFixture[str]) -> None:
    with logging_as("text"):
        fail("hunter2")
        logging.getLogger("discord.gateway").debug("hunter2")

    logged = capsys.readouterr().err
    assert "ERROR   cogs.test: it failed" in logged
    assert "int(typed)\n" in logged, "the lines of code are no secret"
    assert "builtins.ValueError\n" in logged
    assert logged.endswith("builtins.LookupError\n")
    assert "hunter2" not in logged


def test_json_logs_are_one_object_a_line_and_quote_no_exception(capsys: pytest.CaptureFixture[str]) -> None:
    with logging_as("json"):
        fail("hunter2")
        logging.getLogger("discord.gateway").debug("hunter2")

    logged = capsys.readouterr().err
    (line,) = logged.splitlines()
    entry = json.loads(line)
    assert entry["message"] == "it failed"
    assert "builtins.ValueError\n" in entry["exception"]
    assert entry["exception"].endswith("builtins.LookupError")
    assert "int(typed)" in entry["exception"], "the lines of code are no secret"
    assert "hunter2" not in logged
