"""What a list of changed records says that the last one did not.

Source: `changedSince` is inclusive, and stamps may appear a little late, so windows overlap and
repeats are known by guid and stamp. Severa's own stamps carry the window on, not our clock: one
of the two may be wrong.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from app.clock import iso
from app.severa.schemas import Changed

OVERLAP = timedelta(minutes=2)
FEW = 100  # what may be read again and again costs one call


@dataclass(frozen=True)
class Window:
    """`seen`: guid → stamp of everything in the overlap."""

    since: datetime
    seen: dict[str, str]

    @classmethod
    def read(cls, place: dict[str, Any]) -> "Window":
        return cls(datetime.fromisoformat(place["since"]), place.get("seen", {}))

    @property
    def asked_from(self) -> datetime:
        return self.since - OVERLAP

    def place(self) -> dict[str, Any]:
        return {"since": iso(self.since), "seen": self.seen}


def news(
    window: Window, changed: Sequence[Changed], began: datetime
) -> tuple[list[Changed], Window]:
    """What is new, and the window of the next poll; `began`: when this one asked."""
    stamps = [one.last_updated or began for one in changed]
    newest = max(stamps, default=window.since)
    since = max(window.since, began if len(changed) > FEW else min(began, newest))
    seen = {
        one.guid: stamp_of(one)
        for one, stamp in zip(changed, stamps, strict=True)
        if stamp >= since - OVERLAP
    }
    new = {one.guid: one for one in changed if window.seen.get(one.guid) != stamp_of(one)}
    return list(new.values()), Window(since, seen)


def stamp_of(one: Changed) -> str:
    return iso(one.last_updated) or ""
