"""A running `python -m bot preview`."""

import asyncio
import os
import re
import sys
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from tests.support.paths import ROOT

WITHIN = 20.0
"""Seconds that the process gets for each step; it needs about two."""


class Preview:
    """A running `python -m bot preview`."""

    def __init__(self, process: asyncio.subprocess.Process, folder: Path) -> None:
        self.process = process
        self.temporary = folder / "temporary"
        self.log = folder / "log"

    async def line(self, pattern: str) -> str:
        """What `pattern` matches in the next line that it matches in."""
        assert self.process.stdout is not None
        while line := await asyncio.wait_for(self.process.stdout.readline(), WITHIN):
            if match := re.search(pattern, line.decode()):
                return match[0]
        pytest.fail(f"no line matches {pattern}; the log says:\n{self.log.read_text()}")

    async def type(self, line: str) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(line.encode() + b"\n")
        await self.process.stdin.drain()

    async def ended(self) -> None:
        """It ends well, by itself or because it was told to, and leaves nothing behind."""
        assert await asyncio.wait_for(self.process.wait(), WITHIN) == 0
        assert list(self.temporary.iterdir()) == []
        log = self.log.read_text()
        assert not re.search("WARNING|ERROR|Traceback", log), log


@asynccontextmanager
async def previewing(folder: Path, *options: str, stdin: str = "") -> AsyncGenerator[Preview]:
    """Start a preview.

    Args:
        folder: an empty one for what it writes.
        options: of the command.
        stdin: a shell's redirection of its standard input; by default a pipe.
    """
    temporary = folder / "temporary"
    temporary.mkdir()
    with (folder / "log").open("wb") as log:
        process = await asyncio.create_subprocess_exec(
            *("sh", "-c", f'exec "$@" {stdin}', "sh", sys.executable, "-m", "bot", "preview", *options),
            cwd=folder,
            env={**os.environ, "PYTHONPATH": str(ROOT), "TMPDIR": str(temporary)},
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=log,
        )
    try:
        yield Preview(process, folder)
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()
