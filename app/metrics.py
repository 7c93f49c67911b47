"""The figures for Prometheus: what all processes counted, and what the tables say now."""

from collections import Counter as Tally
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from importlib.metadata import version
from itertools import accumulate
from typing import Any

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.process_collector import ProcessCollector
from prometheus_client.registry import Collector
from redis import Redis
from redis.exceptions import RedisError
from sqlalchemy import Column, Select, func, select
from sqlalchemy import Connection as Tx
from sqlalchemy.exc import SQLAlchemyError

from app import connections as companies
from app import figures, limits, overview, worklist
from app.db import Database
from app.errors import System
from app.figures import Sum
from app.listened import STANDING
from app.models import connections, cursors, outages, processes, work
from app.settings import Rate

MEDIA_TYPE = "text/plain; version=0.0.4; charset=utf-8"
SOURCES = ("severa", "fortnox")
OPEN = (*worklist.UNSETTLED, "blocked", "failed")

OWN = CollectorRegistry()
ProcessCollector(registry=OWN)


def text(db: Database, redis: Redis, rates: Mapping[System, Rate], now: datetime) -> bytes:
    """Prometheus text. While the database or Redis is away, its `_up` is 0 and its part missing."""
    registry = CollectorRegistry()
    figures.HERE.hand_over(redis)
    registry.register(_Everything(db, redis, rates, now))
    return generate_latest(OWN) + generate_latest(registry)


class _Everything(Collector):
    def __init__(
        self, db: Database, redis: Redis, rates: Mapping[System, Rate], now: datetime
    ) -> None:
        self._db, self._redis, self._rates, self._now = db, redis, rates, now
        self._at_work: list[str] = []

    def collect(self) -> Iterable[Metric]:
        yield _one("bridge_info", "Which version answers", 1, version=_version())
        yield from self._or_away("bridge_database_up", self._tables)
        yield from self._or_away("bridge_redis_up", self._counted)

    def describe(self) -> Iterable[Metric]:
        return []

    def _or_away(self, name: str, ask: Callable[[], list[Metric]]) -> list[Metric]:
        try:
            found = ask()
        except (SQLAlchemyError, RedisError, OSError):
            return [_one(name, "Whether it answers", 0)]
        return [_one(name, "Whether it answers", 1), *found]

    def _tables(self) -> list[Metric]:
        with self._db.reading() as tx:
            self._at_work = list(companies.at_work(tx))
            return list(_figures(tx, self._now))

    def _counted(self) -> list[Metric]:
        sums = figures.everybodys(self._redis)
        return [*_families(sums), _budget(self._redis, self._at_work, self._rates)]


def _families(sums: Iterable[Sum]) -> Iterator[Metric]:
    by_family: defaultdict[str, list[Sum]] = defaultdict(list)
    for one in sums:
        by_family[one.family.name].append(one)
    for name, family in figures.FAMILIES.items():
        if family.limits:
            yield _histogram(family, by_family[name])
        else:
            values = dict.fromkeys(family.known, 0.0)
            values |= {one.labels: one.value for one in by_family[name]}
            counter = CounterMetricFamily(name, family.help, labels=family.labels)
            for labels, value in sorted(values.items()):
                counter.add_metric(labels, value)
            yield counter


def _histogram(family: figures.Family, sums: Iterable[Sum]) -> Metric:
    parts: defaultdict[tuple[str, ...], dict[str, float]] = defaultdict(dict)
    for one in sums:
        parts[one.labels][one.part] = one.value
    metric = HistogramMetricFamily(family.name, family.help, labels=family.labels)
    names = [*(repr(float(limit)) for limit in family.limits), "+Inf"]
    for labels, part in parts.items():
        upto = accumulate(part.get(name, 0) for name in names)
        buckets = list(zip(names, upto, strict=True))
        metric.add_metric(labels, buckets, part.get(figures.SUM, 0))
    return metric


def _budget(redis: Redis, names: Sequence[str], rates: Mapping[System, Rate]) -> Metric:
    family = GaugeMetricFamily(
        "bridge_rate_used_ratio",
        "Part of its budget that the busiest connection uses",
        labels=("system",),
    )
    for system, part in limits.used(redis, names, rates).items():
        family.add_metric((system,), part)
    return family


def _one(name: str, help_text: str, value: float, **labels: str) -> Metric:
    family = GaugeMetricFamily(name, help_text, labels=list(labels))
    family.add_metric(list(labels.values()), value)
    return family


def _version() -> str:
    return version("severa-fortnox-bridge")


def _figures(tx: Tx, now: datetime) -> Iterator[Metric]:
    yield from _work(tx, now)
    due = overview.backlog(tx, now)
    yield GaugeMetricFamily("bridge_due", "Rows that are due and may run", value=due.due)
    age = (now - due.oldest).total_seconds() if due.oldest else 0
    yield GaugeMetricFamily("bridge_oldest_due_seconds", "Age of the longest due row", value=age)
    yield _outages(tx)
    yield _connections(tx)
    yield _seen(tx)
    yield _lag(tx, now)
    yield from _parts(tx, now)


def _work(tx: Tx, now: datetime) -> Iterator[Metric]:
    """Kinds that are no transfers are upkeep: polls, sweeps, mails."""
    tally: Tally[tuple[str, ...]] = Tally()
    oldest: dict[tuple[str, ...], datetime] = {}
    known = (work.c.kind, work.c.state, func.count(), func.min(work.c.received_at))
    for kind, state, count, since in tx.execute(select(*known).group_by(work.c.kind, work.c.state)):
        at = (kind if kind in worklist.TRANSFERS else "upkeep", state)
        tally[at] += count
        if kind in worklist.TRANSFERS and state in OPEN:
            oldest[at] = since
    yield _labelled("bridge_work", "Rows of the work list", ("kind", "state"), tally)
    ages = {at: (now - since).total_seconds() for at, since in oldest.items()}
    yield _labelled(
        "bridge_work_oldest_seconds",
        "Since when the longest waiting record has waited",
        ("kind", "state"),
        ages,
    )


def _labelled(
    name: str,
    help_text: str,
    labels: Sequence[str],
    values: Mapping[tuple[str, ...], float],
) -> Metric:
    family = GaugeMetricFamily(name, help_text, labels=labels)
    for at, value in sorted(values.items()):
        family.add_metric(at, value)
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


def _parts(tx: Tx, now: datetime) -> Iterator[Metric]:
    """Topic by topic and poll by poll, without a word about which connection it is."""
    at_work = set(companies.at_work(tx))
    rows = tx.execute(select(cursors.c.connection, cursors.c.name, cursors.c.updated_at))
    topics: dict[tuple[str, ...], float] = {}
    polls: dict[tuple[str, ...], float] = {}
    for row in rows:
        kind, _, rest = row.name.partition(":")
        lag = (now - row.updated_at).total_seconds()
        if row.connection not in at_work or not rest:
            continue
        if kind == "listener":
            topics[rest,] = min(lag, topics.get((rest,), lag))
        elif kind == "poll":
            system, _, register = rest.partition(":")
            polls[system, register] = max(lag, polls.get((system, register), 0))
    yield _labelled(
        "bridge_topic_silence_seconds", "Since a topic last told something", ("topic",), topics
    )
    yield _labelled(
        "bridge_poll_lag_seconds", "Since a register was last polled", ("system", "register"), polls
    )


def _oldest(when: Column[Any]) -> Select[Any]:
    return (
        select(func.min(when))
        .join(connections, connections.c.name == cursors.c.connection)
        .where(connections.c.active, connections.c.stopped.is_(None))
    )
