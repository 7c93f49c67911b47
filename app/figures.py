"""What the processes count: in memory first, then added up in Redis, where any api reads it.

A Redis that lost its memory begins at nought again, as Prometheus expects of counters. An answer of
Redis that was lost may make some things count twice; nothing is decided by these figures.
"""

import json
from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from threading import Event, Lock, Thread
from typing import Any

from redis import Redis
from redis.exceptions import RedisError

KEY = "figures"
HAND_OVER_SECONDS = 5.0
SUM = "sum"


@dataclass(frozen=True, eq=False)  # there is one of each, and it is found by being the same
class Family:
    """`limits`: upper bounds of a histogram's buckets, in seconds; none: a counter.

    `known`: labels that are told from the beginning, as 0, so that the first one is an increase.
    """

    name: str
    help: str
    labels: tuple[str, ...]
    limits: tuple[float, ...] = ()
    known: tuple[tuple[str, ...], ...] = ()


SYSTEMS = ("severa", "fortnox")
TROUBLES = ("refused", "unsigned", "malformed", "limited", "conflict")
EVENTS = Family(
    "bridge_events",
    "Events by what became of them",
    ("source", "door", "status"),
    known=tuple((source, "webhook", status) for source in SYSTEMS for status in TROUBLES),
)
ACK_SECONDS = Family(
    "bridge_ack_seconds",
    "From a webhook's arrival to its answer",
    ("source",),
    (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10),
)
CALLS = Family(
    "bridge_vendor_calls",
    "Calls to a partner system by their outcome",
    ("system", "outcome"),
    known=tuple((system, outcome) for system in SYSTEMS for outcome in ("ok", "busy", "unclear")),
)
CALL_SECONDS = Family(
    "bridge_vendor_call_seconds",
    "How long a partner system takes to answer",
    ("system",),
    (0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30),
)
RATE_WAIT = Family(
    "bridge_rate_wait_seconds", "Time spent waiting for a turn to call", ("system", "lane")
)
RUNS = Family("bridge_runs", "Runs by how they ended", ("kind", "state"))
CARRIED = Family(
    "bridge_carried_seconds",
    "From hearing of a record until it was carried over",
    ("kind",),
    (1, 2, 5, 10, 30, 60, 120, 300, 900, 3600, 14400, 86400),
)
KNOWN = (EVENTS, ACK_SECONDS, CALLS, CALL_SECONDS, RATE_WAIT, RUNS, CARRIED)
FAMILIES = {one.name: one for one in KNOWN}


class Tally:
    """One for each process, shared by its threads."""

    def __init__(self) -> None:
        self._sums: defaultdict[str, float] = defaultdict(float)
        self._guard = Lock()

    def count(self, family: Family, *labels: str, amount: float = 1) -> None:
        self._add({_field(family, labels, ""): amount})

    def observe(self, family: Family, *labels: str, seconds: float) -> None:
        place = bisect_left(family.limits, seconds)
        limit = repr(float(family.limits[place])) if place < len(family.limits) else "+Inf"
        self._add({_field(family, labels, limit): 1, _field(family, labels, SUM): seconds})

    def hand_over(self, redis: Redis) -> None:
        """Adds what was counted here to everybody's; kept for the next time if Redis is away."""
        with self._guard:
            counted, self._sums = self._sums, defaultdict(float)
        if not counted:
            return
        try:
            with redis.pipeline(transaction=True) as pipe:
                for field, amount in counted.items():
                    pipe.hincrbyfloat(KEY, field, amount)
                pipe.execute()
        except (RedisError, OSError):
            self._add(counted)

    def _add(self, amounts: Mapping[str, float]) -> None:
        with self._guard:
            for field, amount in amounts.items():
                self._sums[field] += amount


HERE = Tally()


def heard(source: str, door: str, statuses: Iterable[str]) -> None:
    for status, count in Counter(statuses).items():
        HERE.count(EVENTS, source, door, status, amount=count)


class Courier:
    """Hands over what this process counts, in a thread of its own; once more at the end."""

    def __init__(self, redis: Redis) -> None:
        self._redis, self._ended = redis, Event()
        self._thread = Thread(target=self._run, name="figures", daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._ended.set()
        self._thread.join(timeout=5)
        HERE.hand_over(self._redis)

    def _run(self) -> None:
        while not self._ended.wait(HAND_OVER_SECONDS):
            HERE.hand_over(self._redis)


@dataclass(frozen=True)
class Sum:
    """`part`: empty for a counter; a histogram's bucket by its upper bound, or SUM."""

    family: Family
    labels: tuple[str, ...]
    part: str
    value: float


def everybodys(redis: Redis) -> list[Sum]:
    """RedisError: it is away."""
    found: Any = redis.hgetall(KEY)
    return [one for field, value in found.items() for one in _sum(field, value)]


@cache
def _field(family: Family, labels: tuple[str, ...], part: str) -> str:
    return json.dumps([family.name, *labels, part])


def _sum(field: bytes, value: bytes) -> Iterator[Sum]:
    """What another version has counted and this one does not know is left out."""
    with suppress(ValueError, TypeError):
        name, *labels, part = json.loads(field)
        family = FAMILIES.get(name)
        if family is not None and len(labels) == len(family.labels):
            yield Sum(family, tuple(labels), part, float(value))
