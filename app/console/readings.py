"""What was read from both systems for a page is kept a while: its file says the same."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from threading import Lock
from typing import Generic, TypeVar

from app.clock import Clock
from app.connections import Connection

T = TypeVar("T")
KEPT = timedelta(minutes=10)
MOST = 20  # the oldest makes room


@dataclass(frozen=True)
class Reading(Generic[T]):
    at: datetime
    found: T


class Readings(Generic[T]):
    """By connection and what was asked of it; with other settings it is another question."""

    def __init__(self) -> None:
        self._kept: dict[tuple[str, datetime, str], Reading[T]] = {}
        self._lock = Lock()

    def known(self, connection: Connection, asked: str, now: datetime) -> Reading[T] | None:
        with self._lock:
            found = self._kept.get((connection.name, connection.updated_at, asked))
        return found if found and found.at <= now < found.at + KEPT else None

    def read(
        self, connection: Connection, asked: str, clock: Clock, ask: Callable[[], T]
    ) -> Reading[T]:
        """Asks both systems now. It is as old as the beginning of the reading."""
        made = Reading(clock(), ask())
        with self._lock:
            self._kept[connection.name, connection.updated_at, asked] = made
            while len(self._kept) > MOST:
                del self._kept[min(self._kept, key=lambda one: self._kept[one].at)]
        return made

    def get(
        self, connection: Connection, asked: str, clock: Clock, ask: Callable[[], T]
    ) -> Reading[T]:
        return self.known(connection, asked, clock()) or self.read(connection, asked, clock, ask)
