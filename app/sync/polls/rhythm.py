"""When a poll is due again: every interval, each at its own time, seldomer when calls are few."""

import hashlib
from datetime import datetime, timedelta

from app.errors import Blocked, Ending
from app.models import EPOCH
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
        return Settlement("done", due_at=next_turn(item, settings, now))
    tries = SLOWEST if isinstance(ending, Blocked) else min(item.tries + 1, SLOWEST)
    outage = (ending.waits_for or "").startswith("outage:")
    return Settlement(
        "waiting",
        ending.reason,
        due_at=next_turn(item, settings, now, doublings=tries),
        waits_for=ending.waits_for if outage else None,
        tries=tries,
        failing_since=item.failing_since or now,
    )


def next_turn(item: Item, settings: Settings, now: datetime, doublings: int = 0) -> datetime:
    """One interval from now, more or less: its own time in the interval is kept.

    So that polls which came late together, after a standstill, do not stay together.
    """
    interval = timedelta(seconds=settings.poll_interval)
    earliest = now + interval * (2**doublings) - interval / 2
    own = interval * place(item.connection, item.key)
    passed: timedelta = (earliest - EPOCH - own) % interval
    return earliest - passed + interval


def first_turn(connection: str, key: str, settings: Settings, now: datetime) -> datetime:
    """Within the first interval."""
    interval = timedelta(seconds=settings.poll_interval)
    own = interval * place(connection, key)
    return now + interval - (now - EPOCH - own) % interval


def place(connection: str, key: str) -> float:
    """Where in every interval, from 0 to 1."""
    digest = hashlib.sha256(f"{connection} {key}".encode()).digest()
    return int.from_bytes(digest[:6], "big") / 2**48
