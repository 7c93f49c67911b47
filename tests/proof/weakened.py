"""The bridge with one part of its safety taken out: what proves that the proofs can see.

Only a process that a test forked is weakened, and only by name; the product has no such switch.
"""

from collections.abc import Callable

WEAKNESSES: dict[str, Callable[[], None]] = {}


def apply(name: str) -> None:
    """Nothing is taken out where the name is empty."""
    if name:
        WEAKNESSES[name]()
