"""Who did what, when, and from where: one row for each thing a person made happen.

Written in the transaction that does it, never changed, never deleted.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, get_args

from sqlalchemy import Connection as Tx
from sqlalchemy import Row, insert, select

from app import ids
from app.identity import Identity
from app.models import audit

Action = Literal[
    "connection.created",
    "connection.changed",
    "connection.deleted",
    "connection.activated",
    "connection.deactivated",
    "transfers.retried",
    "mail.tested",
    "backfill.started",
    "backfill.cancelled",
    "consent.invited",
    "consent.given",
    "key.created",
    "key.revoked",
    "person.added",
    "person.changed",
    "person.removed",
    "secrets.resealed",
]
ACTIONS: tuple[Action, ...] = get_args(Action)


@dataclass(frozen=True)
class Filter:
    """What is left empty does not matter; `until` itself is outside."""

    connection: str = ""
    actions: Sequence[str] = ()
    who: str = ""
    since: datetime | None = None
    until: datetime | None = None


def write(
    tx: Tx, who: Identity, action: Action, connection: str | None, now: datetime, **facts: Any
) -> None:
    """`facts`: JSON, without a secret in it."""
    tx.execute(
        insert(audit).values(
            id=ids.new("aud"),
            at=now,
            action=action,
            connection=connection,
            who_kind=who.kind,
            who_id=who.id,
            who_name=who.name,
            origin=who.origin,
            facts=facts,
        )
    )


def page(tx: Tx, only: Filter, before: str, limit: int) -> Sequence[Row[Any]]:
    """At most `limit` rows, newest first, older than the row `before`."""
    query = select(audit)
    if only.connection:
        query = query.where(audit.c.connection == only.connection)
    if only.actions:
        query = query.where(audit.c.action.in_(only.actions))
    if only.who:
        query = query.where(audit.c.who_id == only.who)
    if only.since:
        query = query.where(audit.c.at >= only.since)
    if only.until:
        query = query.where(audit.c.at < only.until)
    if before:
        query = query.where(audit.c.id < before)
    return tx.execute(query.order_by(audit.c.id.desc()).limit(limit)).all()
