"""Check settings, database, schema and commands without changing anything."""

from collections.abc import AsyncGenerator
from dataclasses import dataclass
from pathlib import Path

import typer

from bot.client import HeroBot
from bot.db.engine import Database
from bot.db.migrate import current_revision, newest_revision
from bot.db.open import plain_faults
from bot.errors import EX_CONFIG, OperatorError
from bot.gateway.limits import unacceptable
from bot.roster.keys import check_keys
from bot.roster.vault import Vault
from bot.settings import Settings

_HINT = "python -m bot migrate makes it"


@dataclass(frozen=True, slots=True)
class Finding:
    """The result of one check.

    Args:
        subject: the name of what was checked.
        fault: what to put right, in one line; None if all is well.
        code: the exit code for the fault.
    """

    subject: str
    fault: str | None = None
    code: int = EX_CONFIG


async def check(settings: Settings) -> AsyncGenerator[Finding]:
    """Check everything; yield one finding after another."""
    yield Finding("settings")
    yield Finding("token", None if settings.discord_token is not None else "DISCORD_TOKEN is missing")
    async for finding in _check_database(settings):
        yield finding
    async with HeroBot(settings) as bot:
        await bot.load_cogs()
        faults = unacceptable([command.to_dict(bot.tree) for command in bot.tree.get_commands()])
    yield Finding("commands", "; ".join(faults) or None)


async def print_findings(settings: Settings) -> int:
    """Check everything and print a line for each finding; return the exit code, 0 if all is well."""
    codes: set[int] = set()
    async for finding in check(settings):
        if finding.fault is None:
            typer.echo(f"ok     {finding.subject}")
        else:
            typer.echo(f"to do  {finding.subject}: {finding.fault}")
            codes.add(finding.code)
    return min(codes, default=0)


async def _check_database(settings: Settings) -> AsyncGenerator[Finding]:
    url = settings.database_url
    # A connection would create the file.
    if url.get_backend_name() == "sqlite" and not Path(url.database or "").exists():  # noqa: ASYNC240
        yield Finding("database", f"{url.database} is not there yet; {_HINT}")
        return
    database = Database(url, log_sql=settings.log_sql)
    try:
        async with plain_faults(url):
            have, need = await current_revision(database.engine), newest_revision()
    except OperatorError as error:
        yield Finding("database", error.line, error.code)
        return
    finally:
        await database.dispose()
    yield Finding("database")
    yield Finding("schema", None if have == need else f"it has {have or 'none'} and needs {need}; {_HINT}")
    if have == need:
        yield await _check_keys(settings)


async def _check_keys(settings: Settings) -> Finding:
    if not settings.secret_keys:
        return Finding("secret keys", "SECRET_KEYS is empty; python -m bot keys new prints a key")
    database = Database(settings.database_url)
    try:
        await check_keys(database, Vault(settings.secret_keys))
    except OperatorError as error:
        return Finding("secret keys", error.line)
    finally:
        await database.dispose()
    return Finding("secret keys")
