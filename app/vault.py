"""Secrets at rest: encrypted with the newest key, readable with any of the keys given."""

import json
from collections.abc import Sequence
from typing import Any

from cryptography.fernet import Fernet, InvalidToken, MultiFernet

from app.errors import BridgeError


class CannotDecrypt(BridgeError):
    """None of ENCRYPTION_KEYS opens this; the right key is missing."""


class Vault:
    """What is sealed names its owner: moved to another row, it does not open there."""

    def __init__(self, keys: Sequence[str]) -> None:
        self._newest = Fernet(keys[0])
        self._fernet = MultiFernet([Fernet(key) for key in keys])

    def seal(self, owner: str, content: Any) -> str:
        plain = json.dumps({"owner": owner, "content": content})
        return self._fernet.encrypt(plain.encode()).decode()

    def open(self, owner: str, sealed: str) -> Any:
        try:
            plain = json.loads(self._fernet.decrypt(sealed.encode()))
        except InvalidToken as error:
            raise CannotDecrypt(f"no key opens the secrets of {owner}") from error
        if plain["owner"] != owner:
            raise CannotDecrypt(f"these secrets do not belong to {owner}")
        return plain["content"]

    def is_fresh(self, sealed: str) -> bool:
        """Whether it is sealed with the newest key."""
        try:
            self._newest.decrypt(sealed.encode())
        except InvalidToken:
            return False
        return True

    def reseal(self, sealed: str) -> str:
        """The same, sealed with the newest key."""
        try:
            return self._fernet.rotate(sealed.encode()).decode()
        except InvalidToken as error:
            raise CannotDecrypt("no key opens this") from error


def new_key() -> str:
    return Fernet.generate_key().decode()
