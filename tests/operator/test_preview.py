"""`python -m bot preview` in its operator's terminal."""

import asyncio
import socket
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.support.preview import WITHIN, Preview, previewing


def clock(line: str) -> datetime:
    return datetime.strptime(line.rpartition(" It is ")[2], "%d %B %Y, %H:%M UTC").replace(tzinfo=UTC)


async def test_minutes_typed_into_the_terminal_pass_on_the_page(preview: Preview) -> None:
    await preview.line("Ctrl[+]C ends")
    for nonsense in ("soon", "-5", "nan", "1e300", ""):
        await preview.type(nonsense)
        await preview.line("Type a number of minutes")
    await preview.type("0.5")
    before = await preview.line(r"^0[.]5 minutes have passed there. It is .* UTC")
    await preview.type("1440")
    after = await preview.line(r"^1440 minutes have passed there. It is .* UTC")
    assert clock(after) - clock(before) == timedelta(days=1)
    preview.process.terminate()
    await preview.ended()


@pytest.mark.parametrize("stdin", ["</dev/null", "<&-", "<log"])
async def test_it_needs_no_terminal(tmp_path: Path, stdin: str) -> None:
    async with previewing(tmp_path, stdin=stdin) as preview:
        await preview.line("Ctrl[+]C ends")
        preview.process.terminate()
        await preview.ended()


async def test_a_port_that_is_taken_is_named(tmp_path: Path) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        async with previewing(tmp_path, "--port", str(port)) as preview:
            assert await asyncio.wait_for(preview.process.wait(), WITHIN) == 69
            log = preview.log.read_text()
            assert log.endswith(f"The preview can't start: preview could not bind port {port}.\n"), log
