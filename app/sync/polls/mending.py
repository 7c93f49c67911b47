"""What is blocked for something missing in Fortnox goes on by itself when its register changes.

A register is read only while something waits for it. Beside its fingerprint stands when it was
read: who began a run before that may have missed what the fingerprint includes, and is woken once.
"""

from datetime import datetime
from typing import Any

from app import waiting
from app.errors import Missing, Refused
from app.fortnox.client import LISTS
from app.fortnox.poll import HOUR, wall_time
from app.sync.polls.keeping import keep, place_of
from app.sync.sides import Sides
from app.worklist import Item

PREFIX = "fortnox:"
LARGE = ("articles", "customers")  # of these only what changed lately is read
LATELY = 24 * HOUR


def sync(sides: Sides, item: Item) -> None:
    place = place_of(sides, item)
    with sides.db.reading() as tx:
        waited = waiting.waited_for(tx, sides.name, PREFIX)
    read = {name: _read(sides, name) for name in waited}
    seen: dict[str, Any] = place.get("registers", {})
    for name, now_seen in read.items():
        if now_seen is not None:
            _wake(sides, name, seen.get(name), now_seen)
            seen = seen | {name: _kept(seen.get(name), now_seen)}
    keep(sides, item, [], place | {"registers": seen})


def _read(sides: Sides, name: str) -> list[str] | None:
    """Fingerprint and moment; None where it cannot be read."""
    register = name.removeprefix(PREFIX)
    if register not in LISTS and register != "locked_period" and "/" not in register:
        return None
    day = wall_time(sides.clock() - LATELY)[:10] if register in LARGE else ""
    try:
        print_ = sides.fortnox.fingerprint(register, since=day)
    except (Refused, Missing):
        return None
    return [print_, sides.clock().isoformat()]


def _kept(before: list[str] | None, now_seen: list[str]) -> list[str]:
    return before if before is not None and before[0] == now_seen[0] else now_seen


def _wake(sides: Sides, name: str, before: list[str] | None, now_seen: list[str]) -> None:
    with sides.db.transaction() as tx:
        if before is None or before[0] != now_seen[0]:
            woken = waiting.wake(tx, sides.name, name, sides.clock())
        else:
            first_read = datetime.fromisoformat(before[1])
            woken = waiting.wake_older(tx, sides.name, name, first_read, sides.clock())
        if woken:
            waiting.note_mended(tx, sides.name, sides.clock())
