"""The operator's commands."""

import asyncio
import importlib.util
import logging
import sys
from collections.abc import Coroutine
from typing import Annotated, Any, NoReturn

import typer

from bot.check import check
from bot.db.open import open_database
from bot.errors import EX_CONFIG, StartError
from bot.log import configure_logging
from bot.run import run_bot, sync_now
from bot.settings import Settings, load_settings

app = typer.Typer(
    help="Hero Roster, a Discord bot that keeps a server's heroes. Without a command, it runs.",
    epilog="Settings come from the environment and from .env; .env.example describes each of them.",
    no_args_is_help=False,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)

OFFLINE = """\
There is no DISCORD_TOKEN yet. To get one:
  1. Open https://discord.com/developers/applications and make a New Application.
  2. On its Bot page, choose Reset Token, and copy the token.
  3. Write it into .env: DISCORD_TOKEN=...
Until then, here is an offline preview."""


def _end(error: StartError) -> NoReturn:
    typer.echo(error.line, err=True)
    raise typer.Exit(error.code)


def _settings() -> Settings:
    try:
        settings = load_settings()
    except StartError as error:
        _end(error)
    configure_logging(settings.log_level, settings.log_format)
    return settings


def _run(work: Coroutine[Any, Any, None]) -> None:
    try:
        asyncio.run(work)
    except StartError as error:
        logging.getLogger(__name__).debug("the cause:", exc_info=error)
        _end(error)


@app.callback(invoke_without_command=True)
def run(context: typer.Context) -> None:
    """Run the bot. Without a DISCORD_TOKEN, open the offline preview where it is installed."""
    if context.invoked_subcommand is not None:
        return
    settings = _settings()
    if settings.discord_token is None and importlib.util.find_spec("simcord") is not None:
        typer.echo(OFFLINE)
        _preview(settings, port=None)
        return
    _run(run_bot(settings))


def _preview(settings: Settings, port: int | None) -> None:
    try:
        from bot.preview import preview  # noqa: PLC0415 - simcord is an extra, and never needed live
    except ModuleNotFoundError as error:
        _end(
            StartError(f"The preview needs {error.name}: pip install -r requirements-preview.txt", EX_CONFIG)
        )
    _run(preview(settings, port=port))


@app.command(name="preview")
def preview_command(
    port: Annotated[
        int | None, typer.Option(min=1, max=65535, help="The port of the page; by default any free one.")
    ] = None,
) -> None:
    """Try the bot in a local web page, against a simulated Discord and a database of its own.

    Needs no token and no network. Nothing of it reaches your heroes.
    """
    _preview(_settings(), port)


@app.command()
def migrate() -> None:
    """Bring the database to the schema of this version. The bot does the same when it starts."""

    async def work() -> None:
        database = await open_database(settings.database_url, log_sql=settings.log_sql)
        await database.dispose()
        typer.echo("The database is up to date.")

    settings = _settings()
    _run(work())


@app.command()
def sync() -> None:
    """Tell Discord about the commands now. The bot does so by itself when they change."""
    _run(sync_now(_settings()))
    typer.echo("Discord knows the commands.")


@app.command(name="check")
def check_command() -> None:
    """Look over settings, database, schema and commands without changing anything.

    Exit codes: 0 all is well, 69 the database does not answer, 78 something is to be put right.
    """

    async def work() -> None:
        async for finding in check(settings):
            if finding.fault is None:
                typer.echo(f"ok     {finding.what}")
            else:
                typer.echo(f"to do  {finding.what}: {finding.fault}")
                codes.add(finding.code)

    settings = _settings()
    codes: set[int] = set()
    _run(work())
    if codes:
        raise typer.Exit(min(codes))


def main() -> None:
    """Start from the command line."""
    sys.exit(app())
