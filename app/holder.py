"""This process as the holder of rows: it works on what it claimed, and lets go what it lost."""

from collections import Counter
from collections.abc import Collection
from datetime import timedelta
from threading import Lock

from app import claims, figures, overview, worklist
from app.clock import Clock
from app.db import Database
from app.locks import ProcessLock
from app.worklist import Item, Settlement, Want


class Holder:
    """Claiming and looking for lost rows exclude each other: no row at work is taken back."""

    def __init__(
        self, db: Database, lock: ProcessLock, clock: Clock, quarantine: timedelta
    ) -> None:
        self.db, self.lock, self.clock, self.quarantine = db, lock, clock, quarantine
        # Counted: a row can be claimed anew before the thread that settled it has forgotten it.
        self._held: Counter[str] = Counter()
        self._guard = Lock()

    @property
    def name(self) -> str:
        return self.lock.name

    def claim(self) -> Item | None:
        with self._guard:
            items = worklist.claim(self.db, self.name, self.clock())
            self._held.update(item.id for item in items)
        return items[0] if items else None

    def claim_now(self, want: Want) -> Item | None:
        with self._guard:
            item = worklist.claim_now(self.db, self.name, want, self.clock())
            if item is not None:
                self._held[item.id] += 1
        return item

    def settle(self, item: Item, settlement: Settlement) -> None:
        """If this fails, the row is no longer held here, and `take_back_lost` finds it."""
        try:
            worklist.settle(self.db, item, settlement, self.clock())
        finally:
            self._forget(item)
        self._count(item, settlement)

    def rename(self, item: Item, subject: str) -> None:
        try:
            claims.change_subject(self.db, item, subject, self.clock())
        finally:
            self._forget(item)

    def take_subject(self, item: Item, subject: str) -> bool:
        """The row goes on under another subject; False: another row is running under it."""
        return claims.take_subject(self.db, item, subject)

    def let_go(self, item: Item) -> None:
        try:
            claims.let_go(self.db, item, self.clock())
        finally:
            self._forget(item)

    def take_back_lost(self) -> int:
        """Rows that are ours but that nobody here works on, and rows of processes that ended."""
        with self._guard:
            found = self._take_back(self.name, self._held)
        with self.db.reading() as tx:
            holders = overview.running_holders(tx)
        for holder in holders:
            if holder != self.name and self.lock.is_gone(holder):
                found += self._take_back(holder, set())
        return found

    def drop(self, item: Item) -> None:
        """Given up without a word to the database, which may be away; found by `take_back_lost`."""
        self._forget(item)

    def _take_back(self, holder: str, held: Collection[str]) -> int:
        return claims.take_back(self.db, holder, held, self.clock(), self.quarantine)

    def _count(self, item: Item, settlement: Settlement) -> None:
        figures.HERE.count(figures.RUNS, item.kind, settlement.state)
        if settlement.state == "done" and item.received_at is not None:
            seconds = (self.clock() - item.received_at).total_seconds()
            figures.HERE.observe(figures.CARRIED, item.kind, seconds=seconds)

    def _forget(self, item: Item) -> None:
        with self._guard:
            self._held[item.id] -= 1
            self._held += Counter()  # only what is still held
