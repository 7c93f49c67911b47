"""What every bench may use: both windows, the database, the clock, and the way to other benches."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from threading import Lock
from typing import Any, TypeVar

from app.clock import Clock
from app.connections import Connection
from app.db import Database
from app.documents import Document
from app.errors import System
from app.fortnox.client import Fortnox
from app.holder import Holder
from app.links import Link
from app.mail.post import Post
from app.severa.client import Severa
from app.severa.schemas import Invoice

T = TypeVar("T")
REGISTER_LIFETIME = timedelta(minutes=10)


class Registers:
    """Short lists that hardly change, kept for ten minutes: terms of payment, countries, rates."""

    def __init__(self, clock: Clock) -> None:
        self._clock, self._mended = clock, ""
        self._known: dict[str, tuple[datetime, Any]] = {}

    def get(self, name: str, ask: Callable[[], T]) -> T:
        known, mended = self._known.get(name), self._mended
        if known is None or self._clock() - known[0] > REGISTER_LIFETIME:
            known = (self._clock(), ask())
            if mended == self._mended:
                self._known[name] = known
        answer: T = known[1]
        return answer

    def forget_before(self, mended: str) -> None:
        """When something was last mended, as every run is told: what was read before is old."""
        if mended != self._mended:
            self._mended = mended
            self._known.clear()


@dataclass(frozen=True)
class Page:
    """Invoices read in one call: each with how often its row had been wanted before the call."""

    read_at: datetime | None = None
    invoices: dict[str, tuple[int, Invoice]] = field(default_factory=dict)


@dataclass
class Together:
    """What the runs of one company in this process do once for all of them."""

    looking: Lock = field(default_factory=Lock)
    has_looked: bool = False  # in Fortnox's lists, since this process began
    reading: Lock = field(default_factory=Lock)
    pages: dict[str, Page] = field(default_factory=dict)  # by the kind of the rows


@dataclass(frozen=True)
class Planned:
    """A write that would be sent."""

    system: str
    action: str
    ref: str
    payload: Any


@dataclass(frozen=True)
class Sides:
    """`ensure(kind, severa_id)`: the link of another record, carried over first if need be.

    `is_alone`: nobody else that is connected here writes to this Fortnox company.
    `plan` is a list in a dry run: writes are put there and not sent.
    """

    connection: Connection
    severa: Severa
    fortnox: Fortnox
    db: Database
    clock: Clock
    holder: Holder
    ensure: Callable[[str, str], Link]
    quarantine: timedelta
    registers: Registers
    retention: timedelta
    post: Post
    is_alone: Callable[[], bool]
    together: Together = field(default_factory=Together)
    plan: list[Planned] | None = field(default=None)

    @property
    def name(self) -> str:
        return self.connection.name

    def window(self, system: System) -> Severa | Fortnox:
        return self.severa if system == "severa" else self.fortnox

    @property
    def document(self) -> Document:
        return self.connection.document
