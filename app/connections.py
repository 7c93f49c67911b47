"""Which companies are connected, with which settings; secrets are sealed before they are stored."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from threading import Lock
from time import monotonic
from typing import Any

import structlog
from sqlalchemy import Connection as Tx
from sqlalchemy import Row, insert, select, sql, update

from app import overview, waiting, worklist
from app.db import Database
from app.documents import Document
from app.errors import CONSENT_LOST, Reason
from app.models import alarms, connections, grants, invitations, mails, tokens
from app.vault import CannotDecrypt, Vault

log = structlog.get_logger()

FRESH_SECONDS = 1.0
MAIL = ("mail", "errors")  # kind and key of the row that tells people what stands still
NOT_DELETED = connections.c.deleted_at.is_(None)
WAITING = "connection"  # what rows wait for while their connection is stopped


@dataclass(frozen=True)
class Connection:
    """`stopped`: why nothing of it can go through until a person acts; None when all is well."""

    name: str
    document: Document
    active: bool
    stopped: Reason | None
    updated_at: datetime
    consented_at: datetime | None = None


def find(tx: Tx, vault: Vault, name: str) -> Connection | None:
    row = tx.execute(select(connections).where(connections.c.name == name)).one_or_none()
    return None if row is None or row.deleted_at is not None else _connection(row, vault)


def every(tx: Tx, vault: Vault) -> list[Connection]:
    rows = tx.execute(select(connections).where(NOT_DELETED).order_by(connections.c.name))
    return [_connection(row, vault) for row in rows]


def at_work(tx: Tx) -> dict[str, datetime]:
    """The active ones that nothing stops, and since when each has the settings it has."""
    rows = tx.execute(
        select(connections.c.name, connections.c.updated_at).where(
            connections.c.active,
            connections.c.stopped.is_(None),
            NOT_DELETED,
        )
    )
    return {row.name: row.updated_at for row in rows}


def active_since(tx: Tx) -> dict[str, datetime]:
    """The active connections, and since when they stand as they do."""
    rows = tx.execute(
        select(connections.c.name, connections.c.updated_at).where(
            connections.c.active, NOT_DELETED
        )
    )
    return {row.name: row.updated_at for row in rows}


def put(tx: Tx, vault: Vault, document: Document, now: datetime) -> bool:
    """False when nothing differs from what is stored. A deleted one comes back with its log.

    A new connection whose document is complete is active at once; it is switched off and on again
    by `set_active` alone.
    """
    stored = tx.execute(
        select(connections).where(connections.c.name == document.name)
    ).one_or_none()
    if _says(stored, vault, document):
        return False
    plain, secrets = document.split()
    values: dict[str, Any] = {
        "document": plain,
        "secrets": vault.seal(document.name, secrets),
        "updated_at": now,
        "deleted_at": None,
        "stopped": None,
    }
    if stored is None:
        values |= {"name": document.name, "active": not document.missing(), "created_at": now}
        tx.execute(insert(connections).values(values))
    else:
        tx.execute(update(connections).where(connections.c.name == document.name).values(values))
        waiting.wake(tx, document.name, WAITING, now)
    return True


def set_active(tx: Tx, name: str, now: datetime, *, active: bool) -> None:
    tx.execute(
        update(connections)
        .where(connections.c.name == name)
        .values(active=active, stopped=None, updated_at=now)
    )
    waiting.wake(tx, name, WAITING, now)


def hold(tx: Tx, vault: Vault, name: str) -> Connection | None:
    """What is stored, kept from being changed by anybody else until the transaction ends."""
    tx.execute(select(connections.c.name).where(connections.c.name == name).with_for_update())
    return find(tx, vault, name)


def admit(tx: Tx, vault: Vault, held: Connection, tenant_id: str, now: datetime) -> None:
    """Its Fortnox company let it in. One that lacked nothing else is active with that."""
    access = held.document.fortnox.model_copy(update={"tenant_id": tenant_id})
    put(tx, vault, held.document.model_copy(update={"fortnox": access}), now)
    is_whole_now = held.document.missing() == ["fortnox.tenant_id"]
    tx.execute(
        update(connections)
        .where(connections.c.name == held.name)
        .values(active=held.active or is_whole_now, stopped=None, consented_at=now, updated_at=now)
    )
    waiting.wake(tx, held.name, WAITING, now)


def stop(tx: Tx, name: str, reason: Reason, now: datetime, seen: Connection | None = None) -> bool:
    """False where it stands stopped for that already, or was let in anew since it was `seen`."""
    row = tx.execute(
        select(connections.c.stopped, connections.c.consented_at)
        .where(connections.c.name == name)
        .with_for_update()
    ).one()
    if seen is not None and row.consented_at != seen.consented_at:
        return False
    if row.stopped and row.stopped["code"] in (reason.code, CONSENT_LOST):
        return False
    tx.execute(
        update(connections)
        .where(connections.c.name == name)
        .values(stopped={"code": reason.code, "facts": reason.facts}, updated_at=now)
    )
    kind, key = MAIL
    told = overview.rows_of(tx, name, kind, [key])
    worklist.retry(tx, [row.id for row in told.values()], now)  # at once
    return True


def is_stopped(tx: Tx, name: str) -> bool:
    """As it stands now, whatever was known when a run began."""
    return tx.scalar(select(connections.c.stopped).where(connections.c.name == name)) is not None


def resume(tx: Tx, name: str, now: datetime) -> None:
    tx.execute(
        update(connections)
        .where(connections.c.name == name, connections.c.stopped.is_not(None))
        .values(stopped=None, updated_at=now)
    )


def delete(tx: Tx, vault: Vault, name: str, now: datetime) -> None:
    """Settings and secrets go; links and the transfer log stay, so that nothing is made twice."""
    tx.execute(
        update(connections)
        .where(connections.c.name == name)
        .values(
            document={"name": name},
            secrets=vault.seal(name, {}),
            active=False,
            consented_at=None,
            deleted_at=now,
            updated_at=now,
        )
    )
    for kept in (tokens, grants, invitations, alarms, mails):
        tx.execute(sql.delete(kept).where(kept.c.connection == name))


class Directory:
    """All connections in memory, at most a second old; asked for every knock at a webhook door.

    Only what has changed is read and opened again.
    """

    def __init__(self, db: Database, vault: Vault) -> None:
        self._db, self._vault, self._lock = db, vault, Lock()
        self._known: Mapping[str, Connection] = {}
        self._standing: dict[str, datetime] = {}  # of each, when what was read had been written
        self._unreadable: set[tuple[str, datetime]] = set()  # those that were told of
        self._read_at = -FRESH_SECONDS

    @property
    def is_fresh(self) -> bool:
        return monotonic() - self._read_at < FRESH_SECONDS

    def get(self, name: str) -> Connection | None:
        return self._known.get(name)

    def everybody(self) -> Collection[Connection]:
        """As they are now."""
        self.forget()
        self.refresh()
        return self._known.values()

    def forget(self) -> None:
        self._read_at = -FRESH_SECONDS

    def is_alone(self, name: str, fortnox_tenant: str) -> bool:
        """Whether no other active connection writes to this Fortnox company."""
        self.refresh()
        return not any(
            one.active and one.document.fortnox.tenant_id == fortnox_tenant
            for one in self._known.values()
            if one.name != name
        )

    def refresh(self) -> None:
        with self._lock:
            if self.is_fresh:
                return
            began = monotonic()
            with self._db.reading() as tx:
                standing = _standing(tx)
                changed = [name for name, at in standing.items() if self._standing.get(name) != at]
                query = select(connections).where(connections.c.name.in_(changed))
                rows = tx.execute(query).all() if changed else []
            known = {name: one for name, one in self._known.items() if name in standing}
            for row in rows:
                self._learn(known, row)
            self._standing = {name: at for name, at in standing.items() if name in known}
            self._known, self._read_at = known, began

    def _learn(self, known: dict[str, Connection], row: Row[Any]) -> None:
        """One whose secrets no key opens is not known; it must not close the others' doors."""
        try:
            known[row.name] = _connection(row, self._vault)
        except CannotDecrypt:
            known.pop(row.name, None)
            if (row.name, row.updated_at) not in self._unreadable:
                self._unreadable.add((row.name, row.updated_at))
                log.error("connection.unreadable", connection=row.name)  # noqa: TRY400 - it says all


def _standing(tx: Tx) -> dict[str, datetime]:
    """Of every connection that is not deleted, when it was last changed."""
    query = select(connections.c.name, connections.c.updated_at)
    return {row.name: row.updated_at for row in tx.execute(query.where(NOT_DELETED))}


def _says(stored: Row[Any] | None, vault: Vault, document: Document) -> bool:
    if stored is None or stored.deleted_at is not None:
        return False
    return _connection(stored, vault).document == document


def _connection(row: Row[Any], vault: Vault) -> Connection:
    secrets = vault.open(row.name, row.secrets)
    return Connection(
        name=row.name,
        document=Document.join(row.document, secrets),
        active=row.active,
        stopped=Reason(**row.stopped) if row.stopped else None,
        updated_at=row.updated_at,
        consented_at=row.consented_at,
    )
