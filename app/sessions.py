"""Browsers that have logged in to the console; the cookie is a random name, kept here as a hash."""

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection as Tx
from sqlalchemy import Row, delete, insert, select

from app import access
from app.identity import Identity
from app.models import people, sessions

LIFETIME = timedelta(hours=12)


@dataclass(frozen=True)
class Session:
    """`csrf`: what every form of this browser has to bring along."""

    who: Identity
    csrf: str


def begin(tx: Tx, who: Identity, now: datetime) -> str:
    """Answers the cookie's value; what has expired meanwhile is forgotten."""
    token = secrets.token_urlsafe(32)
    tx.execute(delete(sessions).where(sessions.c.expires_at <= now))
    tx.execute(
        insert(sessions).values(
            token_hash=_hash(token),
            who_kind=who.kind,
            who_id=who.id,
            who_name=who.name,
            scope=who.scope,
            csrf=secrets.token_urlsafe(32),
            expires_at=now + LIFETIME,
        )
    )
    return token


def find(tx: Tx, token: str, now: datetime, origin: str = "") -> Session | None:
    """None as well where the key or the account that it began with is gone."""
    row = tx.execute(
        select(sessions).where(sessions.c.token_hash == _hash(token), sessions.c.expires_at > now)
    ).one_or_none()
    if row is None or not _stands(tx, row, now):
        return None
    who = Identity("session", row.who_id, row.who_name, row.scope, origin)
    return Session(who, row.csrf)


def end(tx: Tx, token: str) -> None:
    tx.execute(delete(sessions).where(sessions.c.token_hash == _hash(token)))


def end_all_of(tx: Tx, who_id: str) -> None:
    tx.execute(delete(sessions).where(sessions.c.who_id == who_id))


def _stands(tx: Tx, row: Row[Any], now: datetime) -> bool:
    if row.who_kind == "key":
        return access.standing(tx, row.who_id, now) is not None
    query = select(people.c.name).where(people.c.name == row.who_id, people.c.disabled_at.is_(None))
    return tx.execute(query).one_or_none() is not None


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode("utf-8", "replace")).hexdigest()
