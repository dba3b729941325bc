"""Work on the database at an operator's command, without a running bot."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from bot.db.engine import Database
from bot.db.open import open_database
from bot.operator.progress import progress_bar
from bot.roster.housekeeping import erase_guild
from bot.roster.keys import rotate
from bot.roster.personal import erase_member
from bot.roster.vault import Vault
from bot.settings import Settings


@asynccontextmanager
async def _opened(settings: Settings) -> AsyncGenerator[Database]:
    """Open the database and bring its schema up to date; close it after the block."""
    database = await open_database(settings.database_url, log_sql=settings.log_sql)
    try:
        yield database
    finally:
        await database.dispose()


async def migrate_now(settings: Settings) -> None:
    """Bring the database to the newest schema.

    Raises:
        OperatorError: the database is unusable.
    """
    async with _opened(settings):
        pass


async def rotate_keys(settings: Settings) -> int:
    """Show a progress bar and encrypt all secret identities with the first key; return how many there are.

    Raises:
        OperatorError: the database is unusable, or a key is missing.
    """
    async with _opened(settings) as database:
        with progress_bar("Encrypting") as progress:
            return await rotate(database, Vault(settings.secret_keys), progress)


async def erase(settings: Settings, user: int | None, guild: int | None) -> int:
    """Erase all data of a member, in one guild or in all of them, or all data of a guild.

    Args:
        settings: tell where the database is.
        user: the member; None to erase the whole guild.
        guild: the guild; None, only with a member, for all guilds.

    Returns:
        The number of erased heroes.

    Raises:
        OperatorError: the database is unusable.
    """
    async with _opened(settings) as database:
        if user is None:
            assert guild is not None, "a user or a guild is named"
            count = await erase_guild(database, guild)
        else:
            async with database.write() as session:
                count = await erase_member(session, user_id=user, guild_id=guild)
        await database.truncate_log()
        return count
