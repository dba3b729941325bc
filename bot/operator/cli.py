"""The operator's commands.

Each command imports what it needs when it runs. To import all of the bot takes a second and 90 MB.
"""
# ruff: noqa: PLC0415

import importlib.util
import os
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from bot.errors import EX_CONFIG, OperatorError
from bot.operator.command import end, opened_database, plain_errors, progress_bar, read_settings, run_to_end

if TYPE_CHECKING:
    from bot.settings import Settings

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


def _print_version(wanted: bool) -> None:  # noqa: FBT001 - Typer passes it by position
    if wanted:
        from bot.operator.version import version

        typer.echo(f"Hero Roster {version()}")
        raise typer.Exit


@app.callback(invoke_without_command=True)
def run(
    context: typer.Context,
    *,
    version: Annotated[  # noqa: ARG001 - its callback has printed it
        bool,
        typer.Option("--version", help="Print the version.", callback=_print_version, is_eager=True),
    ] = False,
) -> None:
    """Run the bot. Without a DISCORD_TOKEN, open the offline preview where it is installed."""
    if context.invoked_subcommand is not None:
        return
    # The imports take a second, in which there is nothing to finish. An exception that a signal raises amid
    # an import can get lost, and process 1 of a container ignores SIGTERM by default.
    signal.signal(signal.SIGTERM, lambda _signal, _frame: os._exit(0))
    settings = read_settings()
    if settings.discord_token is None and importlib.util.find_spec("simcord") is not None:
        typer.echo(OFFLINE)
        _preview(settings, port=None)
        return
    _run_bot(settings)


def _run_bot(settings: "Settings") -> None:
    from bot.operator.run import run_bot

    try:
        from uvloop import run as run_loop
    except ModuleNotFoundError:
        # uvloop does not support Windows.
        from asyncio import run as run_loop
    with plain_errors():
        run_loop(run_bot(settings))


def _preview(settings: "Settings", port: int | None) -> None:
    try:
        from bot.operator.preview import preview
    except ModuleNotFoundError as error:
        end(
            OperatorError(
                f"The preview needs {error.name}: pip install -r requirements/preview.txt", EX_CONFIG
            )
        )
    run_to_end(preview(settings, port=port))


@app.command(name="preview")
def preview_command(
    port: Annotated[
        int | None, typer.Option(min=1, max=65535, help="The port of the page; by default any free one.")
    ] = None,
) -> None:
    """Try the bot in a local web page, against a simulated Discord and a database of its own.

    Needs no token and no network. Your own heroes stay as they are.
    """
    _preview(read_settings(), port)


@app.command()
def migrate() -> None:
    """Bring the database to the schema of this version. The bot does the same when it starts."""
    run_to_end(_migrate(read_settings()))
    typer.echo("The database is up to date.")


async def _migrate(settings: "Settings") -> None:
    async with opened_database(settings):
        pass


@app.command()
def sync() -> None:
    """Tell Discord about the commands now. The bot does so by itself when they change."""
    run_to_end(_sync(read_settings()))
    typer.echo("Discord knows the commands.")


async def _sync(settings: "Settings") -> None:
    from bot.operator.run import sync_now

    await sync_now(settings)


@app.command(name="backup")
def backup_command(file: Path) -> None:
    """Copy the SQLite database into a new FILE, while the bot runs. PostgreSQL has pg_dump for that."""
    settings = read_settings()
    from bot.operator.backup import backup

    with plain_errors(), progress_bar("Copying") as progress:
        backup(settings.database_url, file, progress)
    typer.echo(f"{file} holds the database as it was a moment ago. Keep a copy of SECRET_KEYS elsewhere.")


@app.command(name="restore")
def restore_command(file: Path) -> None:
    """Put a backup FILE in the place of the SQLite database, which is kept. Stop the bot first."""
    settings = read_settings()
    from bot.operator.backup import restore

    with plain_errors(), progress_bar("Copying") as progress:
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
    count = run_to_end(_rotate(read_settings()))
    typer.echo(f"{count:,} secret identities were encrypted with the first key.")


async def _rotate(settings: "Settings") -> int:
    from bot.roster.keys import rotate
    from bot.roster.vault import Vault

    async with opened_database(settings) as database:
        with progress_bar("Encrypting") as progress:
            return await rotate(database, Vault(settings.secret_keys), progress)


@app.command()
def erase(
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
    settings = read_settings()
    if not yes:
        typer.confirm("This can't be undone. Erase it?", abort=True)
    count = run_to_end(_erase(settings, user, guild))
    typer.echo(f"Done; {count:,} heroes went with it.")


async def _erase(settings: "Settings", user: int | None, guild: int | None) -> int:
    from bot.roster.housekeeping import erase_guild
    from bot.roster.personal import erase_member

    async with opened_database(settings) as database:
        if user is None:
            assert guild is not None
            count = await erase_guild(database, guild)
        else:
            async with database.write() as session:
                count = await erase_member(session, user_id=user, guild_id=guild)
        await database.truncate_log()
    return count


@app.command(name="check")
def check_command() -> None:
    """Check settings, database, schema and commands without changing anything.

    Exit codes: 0 all is well, 69 the database does not answer, 78 something needs to be put right.
    """
    codes = run_to_end(_check(read_settings()))
    if codes:
        raise typer.Exit(min(codes))


async def _check(settings: "Settings") -> set[int]:
    """Print each finding; return the exit codes of those with a fault."""
    from bot.operator.check import check

    codes: set[int] = set()
    async for finding in check(settings):
        if finding.fault is None:
            typer.echo(f"ok     {finding.subject}")
        else:
            typer.echo(f"to do  {finding.subject}: {finding.fault}")
            codes.add(finding.code)
    return codes


def main() -> None:
    """Start from the command line."""
    sys.exit(app())
