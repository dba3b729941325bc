"""The keys of the secret identities: check those in use, and change all secrets to a new one."""

import logging
from collections.abc import Callable
from typing import Final

from sqlalchemy import ColumnElement
from sqlmodel import col, func, select
from sqlmodel.ext.asyncio.session import AsyncSession

from bot.db.engine import Database
from bot.db.models import Hero
from bot.errors import EX_CONFIG, OperatorError
from bot.roster.vault import Vault, VaultError

log = logging.getLogger(__name__)

MAX_ROTATED: Final = 200
"""Secret identities that one transaction encrypts anew, so that members' commands do not wait long."""


async def check_keys(database: Database, vault: Vault) -> None:
    """Make sure that the keys at hand can read what is stored.

    Raises:
        OperatorError: a key that is in use is missing.
    """
    async with database.read() as session:
        missing = await _keys_in_use(session) - set(vault.key_names)
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
    """Encrypt all secret identities with the first key, and continue a rotation that was interrupted.

    The bot may run meanwhile, if it has the same keys.

    Args:
        database: where they are.
        vault: with the new key first, and the old ones.
        progress: called after each transaction with how many are done, and of how many.

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
        total = (await session.exec(select(func.count()).select_from(Hero).where(_is_old(vault)))).one()
    done = 0
    after_id: int | None = 0
    try:
        while after_id is not None:
            async with database.write() as session:
                count, after_id = await _rotate_some(session, vault, after_id)
            done += count
            progress(done, total)
    except VaultError as error:
        raise OperatorError(f"A secret identity is unreadable: {error}.", EX_CONFIG) from error
    await database.truncate_log()
    return done


async def _keys_in_use(session: AsyncSession) -> set[str]:
    query = select(Hero.secret_key).where(col(Hero.secret_key).is_not(None)).group_by(col(Hero.secret_key))
    return {name for name in (await session.exec(query)).all() if name is not None}


async def _rotate_some(session: AsyncSession, vault: Vault, after_id: int) -> tuple[int, int | None]:
    """Encrypt the next secret identities anew, removed heroes' too.

    Returns:
        How many were encrypted, and the hero's number after which to continue; None when all is done.
    """
    old = (
        select(Hero)
        .where(col(Hero.id) > after_id, _is_old(vault))
        .order_by(col(Hero.id))
        .limit(MAX_ROTATED)
        .with_for_update()
    )
    heroes = (await session.exec(old)).all()
    for hero in heroes:
        vault.seal(hero, vault.unseal(hero))
    return len(heroes), heroes[-1].id if len(heroes) == MAX_ROTATED else None


def _is_old(vault: Vault) -> ColumnElement[bool]:
    return (col(Hero.secret_key) != vault.key_name) | col(Hero.secret_key).is_(None)
