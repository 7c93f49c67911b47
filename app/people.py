"""Who may use the console, what each may do there, and the passwords of those who have one here.

Whoever comes by the organisation's log-in has a row too, so that they can be seen and shut out; its
name is made of who vouches for them and of their id there, so nobody can take another's.
"""

import base64
import hashlib
import hmac
import re
import secrets
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import Connection as Tx
from sqlalchemy import Row, delete, insert, select, update

from app import sessions
from app.errors import Invalid
from app.identity import Identity, Scope
from app.models import people

ELSEWHERE = "oidc-"  # how the name begins of whoever has no password here
NAME = re.compile(r"[a-z0-9][a-z0-9._@-]{0,39}")  # as long as the audit log can keep
SHORTEST_PASSWORD = 12
N, R, P = 2**15, 8, 1  # about 0.1 s and 32 MiB a try


@dataclass(frozen=True)
class Person:
    """`is_local`: has a password here; else `label` is what the organisation's log-in said."""

    name: str
    label: str
    scope: Scope
    is_local: bool
    created_at: datetime
    seen_at: datetime | None
    disabled_at: datetime | None


def add(tx: Tx, name: str, password: str, scope: Scope, now: datetime) -> Person:
    """Raises Invalid."""
    if not NAME.fullmatch(name) or name == "admin" or name.startswith(ELSEWHERE):
        raise Invalid("name", "expected a-z, 0-9 and . _ @ -, at most 40, and not admin")
    if find(tx, name):
        raise Invalid("name", "is taken")
    tx.execute(
        insert(people).values(name=name, password=sealed(password), scope=scope, created_at=now)
    )
    return Person(name, name, scope, True, now, None, None)  # noqa: FBT003 - is_local


def every(tx: Tx) -> list[Person]:
    return [_person(row) for row in tx.execute(select(people).order_by(people.c.name))]


def find(tx: Tx, name: str) -> Person | None:
    row = _row(tx, name)
    return _person(row) if row else None


def known(tx: Tx, name: str, password: str) -> Identity | None:
    """None for a wrong password, an unknown and a disabled name alike, after the same work."""
    row = _row(tx, name)
    if row and (row.disabled_at or not row.password):
        row = None
    right = _matches(password, row.password if row else _unknown())
    return Identity("session", row.name, row.name, row.scope) if row and right else None


def welcome(
    tx: Tx, subject: str, label: str, scope: Scope, now: datetime
) -> tuple[Identity | None, Literal["person.added", "person.changed"] | None]:
    """Whoever the organisation's log-in sends, with the role it gives them now; None: shut out.

    A new role ends what they have open with the old one. Second: what has changed by it.
    """
    name, before = ELSEWHERE + subject, _row(tx, ELSEWHERE + subject)
    if before and before.disabled_at:
        return None, None
    who = Identity("session", name, label, scope)
    if before is None:
        values = {"name": name, "label": label, "password": "", "scope": scope, "created_at": now}
        tx.execute(insert(people).values(values))
        return who, "person.added"
    tx.execute(update(people).where(people.c.name == name).values(label=label))
    if before.scope == scope:
        return who, None
    change_scope(tx, name, scope)
    return who, "person.changed"


def saw(tx: Tx, name: str, now: datetime) -> None:
    """They have logged in."""
    tx.execute(update(people).where(people.c.name == name).values(seen_at=now))


def change_scope(tx: Tx, name: str, scope: Scope) -> bool:
    """Ends what the person has open, so that it counts at once."""
    return _change(tx, name, scope=scope)


def change_password(tx: Tx, name: str, password: str) -> bool:
    """Raises Invalid."""
    return _change(tx, name, password=sealed(password))


def switch(tx: Tx, name: str, disabled_at: datetime | None) -> bool:
    """None: let in again."""
    return _change(tx, name, disabled_at=disabled_at)


def remove(tx: Tx, name: str) -> bool:
    sessions.end_all_of(tx, name)
    return tx.execute(delete(people).where(people.c.name == name)).rowcount == 1


def sealed(password: str) -> str:
    """`scrypt$n$salt$key`; raises Invalid."""
    if len(password) < SHORTEST_PASSWORD:
        raise Invalid("password", f"expected at least {SHORTEST_PASSWORD} characters")
    salt = secrets.token_bytes(16)
    return f"scrypt${N}${_text(salt)}${_text(_key(password, salt, N))}"


def _change(tx: Tx, name: str, **values: object) -> bool:
    sessions.end_all_of(tx, name)
    return tx.execute(update(people).where(people.c.name == name).values(values)).rowcount == 1


def _row(tx: Tx, name: str) -> Row[Any] | None:
    return tx.execute(select(people).where(people.c.name == name)).one_or_none()


def _person(row: Row[Any]) -> Person:
    return Person(
        name=row.name,
        label=row.label or row.name,
        scope=row.scope,
        is_local=bool(row.password),
        created_at=row.created_at,
        seen_at=row.seen_at,
        disabled_at=row.disabled_at,
    )


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
