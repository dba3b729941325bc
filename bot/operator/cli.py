"""The operator's commands."""

import asyncio
import importlib.util
import logging
import sys
from collections.abc import Callable, Coroutine, Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any, NoReturn

import typer
import uvloop

from bot.db.open import open_database
from bot.errors import EX_CONFIG, OperatorError
from bot.operator.backup import backup, restore
from bot.operator.check import check
from bot.operator.log import configure_logging
from bot.operator.run import run_bot, sync_now
from bot.roster.housekeeping import erase_guild
from bot.roster.keys import rotate
from bot.roster.personal import erase_member
from bot.roster.vault import Vault, new_key
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


def _end(error: OperatorError) -> NoReturn:
    typer.echo(error.line, err=True)
    raise typer.Exit(error.code)


def _settings() -> Settings:
    try:
        settings = load_settings()
    except OperatorError as error:
        _end(error)
    configure_logging(settings.log_level, settings.log_format)
    return settings


def _run(
    work: Coroutine[Any, Any, None], run: Callable[[Coroutine[Any, Any, None]], None] = asyncio.run
) -> None:
    try:
        run(work)
    except OperatorError as error:
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
    _run(run_bot(settings), uvloop.run)


def _preview(settings: Settings, port: int | None) -> None:
    try:
        from bot.operator.preview import preview  # noqa: PLC0415 - simcord is an extra, and never needed live
    except ModuleNotFoundError as error:
        _end(
            OperatorError(
                f"The preview needs {error.name}: pip install -r requirements-preview.txt", EX_CONFIG
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


@contextmanager
def _progress(what: str) -> Generator[Callable[[int, int], None]]:
    """A bar on standard error, told how much is done and of how much."""
    # 3 MB that the bot never needs.
    from rich.console import Console  # noqa: PLC0415
    from rich.progress import Progress  # noqa: PLC0415

    with Progress(console=Console(stderr=True)) as bar:
        task = bar.add_task(what, total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)


@app.command(name="backup")
def backup_command(file: Path) -> None:
    """Copy the SQLite database into a new FILE, while the bot runs. PostgreSQL has pg_dump for that."""
    settings = _settings()
    try:
        with _progress("Copying") as progress:
            backup(settings.database_url, file, progress)
    except OperatorError as error:
        _end(error)
    typer.echo(f"{file} holds the database as it was a moment ago. Keep a copy of SECRET_KEYS elsewhere.")


@app.command(name="restore")
def restore_command(file: Path) -> None:
    """Put a backup FILE in the place of the SQLite database, which is kept. Stop the bot first."""
    settings = _settings()
    try:
        with _progress("Copying") as progress:
            kept = restore(settings.database_url, file, progress)
    except OperatorError as error:
        _end(error)
    typer.echo("Done." if kept is None else f"Done. The database before it is kept as {kept}.")


keys = typer.Typer(
    help="The keys that encrypt secret identities.", no_args_is_help=True, rich_markup_mode=None
)
app.add_typer(keys, name="keys")


@keys.command()
def new() -> None:
    """Print a fresh key for SECRET_KEYS. Put it in front of the others, and keep a copy in a safe place."""
    typer.echo(new_key())


@keys.command(name="rotate")
def rotate_command() -> None:
    """Encrypt all secret identities with the first of the SECRET_KEYS.

    The bot may run meanwhile, if it has the same keys. What was broken off goes on where it was. When it
    is done, the old keys can go.
    """

    async def work() -> None:
        database = await open_database(settings.database_url, log_sql=settings.log_sql)
        try:
            with _progress("Encrypting") as progress:
                count = await rotate(database, Vault(settings.secret_keys), progress)
        finally:
            await database.dispose()
        typer.echo(f"{count:,} secret identities were encrypted with the first key.")

    settings = _settings()
    _run(work())


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
    settings = _settings()
    if not yes:
        typer.confirm("This can't be undone. Erase it?", abort=True)

    async def work() -> None:
        database = await open_database(settings.database_url, log_sql=settings.log_sql)
        try:
            if user is None:
                assert guild is not None
                count = await erase_guild(database, guild)
            else:
                async with database.write() as session:
                    count = await erase_member(session, user_id=user, guild_id=guild)
            await database.truncate_log()
        finally:
            await database.dispose()
        typer.echo(f"Done; {count:,} heroes went with it.")

    _run(work())


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
