"""How Fortnox is asked what was changed since: local Swedish time without a zone, in minutes.

In October the hour from 02:00 to 03:00 comes twice, and which of the two a text means is nowhere
said; times may even be stored as they stood on the wall. A moment in either of the two is asked
for as the hour before both, so that nothing is missed under any reading.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from app.clock import STOCKHOLM, iso
from app.fortnox.listed import Listed

OVERLAP = timedelta(minutes=5)
HOUR = timedelta(hours=1)


def wall_time(instant: datetime) -> str:
    """`2026-11-24 09:15`, never later than the instant, and never in the repeated hour."""
    while _comes_twice(instant.astimezone(STOCKHOLM)):
        instant -= HOUR
    return instant.astimezone(STOCKHOLM).strftime("%Y-%m-%d %H:%M")


def _comes_twice(local: datetime) -> bool:
    return local.replace(fold=0).utcoffset() != local.replace(fold=1).utcoffset()


@dataclass(frozen=True)
class Window:
    """`seen`: number → fingerprint of everything that the last list showed."""

    since: datetime
    seen: dict[str, str]

    @classmethod
    def read(cls, place: dict[str, Any]) -> "Window":
        return cls(datetime.fromisoformat(place["since"]), place.get("seen", {}))

    @property
    def asked_from(self) -> str:
        return wall_time(self.since - OVERLAP)

    def place(self) -> dict[str, Any]:
        return {"since": iso(self.since), "seen": self.seen}


def news(window: Window, listed: Sequence[Listed], began: datetime) -> tuple[list[str], Window]:
    """The numbers to look at, and the window of the next poll.

    A list shows no times and not every field: what changed twice within the overlap may look the
    same twice. So what is no longer listed is looked at once more: by then its last change is in.
    """
    now_seen = {one.number: one.fingerprint for one in listed}
    changed = [number for number, print_ in now_seen.items() if window.seen.get(number) != print_]
    left = [number for number in window.seen if number not in now_seen]
    return changed + left, Window(began, now_seen)
