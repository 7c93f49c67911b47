"""What is forgotten after the retention time, and what is kept for the law.

Forgotten: what was heard, what exactly was written, and processes that are no more. Kept: the
transfer log, the links, and of every write its time, its target and the hash of what was sent
(behandlingshistorik, Bokföringslagen 5 kap. 11 §), without which a posting cannot be followed for
seven years. What is not settled yet is kept as it is.
"""

import hashlib
import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection as Tx
from sqlalchemy import Row, Select, and_, delete, or_, select, update

from app import processes, worklist
from app.db import Database
from app.models import connections, effects, events, work
from app.worklist import BACKGROUND, Want

IDENTITIES = timedelta(days=90)  # a copy that comes later than that is no copy any more
EVERY = timedelta(days=1)
FIRST = timedelta(hours=1)  # after a connection was seen first: nothing hurries
BATCH = 250
SETTLED = ("done", "skipped")
WAY_ONLY = 3  # fields: so few say which way was gone, and are no record


@dataclass(frozen=True)
class Limits:
    """Content from before `content` goes, and events from before `identities` as a whole."""

    content: datetime
    identities: datetime


def limits(now: datetime, kept: timedelta) -> Limits:
    return Limits(now - kept, now - max(kept, IDENTITIES))


def plant(db: Database, now: datetime) -> None:
    """A row of the work list for every active connection that has none."""
    with db.reading() as tx:
        missing = _missing(tx)
    if missing:
        with db.transaction() as tx:
            for name in missing:
                want = Want(name, "retention", "all", BACKGROUND)
                worklist.plant(tx, want, now + FIRST, now)


def _missing(tx: Tx) -> Sequence[str]:
    going = select(work.c.connection).where(
        work.c.kind == "retention", or_(work.c.due_at.is_not(None), work.c.state == "running")
    )
    names = select(connections.c.name).where(connections.c.active, connections.c.name.not_in(going))
    return tx.scalars(names).all()


def served_by(tx: Tx, name: str) -> list[str]:
    """Itself, and all that are switched off or deleted: those have no row of their own."""
    return [name, *tx.scalars(select(connections.c.name).where(~connections.c.active))]


def forget(tx: Tx, names: Collection[str], before: Limits) -> int:
    """One batch of each kind; answers how many rows changed: 0 when there is nothing left."""
    return (
        _forget_events(tx, names, before)
        + _forget_bodies(tx, names, before)
        + _forget_payloads(tx, names, before)
        + processes.forget_old(tx, before.content)
    )


def _forget_events(tx: Tx, names: Collection[str], before: Limits) -> int:
    ids = _ids(tx, _settled_events(names).where(events.c.received_at < before.identities))
    tx.execute(delete(events).where(events.c.id.in_(ids)))
    return len(ids)


def _forget_bodies(tx: Tx, names: Collection[str], before: Limits) -> int:
    old = _settled_events(names).where(
        events.c.received_at < before.content, events.c.body.is_not(None)
    )
    ids = _ids(tx, old)
    tx.execute(update(events).where(events.c.id.in_(ids)).values(body=None))
    return len(ids)


def _forget_payloads(tx: Tx, names: Collection[str], before: Limits) -> int:
    """The hash of what was sent stays in its place."""
    rows = tx.execute(
        select(effects.c.id, effects.c.payload)
        .outerjoin(work, work.c.id == effects.c.work_id)
        .where(effects.c.connection.in_(names), effects.c.payload_hash.is_(None))
        .where(effects.c.state.in_(("done", "refused")), effects.c.settled_at < before.content)
        .where(or_(work.c.id.is_(None), work.c.state.in_(SETTLED)))
        .order_by(effects.c.id)
        .limit(BATCH)
    ).all()
    for row in rows:
        keeps = row.payload is None or len(row.payload) <= WAY_ONLY
        values = {"payload_hash": hash_of(row.payload)} | ({} if keeps else {"payload": None})
        tx.execute(update(effects).where(effects.c.id == row.id).values(values))
    return len(rows)


def hash_of(payload: Any) -> str:
    """SHA-256 of the payload as JSON with sorted names and no spaces."""
    text = json.dumps(payload, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def _settled_events(names: Collection[str]) -> Select[Any]:
    return (
        select(events.c.id)
        .outerjoin(work, work.c.id == events.c.work_id)
        .where(events.c.connection.in_(names))
        .where(or_(work.c.id.is_(None), work.c.state.in_(SETTLED)))
    )


def _ids(tx: Tx, query: Select[Any]) -> list[str]:
    return list(tx.scalars(query.order_by(events.c.received_at).limit(BATCH)))


def history(
    tx: Tx, connection: str, period: tuple[datetime, datetime], after: str, limit: int
) -> Sequence[Row[Any]]:
    """Writes done in `period` (its end is outside), oldest first, after the row `after`."""
    since, until = period
    wanted = and_(effects.c.settled_at >= since, effects.c.settled_at < until)
    return tx.execute(
        select(effects, work.c.kind, work.c.key, work.c.source_label, work.c.target_label)
        .outerjoin(work, work.c.id == effects.c.work_id)
        .where(effects.c.connection == connection, effects.c.state == "done", wanted)
        .where(effects.c.id > after)
        .order_by(effects.c.id)
        .limit(limit)
    ).all()
