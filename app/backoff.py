"""How long to wait before trying again what has just failed."""

from dataclasses import dataclass
from random import uniform


@dataclass(frozen=True)
class Backoff:
    """Seconds to wait before a restart: doubles from `first` to `most`, forgotten after `reset`."""

    first: float = 0.2
    most: float = 10.0
    reset: float = 30.0

    def after(self, wait: float, lived: float) -> float:
        """The next wait, where the last one was `wait` (0: none) and the child then `lived`."""
        if not wait or lived >= self.reset:
            return self.first
        return min(wait * 2, self.most)

    @staticmethod
    def spread(wait: float) -> float:
        """Up to a quarter less or more: not everybody who was cut off comes back at once."""
        return wait * uniform(0.75, 1.25)  # noqa: S311 - spreads, guards nothing
