"""Names for new rows: a prefix that says the table, then 26 characters that sort by birth."""

import os
from time import time_ns

ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"


def new(prefix: str) -> str:
    """`evt_01j…`: 48 bits of milliseconds and 80 random bits in Crockford's base 32."""
    number = (time_ns() // 1_000_000) << 80 | int.from_bytes(os.urandom(10))
    digits = [ALPHABET[number >> shift & 31] for shift in range(125, -1, -5)]
    return f"{prefix}_{''.join(digits)}"
