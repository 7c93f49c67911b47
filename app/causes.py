"""What people must know of: everything that stands still, put together by its cause."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection as Tx
from sqlalchemy import Row, and_, or_, select

from app import clock
from app.connections import WAITING, Connection
from app.errors import Reason, because
from app.models import OPEN, outages, work
from app.outages import OPENS_AFTER
from app.worklist import TRANSFERS

GATHER = timedelta(minutes=2)  # so that a burst is one mail
LONG_OUTAGE = timedelta(hours=4)  # one that ends by itself before that is nobody's trouble
LONG_WAIT = timedelta(days=1)
SHOWN = 20


@dataclass(frozen=True)
class Cause:
    """Everything that stands still for one reason. `records`: the first of `count`."""

    key: str
    reason: Reason
    since: datetime
    count: int = 0
    records: Sequence[Mapping[str, Any]] = ()

    @property
    def patience(self) -> timedelta:
        """Nothing at all gets through: that is told at once."""
        return timedelta(0) if self.key.startswith("stopped:") else GATHER

    def told(self) -> dict[str, Any]:
        """A cause as a mail's row keeps it: codes and facts, in no language yet."""
        return {
            "key": self.key,
            "reason": {"code": self.reason.code, "facts": self.reason.facts},
            "since": clock.iso(self.since),
            "count": self.count,
            "records": list(self.records),
        }


def standing(tx: Tx, of: Connection, now: datetime) -> list[Cause]:
    found: dict[str, list[Row[Any]]] = defaultdict(list)
    for row in _stuck(tx, of.name, now):
        stopped = of.stopped is not None and row.waits_for == WAITING
        found[_stop_key(of.stopped) if stopped else _key(row.reason)].append(row)
    if of.stopped is not None:
        found.setdefault(_stop_key(of.stopped), [])
    return [
        *(_cause(key, rows, of, now) for key, rows in found.items()),
        *_outages(tx, of.name, now),
    ]


def _cause(key: str, rows: Sequence[Row[Any]], of: Connection, now: datetime) -> Cause:
    rows = sorted(rows, key=lambda row: (row.received_at, row.id))
    if of.stopped is not None and key == _stop_key(of.stopped):
        reason, since = of.stopped, now
    else:
        reason, since = Reason(**rows[0].reason), rows[0].received_at
    return Cause(key, reason, since, len(rows), [_record(row) for row in rows[:SHOWN]])


def _stuck(tx: Tx, connection: str, now: datetime) -> list[Row[Any]]:
    """What needs a person; and what has been tried in vain for a day, whatever it waits for."""
    tried = and_(
        work.c.state == "waiting",
        work.c.failing_since < now - LONG_WAIT,
        work.c.waits_for.is_(None),
    )
    rows = tx.execute(
        select(
            work.c.id,
            work.c.kind,
            work.c.key,
            work.c.source_label,
            work.c.target_label,
            work.c.reason,
            work.c.received_at,
            work.c.waits_for,
        ).where(
            work.c.connection == connection,
            work.c.kind.in_(TRANSFERS),
            OPEN,
            or_(work.c.state.in_(("blocked", "failed")), tried),
            work.c.reason.is_not(None),
        )
    )
    return [*rows]


def _outages(tx: Tx, connection: str, now: datetime) -> list[Cause]:
    rows = tx.execute(
        select(outages).where(
            outages.c.connection == connection,
            outages.c.failures >= OPENS_AFTER,
            outages.c.since < now - LONG_OUTAGE,
        )
    )
    return [
        Cause(f"outage:{row.system}", because("vendor_silent", system=row.system), row.since)
        for row in rows
    ]


def _key(reason: Mapping[str, Any]) -> str:
    """Giving up, or being held up, for different reasons is not the same cause."""
    facts = reason["facts"]
    inner = facts.get("cause") or facts.get("why") or ""
    return f"{reason['code']}:{inner}"[:160]


def _stop_key(reason: Reason | None) -> str:
    return f"stopped:{reason.code if reason else ''}"


def _record(row: Row[Any]) -> dict[str, Any]:
    return {
        "kind": row.kind,
        "label": row.source_label or row.key,
        "target": row.target_label or "",
        "reason": row.reason,
    }
