"""The refresh token that came of a consent, for apps that Fortnox gives tokens no other way.

It can be spent once. So before a call spends it, that is written down; what comes back is stored
in one commit before it is used; and who finds it spent without an answer knows what has happened.
"""

import hashlib
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import Connection as Tx
from sqlalchemy import delete, select, update

from app.db import upsert
from app.models import grants
from app.vault import CannotDecrypt, Vault


@dataclass(frozen=True)
class Holding:
    """Whose consent it is: of which connection, to which app, by which company."""

    connection: str
    client_id: str
    tenant_id: str

    @property
    def seal(self) -> str:
        return f"{self.connection} grant {self.client_id} {self.tenant_id}"


@dataclass(frozen=True)
class Grant:
    """`needed`: client credentials were refused; `started_at`: a call that spends it was begun."""

    refresh_token: str = field(repr=False)
    needed: bool
    started_at: datetime | None
    is_lost: bool


def find(tx: Tx, vault: Vault, holding: Holding) -> Grant | None:
    """None also where it was given to another app, or by another company."""
    row = tx.execute(select(grants).where(grants.c.connection == holding.connection)).one_or_none()
    if row is None:
        return None
    try:
        token = vault.open(holding.seal, row.sealed)
    except CannotDecrypt:
        return None
    started_at = row.refresh_started_at if row.spending == _hash(token) else None
    return Grant(token, row.needed, started_at, row.lost_at is not None)


def put(  # noqa: PLR0913 - a row is that many things
    tx: Tx, vault: Vault, holding: Holding, token: str, now: datetime, *, needed: bool
) -> None:
    """A new one, from a consent or for one that was spent; whatever was begun is over."""
    values = {
        "sealed": vault.seal(holding.seal, token),
        "needed": needed,
        "spending": None,
        "refresh_started_at": None,
        "lost_at": None,
        "updated_at": now,
    }
    statement = upsert(tx, grants).values(connection=holding.connection, **values)
    tx.execute(statement.on_conflict_do_update(index_elements=[grants.c.connection], set_=values))


def begin(tx: Tx, connection: str, token: str, now: datetime) -> None:
    tx.execute(
        update(grants)
        .where(grants.c.connection == connection)
        .values(spending=_hash(token), refresh_started_at=now)
    )


def replace(  # noqa: PLR0913 - a row is that many things
    tx: Tx, vault: Vault, holding: Holding, spent: str, token: str, now: datetime
) -> None:
    """What came back for the one that was spent, unless a new consent has come meanwhile."""
    if _is_spending(tx, holding.connection, spent):
        put(tx, vault, holding, token, now, needed=True)


def not_spent(tx: Tx, connection: str, token: str) -> None:
    """The call was refused, or never left: the token is what it was."""
    _ended(tx, connection, token, spending=None, refresh_started_at=None)


def lose(tx: Tx, connection: str, token: str, now: datetime) -> None:
    _ended(tx, connection, token, lost_at=now)


def forget(tx: Tx, connection: str) -> None:
    tx.execute(delete(grants).where(grants.c.connection == connection))


def _is_spending(tx: Tx, connection: str, token: str) -> bool:
    query = select(grants.c.spending).where(grants.c.connection == connection)
    return tx.scalar(query.with_for_update()) == _hash(token)


def _ended(tx: Tx, connection: str, token: str, **values: Any) -> None:
    tx.execute(
        update(grants)
        .where(grants.c.connection == connection, grants.c.spending == _hash(token))
        .values(**values)
    )


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
