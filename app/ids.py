"""Names for new rows: a prefix that says the table, then 26 characters that sort by birth."""

import os
from threading import Lock
from time import time_ns

ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"
PAIRS = [first + second for first in ALPHABET for second in ALPHABET]


class _Latest:
    guard, number = Lock(), 0


def new(prefix: str) -> str:
    """`evt_01j…`: 48 bits of milliseconds and 80 random bits in Crockford's base 32.

    What one process makes within a millisecond sorts by birth, too.
    """
    with _Latest.guard:
        fresh = (time_ns() // 1_000_000) << 80 | int.from_bytes(os.urandom(10))
        number = _Latest.number = max(fresh, _Latest.number + 1)
    pairs = [PAIRS[number >> shift & 1023] for shift in range(120, -1, -10)]
    return f"{prefix}_{''.join(pairs)}"
