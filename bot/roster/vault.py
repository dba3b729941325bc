"""How secret identities are stored: encrypted, each bound to its hero."""

import hashlib
from collections.abc import Sequence
from typing import Final

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from pydantic import SecretStr

from bot.db.models import Hero

_NAME_LENGTH: Final = 12


class VaultError(Exception):
    """A stored secret identity can't be read: its key is missing, or it belongs to another hero."""


def new_key() -> str:
    """A fresh key for `SECRET_KEYS`."""
    return Fernet.generate_key().decode()


def check_key(key: str) -> str:
    """Let pass what `new_key` makes.

    Raises:
        ValueError: it is something else.
    """
    Fernet(key)
    return key


class Vault:
    """Encrypts and decrypts secret identities, by authenticated encryption whose keys can be rotated.

    Args:
        keys: the first one encrypts, all decrypt. Without any, secret identities are plain text.
    """

    def __init__(self, keys: Sequence[SecretStr] = ()) -> None:
        values = [key.get_secret_value() for key in keys]
        self.key_names = [hashlib.sha256(key.encode()).hexdigest()[:_NAME_LENGTH] for key in values]
        """Names that tell keys apart and give nothing away, the encrypting one first."""
        self._fernet = MultiFernet([Fernet(key) for key in values]) if values else None

    @property
    def key_name(self) -> str | None:
        """The name of the key that encrypts; None where there is none."""
        return self.key_names[0] if self.key_names else None

    def put(self, hero: Hero, secret_name: str) -> None:
        """Store a secret identity in its hero."""
        hero.secret_key = self.key_name
        hero.secret_name = self.encrypt(secret_name, hero.secret_seal)

    def encrypt(self, secret_name: str, seal: str) -> str:
        """How a secret identity is stored in the hero that has this seal."""
        if self._fernet is None:
            return secret_name
        return self._fernet.encrypt(f"{seal}{secret_name}".encode()).decode()

    def read(self, hero: Hero) -> str:
        """The secret identity of a hero. Who may read it was decided before.

        Raises:
            VaultError: no key fits, or it was encrypted for another hero.
        """
        if hero.secret_key is None:
            return hero.secret_name
        if self._fernet is None:
            raise VaultError("there are no SECRET_KEYS")
        try:
            text = self._fernet.decrypt(hero.secret_name).decode()
        except InvalidToken:
            raise VaultError("none of the SECRET_KEYS fits") from None
        if not text.startswith(hero.secret_seal):
            raise VaultError("it was encrypted for another hero")
        return text.removeprefix(hero.secret_seal)
