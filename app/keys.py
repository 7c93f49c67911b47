"""The keys of this installation: given by the environment, else made once and kept in var/."""

import fcntl
import os
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from app import vault
from app.settings import Settings


@dataclass(frozen=True)
class Keys:
    """`made`: the admin key was made just now, and nobody has seen it yet."""

    admin: str
    encryption: tuple[str, ...]
    made: bool


def ensure(settings: Settings) -> Keys:
    admin, made = settings.admin_key.get_secret_value(), False
    if not admin:
        admin, made = _kept(settings.var_dir, "admin.key", lambda: f"adm_{secrets.token_hex(24)}")
    encryption = tuple(key.get_secret_value() for key in settings.encryption_keys)
    if not encryption:
        kept, _ = _kept(settings.var_dir, "encryption.key", vault.new_key)
        encryption = tuple(key.strip() for key in kept.split(",") if key.strip())
    return Keys(admin, encryption, made)


def _kept(folder: Path, name: str, make: Callable[[], str]) -> tuple[str, bool]:
    """What the file says; made, readable by us alone, by the first process that asks."""
    folder.mkdir(parents=True, exist_ok=True)
    with os.fdopen(os.open(folder / name, os.O_RDWR | os.O_CREAT, 0o600), "r+") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        if text := file.read().strip():
            return text, False
        text = make()
        file.write(text + "\n")
        file.flush()
        os.fsync(file.fileno())
        return text, True
