"""The operator's commands.

Each command imports what it needs when it runs. To import all of the bot takes a second and 90 MB.
"""
# ruff: noqa: PLC0415

import logging
import os
import signal
import sys
from collections.abc import Coroutine, Generator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final, NoReturn, TypeVar

import typer

from bot import __version__
from bot.errors import EX_CONFIG, OperatorError

if TYPE_CHECKING:
    from bot.settings import Settings

T = TypeVar("T")

app = typer.Typer(
    help="Hero Roster, a Discord bot that keeps a server's heroes. Without a command, it runs.",
    epilog="Settings come from the environment and from .env; .env.example describes each of them.",
    no_args_is_help=False,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)

OFFLINE: Final = """\
There is no DISCORD_TOKEN yet. To get one:
  1. Open https://discord.com/developers/applications and make a New Application.
  2. On its Bot page, choose Reset Token, and copy the token.
  3. Write it into .env: DISCORD_TOKEN=...
Until then, here is an offline preview."""


def _end(error: OperatorError) -> NoReturn:
    typer.echo(error.line, err=True)
    raise typer.Exit(error.code)


@contextmanager
def _plain_errors() -> Generator[None]:
    """End the process with one plain line and an exit code on an `OperatorError`."""
    try:
        yield
    except OperatorError as error:
        logging.getLogger(__name__).debug("the cause:", exc_info=error)
        _end(error)


def _settings() -> "Settings":
    from bot.operator.log import configure_logging
    from bot.settings import load_settings

    with _plain_errors():
        settings = load_settings()
    configure_logging(settings.log_level, settings.log_format)
    return settings


def _run(work: Coroutine[Any, Any, T]) -> T:
    import asyncio

    with _plain_errors():
        return asyncio.run(work)


def _print_version(wanted: bool) -> None:  # noqa: FBT001 - Typer passes it by position
    if wanted:
        typer.echo(f"Hero Roster {__version__}")
        raise typer.Exit


@app.callback(invoke_without_command=True)
def run(
    context: typer.Context,
    *,
    _version: Annotated[
        bool,
        typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version and exit."),
    ] = False,
) -> None:
    """Run the bot. Without a DISCORD_TOKEN, open the offline preview where it is installed."""
    if context.invoked_subcommand is not None:
        return
    # The imports take a second, in which there is nothing to finish. An exception that a signal raises amid
    # an import can get lost, and process 1 of a container ignores SIGTERM by default.
    signal.signal(signal.SIGTERM, lambda _signal, _frame: os._exit(0))
    settings = _settings()
    if settings.discord_token is None and find_spec("simcord") is not None:
        typer.echo(OFFLINE)
        _preview(settings, port=None)
        return
    _run_bot(settings)


def _run_bot(settings: "Settings") -> None:
    from bot.operator.run import run_bot

    try:
        from uvloop import run as run_loop
    except ModuleNotFoundError:
        from asyncio import run as run_loop
    with _plain_errors():
        run_loop(run_bot(settings))


def _preview(settings: "Settings", port: int | None) -> None:
    try:
        from bot.operator.preview import preview
    except ModuleNotFoundError as error:
        _end(
            OperatorError(
                f"The preview needs {error.name}: pip install -r requirements/preview.txt", EX_CONFIG
            )
        )
    _run(preview(settings, port=port))


@app.command(name="preview")
def preview_command(
    port: Annotated[
        int | None, typer.Option(min=1, max=65535, help="The port of the page; by default any free one.")
    ] = None,
) -> None:
    """Try the bot in a local web page, against a simulated Discord and a database of its own.

    Needs no token and no network. Your own heroes stay as they are.
    """
    _preview(_settings(), port)


@app.command()
def migrate() -> None:
    """Bring the database to the schema of this version. The bot does the same when it starts."""
    settings = _settings()
    from bot.operator.maintenance import migrate_now

    _run(migrate_now(settings))
    typer.echo("The database is up to date.")


@app.command()
def sync() -> None:
    """Tell Discord about the commands now. The bot does so by itself when they change."""
    settings = _settings()
    from bot.operator.run import sync_now

    _run(sync_now(settings))
    typer.echo("Discord knows the commands.")


@app.command(name="backup")
def backup_command(file: Path) -> None:
    """Copy the SQLite database into a new FILE, while the bot runs. PostgreSQL has pg_dump for that."""
    settings = _settings()
    from bot.operator.backup import backup
    from bot.operator.progress import progress_bar

    with _plain_errors(), progress_bar("Copying") as progress:
        backup(settings.database_url, file, progress)
    typer.echo(f"{file} holds the database as it was a moment ago. Keep a copy of SECRET_KEYS elsewhere.")


@app.command(name="restore")
def restore_command(file: Path) -> None:
    """Put a backup FILE in the place of the SQLite database, which is kept. Stop the bot first."""
    settings = _settings()
    from bot.operator.progress import progress_bar
    from bot.operator.restore import restore

    with _plain_errors(), progress_bar("Copying") as progress:
        kept = restore(settings.database_url, file, progress)
    typer.echo("Done." if kept is None else f"Done. The database before it is kept as {kept}.")


keys = typer.Typer(
    help="The keys that encrypt secret identities.", no_args_is_help=True, rich_markup_mode=None
)
app.add_typer(keys, name="keys")


@keys.command()
def new() -> None:
    """Print a fresh key for SECRET_KEYS. Put it in front of the others, and keep a copy in a safe place."""
    from bot.roster.vault import new_key

    typer.echo(new_key())


@keys.command(name="rotate")
def rotate_command() -> None:
    """Encrypt all secret identities with the first of the SECRET_KEYS.

    The bot may run meanwhile, if it has the same keys. After an interruption, run it again: it continues
    where it stopped. After that, remove the old keys.
    """
    settings = _settings()
    from bot.operator.maintenance import rotate_keys

    count = _run(rotate_keys(settings))
    typer.echo(f"{count:,} secret identities were encrypted with the first key.")


@app.command(name="erase")
def erase_command(
    user: Annotated[
        int | None, typer.Option(min=1, help="A member's id: all that is kept about them.")
    ] = None,
    guild: Annotated[
        int | None,
        typer.Option(min=1, help="A server's id: all that is kept of it; with --user, only there."),
    ] = None,
    *,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> None:
    """Erase what is kept about a member or of a server, for good. For requests by mail, say."""
    if user is None and guild is None:
        raise typer.BadParameter("Name a --user or a --guild.")
    settings = _settings()
    if not yes:
        typer.confirm("This can't be undone. Erase it?", abort=True)
    from bot.operator.maintenance import erase

    count = _run(erase(settings, user, guild))
    typer.echo(f"Done; {count:,} heroes went with it.")


@app.command(name="check")
def check_command() -> None:
    """Check settings, database, schema and commands without changing anything.

    Exit codes: 0 all is well, 69 the database does not answer, 78 something needs to be put right.
    """
    settings = _settings()
    from bot.operator.check import print_findings

    code = _run(print_findings(settings))
    if code:
        raise typer.Exit(code)


def main() -> None:
    """Start from the command line."""
    if sys.platform == "win32":
        sys.exit(
            "Hero Roster runs on Linux, on macOS, and on Windows in WSL: https://learn.microsoft.com/windows/wsl"
        )
    sys.exit(app())
