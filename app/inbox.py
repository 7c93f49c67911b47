"""What was heard: every event is kept once per identity, with the work it points to."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any, Literal

from sqlalchemy import Connection as Tx
from sqlalchemy import Row, func, select, update
from sqlalchemy.dialects.postgresql import Insert

from app import ids, inbox_at_once, tracing, worklist
from app.bulk import Bulk, Lookup
from app.columns import microseconds
from app.models import events
from app.worklist import Want

LONGEST_IDENTITY = 255

Source = Literal["severa", "fortnox"]
At = tuple[str, str, str]  # connection, source and identity


@dataclass(frozen=True)
class Heard:
    """`want` None: understood, but nothing follows; `reason` says why. `trace`: the traceparent of
    what brought it, where that is not under way in this thread any more.
    """

    connection: str
    source: Source
    door: Literal["webhook", "listener", "poll"]
    identity: str
    body: bytes
    type: str
    want: Want | None
    reason: str | None = None
    trace: str | None = None

    @property
    def at(self) -> At:
        return self.connection, self.source, self.identity

    @cached_property
    def body_hash(self) -> str:
        return hashlib.sha256(self.body).hexdigest()


@dataclass(frozen=True)
class Receipt:
    """`conflict`: this identity was kept before, with another body."""

    id: str
    status: Literal["accepted", "ignored", "duplicate", "conflict"]


def identity_of(text: str) -> str:
    """What fits the column: a very long identity is kept as its hash."""
    if len(text) <= LONGEST_IDENTITY:
        return text
    return f"sha256:{hashlib.sha256(text.encode()).hexdigest()}"


def identity_of_body(body: bytes) -> str:
    return f"sha256:{hashlib.sha256(body).hexdigest()}"


def receive(tx: Tx, heard: Sequence[Heard], now: datetime) -> list[Receipt]:
    """Keeps what is new and marks the work it points to; one receipt for each, in order."""
    first: dict[At, Heard] = {}
    for one in heard:
        first.setdefault(one.at, one)
    known = (_in_steps if tx.dialect.name == "sqlite" else _at_once)(tx, first, now)
    told: set[str] = set()
    receipts = []
    for one in heard:
        stored_id, stored_hash, stored_status, is_new = known[one.at]
        if stored_hash != one.body_hash:
            receipts.append(Receipt(stored_id, "conflict"))
        elif is_new and stored_id not in told:
            receipts.append(Receipt(stored_id, stored_status))
        else:
            receipts.append(Receipt(stored_id, "duplicate"))
        told.add(stored_id)
    return receipts


def find(tx: Tx, event_id: str) -> Row[Any] | None:
    return tx.execute(select(events).where(events.c.id == event_id)).one_or_none()


def about(tx: Tx, work_id: str) -> Sequence[Row[Any]]:
    """The events that pointed to one row of the work list, oldest first."""
    return tx.execute(select(events).where(events.c.work_id == work_id).order_by(events.c.id)).all()


def latest(tx: Tx, work_id: str) -> tuple[str, str | None]:
    """The event that pointed to this row last, and its trace; an empty id where there is none."""
    row = tx.execute(
        select(events.c.id, events.c.trace)
        .where(events.c.work_id == work_id)
        .order_by(events.c.id.desc())
        .limit(1)
    ).one_or_none()
    return (row.id, row.trace) if row else ("", None)


def last_told(tx: Tx, work_id: str) -> datetime | None:
    """When somebody last told of this row by himself; a poll only asks."""
    told: datetime | None = tx.scalar(
        select(func.max(events.c.received_at)).where(
            events.c.work_id == work_id, events.c.door != "poll"
        )
    )
    return told


def point_to(tx: Tx, old_work_id: str, new_work_id: str) -> None:
    """What was heard about one row turned out to be about another."""
    tx.execute(update(events).where(events.c.work_id == old_work_id).values(work_id=new_work_id))


Known = dict[At, tuple[str, str, Any, bool]]


def _at_once(tx: Tx, first: Mapping[At, Heard], now: datetime) -> Known:
    """What another process kept in the same moment is read back as already known."""
    stamp, many = microseconds(now), len(first)
    made = zip(ids.several("evt", many), ids.several("trf", many), first.values(), strict=True)
    rows = [
        (*_row(event_id, one, None, stamp), *_todo(work_id, one.want, stamp))
        for event_id, work_id, one in made
    ]
    known: Known = {}
    for connection, source, identity, *kept in inbox_at_once.receive(tx, rows):
        event_id, body_hash, status, is_new = kept
        known[connection, source, identity] = event_id, body_hash, status, is_new
    lost = [at for at in first if at not in known]
    return known | (_known(tx, lost) if lost else {})


def _todo(work_id: str, want: Want | None, now: int) -> Sequence[Any]:
    return worklist.new_row(work_id, want, now) if want else (None,) * len(worklist.NEW)


def _in_steps(tx: Tx, first: Mapping[At, Heard], now: datetime) -> Known:
    known = _known(tx, list(first))
    fresh = [one for at, one in first.items() if at not in known]
    work_ids = worklist.enqueue(tx, [one.want for one in fresh if one.want], now)
    return known | _keep(tx, fresh, work_ids, now)


def _known(tx: Tx, identities: Sequence[At]) -> Known:
    return {
        (connection, source, identity): (event_id, body_hash, status, False)
        for connection, source, identity, event_id, body_hash, status in _FIND.find(tx, identities)
    }


def _keep(tx: Tx, fresh: Sequence[Heard], work_ids: Mapping[At, str], now: datetime) -> Known:
    if not fresh:
        return {}
    made, stamp = ids.several("evt", len(fresh)), microseconds(now)
    rows = [
        _row(event_id, one, work_ids[one.want.at] if one.want else None, stamp)
        for event_id, one in zip(made, fresh, strict=True)
    ]
    _KEEP.insert(tx, rows)
    return {
        one.at: (event_id, one.body_hash, _status(one), True)
        for event_id, one in zip(made, fresh, strict=True)
    }


def _plainly(statement: Insert) -> Insert:
    """SQLite has one writer: what was not known a moment ago is not known now."""
    return statement


_AT = (events.c.connection, events.c.source, events.c.identity)
_FIND = Lookup((*_AT, events.c.id, events.c.body_hash, events.c.status), _AT)
_KEEP = Bulk(events, [column.name for column in events.c], _plainly)


def _status(one: Heard) -> str:
    return "accepted" if one.want else "ignored"


def _row(event_id: str, one: Heard, work_id: str | None, now: int) -> tuple[Any, ...]:
    """Every column, in the order of the table; `now`: as it is stored."""
    return (
        event_id,
        one.connection,
        one.source,
        one.door,
        one.identity,
        one.body_hash,
        one.body,
        one.type[:100],
        _status(one),
        one.reason,
        work_id,
        now,
        one.trace or tracing.current(),
    )
