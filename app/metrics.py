"""The figures for Prometheus: what this process heard, and what the tables say at this moment."""

from collections import Counter as Tally
from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any

from prometheus_client import CollectorRegistry, Counter, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.process_collector import ProcessCollector
from prometheus_client.registry import Collector
from sqlalchemy import Column, Select, func, select
from sqlalchemy import Connection as Tx
from sqlalchemy.exc import SQLAlchemyError

from app import worklist
from app.db import Database
from app.listened import STANDING
from app.models import connections, cursors, outages, processes, work

MEDIA_TYPE = "text/plain; version=0.0.4; charset=utf-8"
SOURCES = ("severa", "fortnox")
STATUSES = ("accepted", "ignored", "duplicate", "conflict", "refused")

COUNTED = CollectorRegistry()
ProcessCollector(registry=COUNTED)
_events = Counter(
    "bridge_events", "Events heard by this process", ("source", "status"), registry=COUNTED
)


def heard(source: str, status: str, count: int = 1) -> None:
    """Counts events; words that are not ours are counted as `other`."""
    _events.labels(
        source if source in SOURCES else "other", status if status in STATUSES else "other"
    ).inc(count)


def text(db: Database, now: datetime) -> bytes:
    """Prometheus text; while the database is away, `bridge_database_up 0` and no tables."""
    registry = CollectorRegistry()
    registry.register(_Tables(db, now))
    return generate_latest(COUNTED) + generate_latest(registry)


class _Tables(Collector):
    def __init__(self, db: Database, now: datetime) -> None:
        self._db, self._now = db, now

    def collect(self) -> Iterable[Metric]:
        try:
            with self._db.reading() as tx:
                figures = list(_figures(tx, self._now))
        except SQLAlchemyError:
            return [GaugeMetricFamily("bridge_database_up", "Whether it answers", value=0)]
        return [GaugeMetricFamily("bridge_database_up", "Whether it answers", value=1), *figures]

    def describe(self) -> Iterable[Metric]:
        return []


def _figures(tx: Tx, now: datetime) -> Iterator[Metric]:
    yield _work(tx)
    due = worklist.backlog(tx, now)
    yield GaugeMetricFamily("bridge_due", "Rows that are due and may run", value=due.due)
    age = (now - due.oldest).total_seconds() if due.oldest else 0
    yield GaugeMetricFamily("bridge_oldest_due_seconds", "Age of the longest due row", value=age)
    yield _outages(tx)
    yield _connections(tx)
    yield _seen(tx)
    yield _lag(tx, now)


def _work(tx: Tx) -> Metric:
    """Kinds that are no transfers are upkeep: polls, sweeps, mails."""
    tally: Tally[tuple[str, str]] = Tally()
    query = select(work.c.kind, work.c.state, func.count()).group_by(work.c.kind, work.c.state)
    for kind, state, count in tx.execute(query):
        tally[kind if kind in worklist.TRANSFERS else "upkeep", state] += count
    family = GaugeMetricFamily("bridge_work", "Rows of the work list", labels=("kind", "state"))
    for labels, count in sorted(tally.items()):
        family.add_metric(labels, count)
    return family


def _outages(tx: Tx) -> Metric:
    query = select(outages.c.system, func.count()).where(outages.c.probe_at.is_not(None))
    open_now = {row[0]: row[1] for row in tx.execute(query.group_by(outages.c.system))}
    family = GaugeMetricFamily(
        "bridge_outages", "Connections whose partner system does not answer", labels=("system",)
    )
    for system in SOURCES:
        family.add_metric((system,), open_now.get(system, 0))
    return family


def _connections(tx: Tx) -> Metric:
    stopped = connections.c.stopped.is_not(None)
    query = select(connections.c.active, stopped, func.count())
    query = query.where(connections.c.deleted_at.is_(None))
    tally: Tally[str] = Tally({"active": 0, "inactive": 0, "stopped": 0})
    for active, halted, count in tx.execute(query.group_by(connections.c.active, stopped)):
        tally["inactive" if not active else "stopped" if halted else "active"] += count
    family = GaugeMetricFamily("bridge_connections", "Connections", labels=("state",))
    for state, count in sorted(tally.items()):
        family.add_metric((state,), count)
    return family


def _seen(tx: Tx) -> Metric:
    query = select(processes.c.kind, func.max(processes.c.seen_at)).group_by(processes.c.kind)
    family = GaugeMetricFamily(
        "bridge_process_seen_timestamp_seconds", "Last sign of life", labels=("kind",)
    )
    for kind, seen_at in tx.execute(query):
        family.add_metric((kind,), seen_at.timestamp())
    return family


def _lag(tx: Tx, now: datetime) -> Metric:
    """Of the connection that is furthest behind, among the active ones that nothing stops."""
    family = GaugeMetricFamily(
        "bridge_lag_seconds", "Time since a source was last heard or asked", labels=("source",)
    )
    listener = tx.scalar(_oldest(cursors.c.seen_at).where(cursors.c.name == STANDING))
    polls = tx.scalar(_oldest(cursors.c.updated_at).where(cursors.c.name.startswith("poll:")))
    for source, last in (("listener", listener), ("poll", polls)):
        if last is not None:
            family.add_metric((source,), (now - last).total_seconds())
    return family


def _oldest(when: Column[Any]) -> Select[Any]:
    return (
        select(func.min(when))
        .join(connections, connections.c.name == cursors.c.connection)
        .where(connections.c.active, connections.c.stopped.is_(None))
    )
