"""The rate budget of each vendor and connection, shared by every process through Redis."""

import math
import random
import secrets
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from pathlib import Path
from threading import Lock
from typing import Any, NamedTuple

import structlog
from redis import Redis
from redis.exceptions import RedisError

from app import figures
from app.errors import System, TryLater, because
from app.settings import Rate

TRAVEL = 0.1  # seconds; see Limits
ASK_AGAIN = 1.0  # seconds between two questions to a Redis that is away
JITTER = 0.005  # seconds
SCRIPT = Path(__file__).with_suffix(".lua").read_text()

log = structlog.get_logger()


class Limits:
    """At most `rate.calls` in any `rate.seconds`, counted in Redis by its own clock.

    The vendor counts arrivals, we count permissions. A call may travel slower than one that is
    permitted a window later, so the window is longer by TRAVEL: the difference that is harmless.

    Lane 0 is for what somebody waits for and may use every call; the other lanes leave a fifth
    of them, and stand back while lane 0 is waiting.

    Without Redis each process keeps to a quarter of the budget. Every question says how many
    calls this process made in the window: a Redis that knows of fewer (it was away, flushed,
    or its clock jumped) counts them, and lets nobody through for one window. A process that made
    none has nothing to notice that by.
    """

    def __init__(
        self,
        redis: Redis,
        rates: Mapping[System, Rate],
        *,
        sleep: Callable[[float], None] = time.sleep,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._script = redis.register_script(SCRIPT)
        self._rates, self._sleep, self._clock = rates, sleep, clock
        self._tag = secrets.token_hex(6)
        self._contact = _Contact(clock)
        self._shares: dict[tuple[str, System], _Share] = {}

    def wait_turn(
        self, connection: str, system: System, lane: int = 0, *, patience: float = 60.0
    ) -> None:
        """Returns once one call may be sent; TryLater when that takes more than `patience` s."""
        deadline = self._clock() + patience
        while wait := self._turn(connection, system, lane, deadline - self._clock()):
            if self._clock() + wait > deadline:
                reason = because("rate_limited", system=system)
                raise TryLater(reason, after=timedelta(seconds=wait))
            nap = min(wait, ASK_AGAIN) if self._contact.away else wait
            nap += random.uniform(0, JITTER)  # noqa: S311 - guards nothing
            self._sleep(nap)
            figures.HERE.count(figures.RATE_WAIT, system, str(lane), amount=nap)

    def back_off(self, connection: str, system: System, seconds: float) -> None:
        """The vendor said 429 all the same: nobody calls it for this connection until then."""
        self._share(connection, system).pause_until(self._clock() + seconds + 0.001)
        self._ask(connection, system, _LOOK)

    def left(self, connection: str, system: System) -> int:
        """How many live calls could be sent right now."""
        answer = self._ask(connection, system, _LOOK)
        return self._share(connection, system).left() if answer is None else answer.left

    def _turn(self, connection: str, system: System, lane: int, patience: float) -> float:
        """0: one call may be sent, and is counted. Else how many seconds to wait."""
        asked = self._clock()
        answer = self._ask(connection, system, _Wish(lane, max(patience, 0)))
        share = self._share(connection, system)
        if answer is None:
            return share.take(lane)
        return answer.wait or share.accept(asked)

    def _ask(self, connection: str, system: System, wish: "_Wish | None") -> "_Answer | None":
        """What Redis says; None if it says nothing."""
        if not self._contact.may_ask():
            return None
        asked = self._clock()
        share = self._share(connection, system)
        key = f"limit:{connection}:{system}"
        try:
            milliseconds = self._script(
                [key, f"{key}:paused", f"{key}:live"],
                [self._tag, share.made(), _ms(share.paused()), *share.terms(wish)],
            )
        except (RedisError, OSError) as error:
            self._contact.failed(asked, error)
            return None
        self._contact.answered(asked)
        wait, paused, left = milliseconds
        share.pause_until(asked + paused / 1000)
        return _Answer(wait / 1000, left)

    def _share(self, connection: str, system: System) -> "_Share":
        share = self._shares.get((connection, system))
        if share is None:
            new = _Share(self._rates[system], self._clock)
            share = self._shares.setdefault((connection, system), new)
        return share


def used(redis: Redis, names: Sequence[str], rates: Mapping[System, Rate]) -> dict[System, float]:
    """Of the connection that calls most, which part of its budget was used in this window.

    RedisError: it is away.
    """
    time_there: Any = redis.time()
    seconds, fraction = time_there
    now = seconds * 1_000_000 + fraction
    asked = [(name, system) for system in rates for name in names]
    with redis.pipeline(transaction=False) as pipe:
        for name, system in asked:
            begun = now - round(rates[system].seconds * 1e6)
            pipe.zcount(f"limit:{name}:{system}", f"({begun}", "+inf")
        counts = pipe.execute()
    most: dict[System, float] = dict.fromkeys(rates, 0.0)
    for (_, system), count in zip(asked, counts, strict=True):
        most[system] = max(most[system], count / rates[system].calls)
    return most


class _Wish(NamedTuple):
    """To make one call; without a wish the question is only how things stand."""

    lane: int
    patience: float


_LOOK = None


class _Answer(NamedTuple):
    wait: float
    left: int


class _Permit(NamedTuple):
    asked: float
    given: float


class _Share:
    """What this process was permitted, by whomever, and what it may do without Redis."""

    def __init__(self, rate: Rate, clock: Callable[[], float]) -> None:
        self._rate, self._clock = rate, clock
        self._window = rate.seconds + TRAVEL
        self._alone = max(1, rate.calls // 4)
        self._permits: deque[_Permit] = deque()
        self._paused_until = self._live_until = -math.inf
        self._lock = Lock()

    def terms(self, wish: _Wish | None) -> list[int]:
        """The numbers the script goes by."""
        lane, patience = wish or _Wish(0, 0)
        calls, window = self._rate.calls, round(self._window * 1e6)
        wanted, live = int(wish is not None), int(lane == 0)
        return [calls, _within(calls, lane), window, wanted, live, _ms(min(patience, 1e6))]

    def made(self) -> int:
        """Permits that Redis must know of: it gave each of them after it was asked for."""
        with self._lock:
            start = self._clock() - self._window
            return sum(permit.asked > start for permit in self._permits)

    def accept(self, asked: float) -> float:
        """Redis gave a permit. Answers that came slowly may not add up to more than the rate."""
        with self._lock:
            wait = self._full_for(self._rate.calls, self._rate.seconds)
            return wait or self._count(asked)

    def take(self, lane: int) -> float:
        """A permit without Redis: 0, or how many seconds to wait."""
        with self._lock:
            now = self._clock()
            full = self._full_for(_within(self._alone, lane), self._window)
            wait = max(full, self._paused_until - now, 0)
            if lane > 0:
                wait = max(wait, self._live_until - now)
            elif wait:
                self._live_until = now + min(wait, ASK_AGAIN) + TRAVEL
            return wait or self._count(now)

    def left(self) -> int:
        with self._lock:
            start = self._clock() - self._window
            used = sum(permit.given > start for permit in self._permits)
            paused = self._paused_until > self._clock()
            return 0 if paused else max(self._alone - used, 0)

    def pause_until(self, moment: float) -> None:
        with self._lock:
            self._paused_until = max(self._paused_until, moment)

    def paused(self) -> float:
        with self._lock:
            return max(self._paused_until - self._clock(), 0)

    def _full_for(self, limit: int, span: float) -> float:
        """How long until fewer than `limit` permits lie in the last `span` seconds."""
        if len(self._permits) < limit:
            return 0
        return max(self._permits[-limit].given + span - self._clock(), 0)

    def _count(self, asked: float) -> float:
        now = self._clock()
        self._permits.append(_Permit(asked, now))
        while self._permits[0].given <= now - self._window:
            self._permits.popleft()
        return 0


class _Contact:
    """Whether Redis answers. What is heard of a question from before the last change is old."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self.away = False
        self._clock, self._changed, self._next = clock, -math.inf, -math.inf
        self._lock = Lock()

    def may_ask(self) -> bool:
        with self._lock:
            if not self.away:
                return True
            if self._clock() < self._next:
                return False
            self._next = self._clock() + ASK_AGAIN
            return True

    def answered(self, asked: float) -> None:
        if self._turns(away=False, asked=asked):
            log.info("limits.shared")

    def failed(self, asked: float, error: Exception) -> None:
        if self._turns(away=True, asked=asked):
            log.warning("limits.local", error=type(error).__name__)

    def _turns(self, *, away: bool, asked: float) -> bool:
        with self._lock:
            if away:
                self._next = self._clock() + ASK_AGAIN
            if away == self.away or asked < self._changed:
                return False
            self.away, self._changed = away, self._clock()
            return True


def _within(calls: int, lane: int) -> int:
    """How many of the calls a lane may use."""
    return calls if lane == 0 else max(1, calls - max(1, calls // 5))


def _ms(seconds: float) -> int:
    return int(seconds * 1000)
