"""When a poll is due again: every interval, each at its own time, seldomer when calls are few."""

import hashlib
from datetime import datetime, timedelta

from app.columns import EPOCH
from app.errors import Blocked, Ending
from app.settings import Settings
from app.sync.settling import DONE
from app.worklist import Item, Settlement

SLOWEST = 4  # doublings: 16 intervals


def settlement(
    item: Item, settings: Settings, now: datetime, ending: Ending | None = None
) -> Settlement:
    """Whatever happened, the poll comes back; an outage that ends brings it back at once."""
    if not settings.poll_interval:
        return DONE
    if ending is None:
        return Settlement("done", due_at=next_turn(item.connection, item.key, settings, now))
    tries = SLOWEST if isinstance(ending, Blocked) else min(item.tries + 1, SLOWEST)
    outage = (ending.waits_for or "").startswith("outage:")
    return Settlement(
        "waiting",
        ending.reason,
        due_at=next_turn(item.connection, item.key, settings, now, intervals=1 << tries),
        waits_for=ending.waits_for if outage else None,
        tries=tries,
        failing_since=item.failing_since or now,
    )


def next_turn(
    connection: str, key: str, settings: Settings, now: datetime, *, intervals: int = 1
) -> datetime:
    """The poll's own time within the interval that ends that many intervals from now.

    So that polls which came late together, after a standstill, do not stay together.
    """
    interval = timedelta(seconds=settings.poll_interval)
    passed = (now - EPOCH - interval * place(connection, key)) % interval
    return now - passed + interval * intervals


def place(connection: str, key: str) -> float:
    """Where in every interval, from 0 to 1."""
    digest = hashlib.sha256(f"{connection} {key}".encode()).digest()
    return int.from_bytes(digest[:6], "big") / 2**48
