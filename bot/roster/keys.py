"""The keys of the secret identities: checked at the start, rotated by the operator."""

import logging
from collections.abc import Callable
from typing import Final

from bot.db.engine import Database
from bot.errors import EX_CONFIG, OperatorError
from bot.roster.secrets import count_old, keys_in_use, rotate_batch
from bot.roster.vault import Vault, VaultError

log = logging.getLogger(__name__)

BATCH: Final = 200
"""How many secret identities one transaction encrypts anew, so that the bot's commands need not wait."""


async def check_keys(database: Database, vault: Vault) -> None:
    """Make sure that what is stored can be read with the keys at hand.

    Raises:
        OperatorError: a key that is in use is missing.
    """
    async with database.read() as session:
        missing = await keys_in_use(session) - set(vault.key_names)
    if missing:
        raise OperatorError(
            "SECRET_KEYS lacks a key that secret identities in this database are encrypted with. Add the old "
            "key again, after the others and a comma.",
            EX_CONFIG,
        )
    if vault.key_name is None:
        log.warning(
            "there are no SECRET_KEYS, so secret identities are stored as plain text; "
            "`python -m bot keys new` prints a key"
        )


async def rotate(database: Database, vault: Vault, progress: Callable[[int, int], None]) -> int:
    """Encrypt all secret identities with the first key. A rotation that was broken off goes on where it was.

    The bot may run meanwhile, if it has the same keys.

    Args:
        database: where they are.
        vault: with the new key first, and the old ones.
        progress: called after each batch with how many are done, and of how many.

    Returns:
        How many were encrypted.

    Raises:
        OperatorError: there is no key, or one that is in use is missing.
    """
    if vault.key_name is None:
        raise OperatorError(
            "There are no SECRET_KEYS to encrypt with. `python -m bot keys new` prints one.", EX_CONFIG
        )
    await check_keys(database, vault)
    async with database.read() as session:
        total = await count_old(session, vault)
    done = 0
    after_id: int | None = 0
    try:
        while after_id is not None:
            async with database.write() as session:
                count, after_id = await rotate_batch(session, vault=vault, after_id=after_id, size=BATCH)
            done += count
            progress(done, total)
    except VaultError as error:
        raise OperatorError(f"A secret identity can't be decrypted: {error}.", EX_CONFIG) from error
    await database.truncate_log()
    return done
