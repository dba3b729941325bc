"""Run the real bot against a simulated Discord, in a local web page, without a token or a network."""

import asyncio
import logging
import os
import signal
import sys
import tempfile
from contextlib import AsyncExitStack, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final

import typer
from pydantic import SecretStr
from sqlalchemy import URL

from bot.client import HeroBot
from bot.errors import EX_UNAVAILABLE, OperatorError
from bot.operator.sample import furnish
from bot.roster.vault import new_key
from bot.settings import Settings

# The import of simcord creates a client without intents and voice, about which discord.py warns.
logging.getLogger("discord").setLevel(logging.ERROR)
import simcord  # noqa: E402

if TYPE_CHECKING:
    from simcord.env import Env

INTRODUCTION: Final = """
The preview is at  {url}

It shows the channel #heroes of a made-up server. Good to begin with: /hero find, /hero add, /hero list and
/hero stats. At the top of the page, choose as whom you view it:
  Mara  a member; she plays Spider-Boy and Deadpond, among others
  Tom   a keeper, who may manage the server; he plays Rusty-Man and Tarantula, among others
  Ines  the owner of the server; she plays Captain North America, among others

Time stands still there. To let it pass, type a number of minutes here. Ctrl+C ends the preview."""

MAX_MINUTES: Final = 365 * 24 * 60
"""A year; the clock moves no further at once."""


async def preview(settings: Settings, *, port: int | None = None) -> None:
    """Serve the page until SIGINT or SIGTERM, or until somebody ends it there.

    Args:
        settings: only those of logging are used.
        port: the port of the page; None for any free one.

    Raises:
        OperatorError: the port is in use, or a package that the page needs is not installed.
    """
    stop = asyncio.Event()
    for signum in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(signum, stop.set)
    with tempfile.TemporaryDirectory(prefix="hero-roster-") as folder:
        own = _own_settings(settings, Path(folder))
        bot = HeroBot(own, shard_count=1)
        try:
            async with simcord.run(bot, check_errors=False) as env, AsyncExitStack() as serving:
                page = await furnish(env, bot, port)
                try:
                    await serving.enter_async_context(page)
                except simcord.SetupError as error:
                    raise OperatorError(f"The preview can't start: {error}.", EX_UNAVAILABLE) from error
                typer.echo(INTRODUCTION.format(url=page.url))
                clock = asyncio.create_task(_clock(env, page))
                closed = asyncio.create_task(page.wait_closed())
                closed.add_done_callback(lambda _: stop.set())
                await stop.wait()
                clock.cancel()
                with suppress(asyncio.CancelledError):
                    await clock
        finally:
            await bot.close()


def _own_settings(settings: Settings, folder: Path) -> Settings:
    """Return settings for a database in `folder`, a fresh key, and logging as `settings` say."""
    return Settings.model_construct(
        discord_token=SecretStr("preview"),
        database_url=URL.create("sqlite+aiosqlite", database=str(folder / "heroes.db")),
        secret_keys=(SecretStr(new_key()),),
        log_level=settings.log_level,
        log_format=settings.log_format,
        log_sql=settings.log_sql,
    )


async def _clock(env: "Env", page: simcord.Preview) -> None:
    """Advance the simulated clock by each number of minutes that is typed into the terminal."""
    lines = _terminal()
    while line := await lines.readline():
        try:
            minutes = float(line)
        except ValueError:
            minutes = 0.0
        if not 0 < minutes <= MAX_MINUTES:
            typer.echo(f"Type a number of minutes, such as 5; {MAX_MINUTES:,} at most.")
            continue
        try:
            await env.advance_time(minutes * 60)
            await page.refresh()
        except (simcord.SetupError, TimeoutError):
            typer.echo("The page is busy. Please type that again.")
        else:
            typer.echo(f"{minutes:g} minutes have passed there. It is {env.now():%d %B %Y, %H:%M} UTC.")


def _terminal() -> asyncio.StreamReader:
    """Return a reader of standard input; it is at its end if standard input is closed or not pollable."""
    lines = asyncio.StreamReader()
    loop = asyncio.get_running_loop()

    def read() -> None:
        # `connect_read_pipe` leaves the terminal non-blocking, which breaks the next program of the shell.
        data = os.read(fileno, 4096)
        if data:
            lines.feed_data(data)
        else:
            loop.remove_reader(fileno)
            lines.feed_eof()

    try:
        fileno = sys.stdin.fileno()
        loop.add_reader(fileno, read)
    except (AttributeError, OSError, ValueError):
        lines.feed_eof()
    return lines
