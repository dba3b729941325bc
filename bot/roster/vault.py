"""The encryption of secret identities, each bound to its hero.

`cryptography` takes 6 MB, so it is imported only where there are keys. `new_key` needs no other module.
"""

import base64
import hashlib
import secrets
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final, cast

if TYPE_CHECKING:
    from cryptography.fernet import MultiFernet
    from pydantic import SecretStr

    from bot.db.models import Hero, SealedSecret

_KEY_BYTES: Final = 32
"""https://github.com/fernet/spec/blob/master/Spec.md"""
_KEY_NAME_LENGTH: Final = 12


class VaultError(Exception):
    """A stored secret identity is unreadable: its key is missing, or it belongs to another hero."""


def new_key() -> str:
    """Return a fresh key for `SECRET_KEYS`."""
    return base64.urlsafe_b64encode(secrets.token_bytes(_KEY_BYTES)).decode()


def _fernet_of(keys: Sequence[str]) -> "MultiFernet":
    from cryptography.fernet import Fernet, MultiFernet  # noqa: PLC0415

    return MultiFernet([Fernet(key) for key in keys])


class Vault:
    """Seal and unseal secret identities by authenticated encryption, whose keys can be rotated.

    Args:
        keys: the first one encrypts, all decrypt. Without any, secret identities are plain text.
    """

    def __init__(self, keys: Sequence["SecretStr"] = ()) -> None:
        values = [key.get_secret_value() for key in keys]
        self.key_names = [hashlib.sha256(key.encode()).hexdigest()[:_KEY_NAME_LENGTH] for key in values]
        """Names that tell keys apart and give nothing away, the encrypting one first."""
        self._fernet = _fernet_of(values) if values else None

    @property
    def key_name(self) -> str | None:
        """Return the name of the key that encrypts; None if there is none."""
        return self.key_names[0] if self.key_names else None

    def seal(self, hero: "Hero", secret_name: str) -> None:
        """Store a secret identity in its hero, which has its binding already."""
        hero.sealed_secret = self.sealed(secret_name, hero.secret_binding)
        hero.secret_key = self.key_name

    def sealed(self, secret_name: str, binding: str) -> "SealedSecret":
        """Return a secret identity as the hero with this binding stores it, encrypted by the first key."""
        sealed = secret_name
        if self._fernet is not None:
            sealed = self._fernet.encrypt(f"{binding}{secret_name}".encode()).decode()
        return cast("SealedSecret", sealed)

    def unseal(self, hero: "Hero") -> str:
        """Return the secret identity of a hero. The caller has checked who may read it.

        Raises:
            VaultError: no key fits, or the secret identity was encrypted for another hero.
        """
        if hero.secret_key is None:
            return hero.sealed_secret
        if self._fernet is None:
            raise VaultError("there are no SECRET_KEYS")
        from cryptography.fernet import InvalidToken  # noqa: PLC0415

        try:
            text = self._fernet.decrypt(hero.sealed_secret).decode()
        except InvalidToken:
            raise VaultError("none of the SECRET_KEYS fits") from None
        if not text.startswith(hero.secret_binding):
            raise VaultError("it was encrypted for another hero")
        return text.removeprefix(hero.secret_binding)
