"""Names for new rows: a prefix that says the table, then 26 characters that sort by birth."""

import os
from threading import Lock
from time import time_ns

ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"
PAIRS = [first + second for first in ALPHABET for second in ALPHABET]


TAIL = 1 << 20  # what the last four characters count


class _Latest:
    guard, number = Lock(), 0


def new(prefix: str) -> str:
    """`evt_01j…`: 48 bits of milliseconds and 80 random bits in Crockford's base 32.

    What one process makes within a millisecond sorts by birth, too.
    """
    return several(prefix, 1)[0]


def several(prefix: str, many: int) -> list[str]:
    """The same, of one batch: they follow each other."""
    with _Latest.guard:
        fresh = (time_ns() // 1_000_000) << 80 | int.from_bytes(os.urandom(10))
        first = max(fresh, _Latest.number + 1)
        _Latest.number = first + many - 1
    if first % TAIL + many > TAIL:
        return [_named(prefix, number) for number in range(first, first + many)]
    head, tail = _named(prefix, first)[:-4], first % TAIL
    return [
        head + PAIRS[number >> 10] + PAIRS[number & 1023] for number in range(tail, tail + many)
    ]


def _named(prefix: str, number: int) -> str:
    pairs = [PAIRS[number >> shift & 1023] for shift in range(120, -1, -10)]
    return f"{prefix}_{''.join(pairs)}"
