"""An exact sliding window, as the vendors count calls."""

from collections import defaultdict, deque
from collections.abc import Callable
from time import monotonic


class Window:
    """At most `calls` within any `seconds`, counted per key; a refused call is not counted."""

    def __init__(self, calls: int, seconds: float, clock: Callable[[], float] = monotonic) -> None:
        self.calls, self.seconds, self._clock = calls, seconds, clock
        self._seen: dict[str, deque[float]] = defaultdict(deque)

    def admit(self, key: str) -> bool:
        now, seen = self._clock(), self._seen[key]
        while seen and seen[0] <= now - self.seconds:
            seen.popleft()
        if len(seen) >= self.calls:
            return False
        seen.append(now)
        return True
