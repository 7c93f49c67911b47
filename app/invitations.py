"""Links by which a Fortnox administrator lets the integration in: one use, ten minutes.

The state in a link is all the proof that comes back with it; only its hash is stored, so that
whoever reads the database cannot use one.
"""

import hashlib
import hmac
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection as Tx
from sqlalchemy import delete, insert, select, update

from app.connections import Connection
from app.errors import Reason, because
from app.models import invitations

CALLBACK = "/oauth/fortnox/callback"
LIFETIME = timedelta(minutes=10)
REMEMBERED = timedelta(days=1)  # so that one that comes late is told why
LONGEST_STATE = 200


@dataclass(frozen=True)
class Link:
    url: str
    expires_at: datetime


@dataclass(frozen=True)
class Brought:
    """What the browser brought back from Fortnox."""

    state: str = ""
    code: str = ""
    error: str = ""
    origin: str = ""  # the address the browser asked from


@dataclass(frozen=True)
class Outcome:
    """`refused` None: the connection has its tenant now, which Fortnox calls `company`."""

    connection: Connection | None
    refused: Reason | None = None
    company: str = ""


@dataclass(frozen=True)
class Answered:
    """`connection`: whose link it was, where that is known; `refused`: why it opens nothing."""

    connection: str | None
    refused: Reason | None = None


def make(tx: Tx, connection: str, now: datetime) -> str:
    """The state of a new link."""
    tx.execute(
        delete(invitations).where(
            invitations.c.connection == connection, invitations.c.expires_at < now - REMEMBERED
        )
    )
    state = secrets.token_urlsafe(32)
    tx.execute(
        insert(invitations).values(
            state_hash=_hash(state), connection=connection, expires_at=now + LIFETIME
        )
    )
    return state


def use(tx: Tx, state: str, now: datetime) -> Answered:
    """Uses the link up, whatever becomes of it."""
    wanted = _hash(state[:LONGEST_STATE])
    row = tx.execute(select(invitations).where(invitations.c.state_hash == wanted)).one_or_none()
    if row is None or not hmac.compare_digest(row.state_hash, wanted):
        return Answered(None, because("consent_link_unknown"))
    taken = tx.execute(
        update(invitations)
        .where(invitations.c.state_hash == row.state_hash, invitations.c.used_at.is_(None))
        .where(invitations.c.connection == row.connection)
        .values(used_at=now)
    )
    if not taken.rowcount:
        return Answered(row.connection, because("consent_link_used"))
    if row.expires_at <= now:
        return Answered(row.connection, because("consent_link_expired"))
    return Answered(row.connection)


def forget(tx: Tx, connection: str) -> None:
    tx.execute(delete(invitations).where(invitations.c.connection == connection))


def _hash(state: str) -> str:
    return hashlib.sha256(state.encode("utf-8", "replace")).hexdigest()
