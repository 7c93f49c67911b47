"""How one connection is doing: what is stuck and why, what went through, and how fast."""

import statistics
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import BigInteger, Row, Text, func, or_, select, type_coerce
from sqlalchemy import Connection as Tx

from app import clock
from app.errors import Reason
from app.models import OPEN, backfills, work
from app.worklist import TRANSFERS

STUCK = ("blocked", "failed")
NOT_THROUGH = ("queued", "running", "waiting", "blocked", "failed")
HOUR = 3_600_000_000  # microseconds
RECENT = 200
RATE_LIMITED = '{"code": "rate_limited"'  # how such a stored reason begins


@dataclass(frozen=True)
class Cause:
    """Everything that stands still for the same reason; `example` has the facts of one of them."""

    code: str
    state: str
    count: int
    since: datetime
    example: Reason
    names: tuple[str, ...]


@dataclass(frozen=True)
class Day:
    day: date
    through: int
    stuck: int


@dataclass(frozen=True)
class Speed:
    """Seconds from the first word of it to its end; None while there are none to measure."""

    median: float | None
    slow: float | None
    count: int


@dataclass(frozen=True)
class Queue:
    """What has to wait for its turn; `done_by`: at the pace of the last minutes."""

    waiting: int
    done_by: datetime | None


def standing(tx: Tx, connection: str) -> dict[str, int]:
    """How many transfers are in each state, of those that are not through."""
    query = (
        select(work.c.state, func.count())
        .where(work.c.connection == connection, work.c.state.in_(NOT_THROUGH), OPEN)
        .where(work.c.kind.in_(TRANSFERS))
        .group_by(work.c.state)
    )
    return {row[0]: row[1] for row in tx.execute(query)}


def causes(tx: Tx, connection: str, states: Sequence[str] = STUCK) -> list[Cause]:
    """The most frequent first."""
    query = select(
        work.c.state, work.c.reason, work.c.received_at, work.c.source_label, work.c.key
    ).where(
        work.c.connection == connection,
        work.c.state.in_(states),
        OPEN,
        work.c.kind.in_(TRANSFERS),
    )
    found: dict[tuple[str, str], list[Any]] = defaultdict(list)
    for row in tx.execute(query):
        found[row.reason["code"] if row.reason else "", row.state].append(row)
    grouped = [_cause(code, state, rows) for (code, state), rows in found.items()]
    return sorted(grouped, key=lambda one: (-one.count, one.since))


def since(tx: Tx, connection: str, instant: datetime) -> dict[str, dict[str, int]]:
    """kind → state → how many were last heard of since then."""
    query = (
        select(work.c.kind, work.c.state, func.count())
        .where(work.c.connection == connection, work.c.received_at >= instant)
        .where(work.c.kind.in_(TRANSFERS))
        .group_by(work.c.kind, work.c.state)
    )
    found: dict[str, dict[str, int]] = defaultdict(dict)
    for kind, state, count in tx.execute(query):
        found[kind][state] = count
    return found


def days(tx: Tx, connection: str, now: datetime, many: int = 30) -> list[Day]:
    """The last days in Stockholm, today last."""
    today = clock.today(now)
    first = today - timedelta(days=many - 1)
    midnight = datetime(first.year, first.month, first.day, tzinfo=clock.STOCKHOLM)
    hour = (type_coerce(work.c.received_at, BigInteger) // HOUR).label("hour")
    query = (
        select(hour, work.c.state, func.count())
        .where(work.c.connection == connection, work.c.received_at >= midnight)
        .where(work.c.kind.in_(TRANSFERS))
        .group_by(hour, work.c.state)
    )
    counts: Mapping[date, dict[str, int]] = defaultdict(lambda: {"through": 0, "stuck": 0})
    for number, state, count in tx.execute(query):
        at = datetime.fromtimestamp(int(number) * 3600, tz=clock.STOCKHOLM).date()
        if state in ("done", "skipped"):
            counts[at]["through"] += count
        elif state in STUCK:
            counts[at]["stuck"] += count
    some = (first + timedelta(days=n) for n in range(many))
    return [Day(day, counts[day]["through"], counts[day]["stuck"]) for day in some]


def speed(tx: Tx, connection: str, kind: str) -> Speed:
    """Of the last transfers of this kind: from being heard of to being through."""
    query = (
        select(work.c.received_at, work.c.settled_at)
        .where(work.c.connection == connection, work.c.kind == kind, work.c.state == "done")
        .order_by(work.c.received_at.desc())
        .limit(RECENT)
    )
    took = [
        (row.settled_at - row.received_at).total_seconds()
        for row in tx.execute(query)
        if row.settled_at and row.settled_at >= row.received_at
    ]
    if not took:
        return Speed(None, None, 0)
    slow = sorted(took)[int(len(took) * 0.9)] if len(took) > 1 else took[0]
    return Speed(statistics.median(took), slow, len(took))


def queue(tx: Tx, connection: str, now: datetime) -> Queue:
    """Rows that are due now, and those that were due when the budget of calls was spent."""
    limited = type_coerce(work.c.reason, Text).startswith(RATE_LIMITED)
    due = tx.scalar(
        select(func.count()).where(
            work.c.connection == connection,
            work.c.state.in_(("queued", "waiting")),
            or_(work.c.state == "queued", limited),
            OPEN,
            work.c.kind.in_(TRANSFERS),
        )
    )
    if not due:
        return Queue(0, None)
    minutes = timedelta(minutes=5)
    ended = tx.scalar(
        select(func.count()).where(
            work.c.connection == connection,
            work.c.started_at >= now - minutes,
            work.c.settled_at >= work.c.started_at,
            work.c.kind.in_(TRANSFERS),
        )
    )
    return Queue(due, now + minutes * (due / ended) if ended else None)


def backfills_under_way(tx: Tx, connection: str) -> list[Row[Any]]:
    return list(
        tx.execute(
            select(backfills).where(
                backfills.c.connection == connection, backfills.c.finished_at.is_(None)
            )
        )
    )


def _cause(code: str, state: str, rows: Iterable[Any]) -> Cause:
    oldest = sorted(rows, key=lambda row: row.received_at)
    example = Reason(**oldest[0].reason) if oldest[0].reason else Reason(code)
    names = tuple(row.source_label or row.key for row in oldest[:3])
    return Cause(code, state, len(oldest), oldest[0].received_at, example, names)
