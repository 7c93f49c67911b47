"""How many events one connection may send: a sliding window in the memory of this process."""

from collections import defaultdict, deque
from collections.abc import Callable
from math import ceil
from time import monotonic

from app.settings import Rate


class IngestLimit:
    def __init__(self, rate: Rate, clock: Callable[[], float] = monotonic) -> None:
        self._rate, self._clock = rate, clock
        self._seen: dict[str, deque[float]] = defaultdict(deque)

    def wait(self, connection: str) -> str:
        """Empty when this event is within the limit; else whole seconds, for Retry-After."""
        now, seen = self._clock(), self._seen[connection]
        while seen and seen[0] <= now - self._rate.seconds:
            seen.popleft()
        if len(seen) >= self._rate.calls:
            return str(max(1, ceil(seen[0] + self._rate.seconds - now)))
        seen.append(now)
        return ""
