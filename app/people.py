"""Who may use the console with a password of their own, and what each may do there."""

import base64
import hashlib
import hmac
import re
import secrets
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection as Tx
from sqlalchemy import delete, insert, select, update

from app import sessions
from app.errors import Invalid
from app.identity import Identity, Scope
from app.models import people

NAME = re.compile(r"[a-z0-9][a-z0-9._@-]{0,62}")
SHORTEST_PASSWORD = 12
N, R, P = 2**15, 8, 1  # about 0.1 s and 32 MiB a try


@dataclass(frozen=True)
class Person:
    name: str
    scope: Scope
    created_at: datetime


def add(tx: Tx, name: str, password: str, scope: Scope, now: datetime) -> None:
    """Raises Invalid."""
    if not NAME.fullmatch(name) or name == "admin":
        raise Invalid("name", "expected a-z, 0-9 and . _ @ -, at most 63, and not admin")
    if tx.scalar(select(people.c.name).where(people.c.name == name)):
        raise Invalid("name", "is taken")
    tx.execute(
        insert(people).values(name=name, password=sealed(password), scope=scope, created_at=now)
    )


def every(tx: Tx) -> list[Person]:
    rows = tx.execute(select(people).order_by(people.c.name))
    return [Person(row.name, row.scope, row.created_at) for row in rows]


def known(tx: Tx, name: str, password: str) -> Identity | None:
    """None for a wrong password and for an unknown name alike, after the same work."""
    row = tx.execute(select(people).where(people.c.name == name)).one_or_none()
    right = _matches(password, row.password if row else _unknown())
    return Identity("session", row.name, row.name, row.scope) if row and right else None


def change_scope(tx: Tx, name: str, scope: Scope) -> bool:
    """Ends what the person has open, so that it counts at once."""
    sessions.end_all_of(tx, name)
    return tx.execute(update(people).where(people.c.name == name).values(scope=scope)).rowcount == 1


def change_password(tx: Tx, name: str, password: str) -> bool:
    sessions.end_all_of(tx, name)
    values = {"password": sealed(password)}
    return tx.execute(update(people).where(people.c.name == name).values(values)).rowcount == 1


def remove(tx: Tx, name: str) -> bool:
    sessions.end_all_of(tx, name)
    return tx.execute(delete(people).where(people.c.name == name)).rowcount == 1


def sealed(password: str) -> str:
    """`scrypt$n$salt$key`; raises Invalid."""
    if len(password) < SHORTEST_PASSWORD:
        raise Invalid("password", f"expected at least {SHORTEST_PASSWORD} characters")
    salt = secrets.token_bytes(16)
    return f"scrypt${N}${_text(salt)}${_text(_key(password, salt, N))}"


def _matches(password: str, kept: str) -> bool:
    _, n, salt, key = kept.split("$")
    made = _key(password, base64.b64decode(salt), int(n))
    return hmac.compare_digest(made, base64.b64decode(key))


def _unknown() -> str:
    return f"scrypt${N}${_text(bytes(16))}${_text(bytes(32))}"


def _key(password: str, salt: bytes, n: int) -> bytes:
    given = password.encode("utf-8", "replace")
    return hashlib.scrypt(given, salt=salt, n=n, r=R, p=P, maxmem=2**27, dklen=32)


def _text(raw: bytes) -> str:
    return base64.b64encode(raw).decode()
