"""Secret identities, and vaults for them."""

from pydantic import SecretStr
from sqlmodel import col, select

from bot.db.engine import Database
from bot.db.models import Hero
from bot.roster.adding import add_hero
from bot.roster.asker import Asker
from bot.roster.quota import Quota
from bot.roster.vault import Vault

ANN = Asker(2, 1)

MARKER = "Marker Secret"
"""What every secret identity begins with, to look for it elsewhere."""


def vault_of(*keys: str) -> Vault:
    """A vault with these keys, the encrypting one first."""
    return Vault([SecretStr(key) for key in keys])


async def store(db: Database, vault: Vault, *names: str) -> list[Hero]:
    """Let Ann add heroes, each with a secret identity of its own, and as many as she likes."""
    async with db.write() as session:
        session.info["quota"] = Quota(10_000, 10_000)
        return [
            await add_hero(session, ANN, vault, name=name, secret_name=f"{MARKER} {name}") for name in names
        ]


async def all_heroes(db: Database) -> list[Hero]:
    """All that is stored, removed heroes too."""
    async with db.read() as session:
        return list((await session.exec(select(Hero).order_by(col(Hero.id)))).all())


def quietly(_done: int, _total: int) -> None:
    """Nobody watches the progress."""
