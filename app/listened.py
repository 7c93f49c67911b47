"""Whom the listener hears, whom it cannot hear and why, and what it may have missed.

One row of the cursors for each connection says whether it is on the socket; another for each topic
of which events may have been lost, until a poll of the same register has run after it.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection as Tx

from app import clock, cursors
from app.cursors import Entry
from app.errors import Reason

STANDING = "listener"
GAP = "gap:"
POLLED = {"vouchers": ("invoices", "supplierinvoices")}  # what a voucher tells of, elsewhere
KEPT = timedelta(days=14)  # how long Fortnox can send an event again


@dataclass(frozen=True)
class Standing:
    """`heard_at`: when it was last on the socket; `reason`: why it is not, None when it is."""

    reason: Reason | None
    heard_at: datetime | None
    said_at: datetime


@dataclass(frozen=True)
class Gap:
    """Events of this topic may have been lost between these instants."""

    connection: str
    topic: str
    since: datetime
    until: datetime


def standings(tx: Tx) -> dict[str, Standing]:
    return {
        row.connection: _standing(row.value, row.seen_at, row.updated_at)
        for row in cursors.called(tx, [STANDING])
    }


def standing(tx: Tx, connection: str) -> Standing | None:
    return standings(tx).get(connection)


def say(tx: Tx, heard: Iterable[str], refused: Mapping[str, Reason], now: datetime) -> None:
    on = [Entry(name, STANDING, "", told=True) for name in heard]
    off = [
        Entry(name, STANDING, json.dumps({"code": why.code, "facts": why.facts}))
        for name, why in refused.items()
    ]
    cursors.put_all(tx, [*on, *off], now)


def missed(tx: Tx, gaps: Iterable[Gap], now: datetime) -> None:
    """A gap that is known already grows."""
    known = {(one.connection, one.topic): one for one in open_gaps(tx)}
    entries = []
    for gap in gaps:
        before = known.get((gap.connection, gap.topic))
        since = min(gap.since, before.since) if before else gap.since
        value = f"{clock.iso(since)}/{clock.iso(gap.until)}"
        entries.append(Entry(gap.connection, f"{GAP}{gap.topic}", value))
    cursors.put_all(tx, entries, now)


def open_gaps(tx: Tx, connection: str | None = None) -> list[Gap]:
    """Those that no poll of the same register has closed."""
    rows = cursors.beginning_with(tx, (GAP, "poll:fortnox:"), connection)
    polled = {
        (row.connection, _plain(row.name.removeprefix("poll:fortnox:"))): row.updated_at
        for row in rows
        if not row.name.startswith(GAP)
    }
    gaps = [_gap(row.connection, row.name, row.value) for row in rows if row.name.startswith(GAP)]
    return [gap for gap in gaps if not _is_closed(gap, polled)]


def _is_closed(gap: Gap, polled: Mapping[tuple[str, str], datetime]) -> bool:
    """A poll goes on where it left: one run after the gap has seen what changed in it."""
    registers = POLLED.get(gap.topic, (_plain(gap.topic),))
    runs = [polled.get((gap.connection, register)) for register in registers]
    return all(run is not None and run > gap.until for run in runs)


def _standing(value: str, seen_at: datetime | None, updated_at: datetime) -> Standing:
    return Standing(Reason(**json.loads(value)) if value else None, seen_at, updated_at)


def _gap(connection: str, name: str, value: str) -> Gap:
    since, _, until = value.partition("/")
    return Gap(
        connection,
        name.removeprefix(GAP),
        datetime.fromisoformat(since),
        datetime.fromisoformat(until),
    )


def _plain(register: str) -> str:
    """Topics, and the registers of the API, spell the same thing in different ways."""
    return register.replace("-", "").replace("_", "").lower()
