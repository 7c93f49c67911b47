"""The admin keys: who holds one, with which scope; of a key itself only its hash is kept.

A key is 256 random bits, so a plain SHA-256 of it gives nothing away.
"""

import hashlib
import hmac
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection as Tx
from sqlalchemy import Row, insert, select, update

from app import ids
from app.db import Database
from app.identity import Identity, Scope
from app.models import admin_keys

PREFIX = "brk_"
BOOTSTRAP = "bootstrap"  # the id of ADMIN_KEY, which stands in no table
SEEN_EACH = timedelta(hours=1)  # how exact `last_used_at` is


@dataclass(frozen=True)
class Made:
    """A new key; `secret` is shown this once."""

    row: Row[Any]
    secret: str


def identify(db: Database, admin_key: str, given: str, now: datetime) -> Identity | None:
    """Whose key this is; None: nobody's, or of one that was revoked or is over."""
    if hmac.compare_digest(given.encode("utf-8", "replace"), admin_key.encode()):
        return bootstrap()
    if not given.startswith(PREFIX):
        return None
    with db.reading() as tx:
        row = tx.execute(select(admin_keys).where(admin_keys.c.hash == _hash(given))).one_or_none()
    if row is None or not is_open(row, now):
        return None
    if row.last_used_at is None or now - row.last_used_at >= SEEN_EACH:
        with db.transaction() as tx:
            tx.execute(update(admin_keys).where(admin_keys.c.id == row.id).values(last_used_at=now))
    return _identity(row)


def standing(tx: Tx, key_id: str, now: datetime) -> Identity | None:
    """What the holder of a key may do now: whoever logged in with it, loses that with the key."""
    if key_id == BOOTSTRAP:
        return bootstrap()
    row = find(tx, key_id)
    return _identity(row) if row and is_open(row, now) else None


def bootstrap() -> Identity:
    return Identity("key", BOOTSTRAP, "ADMIN_KEY", "configure")


def create(
    tx: Tx, name: str, scope: Scope, now: datetime, expires_at: datetime | None = None
) -> Made:
    secret = PREFIX + secrets.token_urlsafe(32)
    key_id = ids.new("key")
    tx.execute(
        insert(admin_keys).values(
            id=key_id,
            name=name,
            scope=scope,
            hash=_hash(secret),
            begins=secret[: len(PREFIX) + 4],
            created_at=now,
            expires_at=expires_at,
        )
    )
    return Made(tx.execute(select(admin_keys).where(admin_keys.c.id == key_id)).one(), secret)


def find(tx: Tx, key_id: str) -> Row[Any] | None:
    return tx.execute(select(admin_keys).where(admin_keys.c.id == key_id)).one_or_none()


def every(tx: Tx) -> Sequence[Row[Any]]:
    return tx.execute(select(admin_keys).order_by(admin_keys.c.id.desc())).all()


def revoke(tx: Tx, key_id: str, now: datetime) -> bool:
    """False where it was revoked before."""
    done = tx.execute(
        update(admin_keys)
        .where(admin_keys.c.id == key_id, admin_keys.c.revoked_at.is_(None))
        .values(revoked_at=now)
    )
    return done.rowcount == 1


def is_open(row: Row[Any], now: datetime) -> bool:
    return row.revoked_at is None and (row.expires_at is None or now < row.expires_at)


def _identity(row: Row[Any]) -> Identity:
    return Identity("key", row.id, row.name, row.scope)


def _hash(key: str) -> str:
    return hashlib.sha256(key.encode("utf-8", "replace")).hexdigest()
