"""The sandbox's memory: tables of ready-to-send records, with indexes by guid and by parent."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from itertools import count
from threading import RLock
from typing import Any
from uuid import uuid4

from app.sandbox.severa.moments import stamp
from app.sandbox.severa.options import SeveraOptions
from app.sandbox.severa.problems import NotFound
from app.sandbox.severa.veil import Record, Veil

View = Callable[[Record], Record]
PROMPT = ("deletedprojectfees",)  # it shares its guids with the fees that were
KEYS = ("guid", "code", "identifier", "number", "code2", "name")


class World:
    """Records are changed in place and only while `lock` is held."""

    def __init__(self, options: SeveraOptions, clock: Callable[[], datetime]) -> None:
        self.options, self.clock = options, clock
        self.lock = RLock()
        self.veil = Veil(clock)
        self.settings: Record = {}
        self.details: Record = {}
        self.author: Record | None = None
        self.blobs: dict[str, tuple[str, bytes]] = {}
        self.born: dict[str, int] = {}
        self.customer_numbers: dict[int, str] = {}  # looked up, then checked: may be stale
        self._counter = count(1)
        self._tables: defaultdict[str, dict[str, Record]] = defaultdict(dict)
        self._families: defaultdict[tuple[str, str], dict[str, Record]] = defaultdict(dict)
        self._parents: defaultdict[str, set[str]] = defaultdict(set)
        self._views: defaultdict[str, dict[View, Record]] = defaultdict(dict)

    def insert(
        self, table: str, record: Record, parents: Iterable[str] = (), *, stamped: bool = True
    ) -> Record:
        guid = record["guid"] = record.get("guid") or str(uuid4())
        if stamped:
            now = stamp(self.clock())
            record.update(createdDateTime=now, createdBy=self.author)
            record.update(lastUpdatedDateTime=now, lastUpdatedBy=self.author)
        self._tables[table][guid] = record
        self.born[guid] = next(self._counter)
        self.veil.cover(guid, None, self.options.show_delay)
        for parent in parents:
            self.adopt(table, record, parent)
        return record

    def adopt(self, table: str, record: Record, parent: str) -> None:
        self._families[table, parent][record["guid"]] = record
        self._parents[record["guid"]].add(parent)

    def release(self, table: str, record: Record, parent: str) -> None:
        self._families[table, parent].pop(record["guid"], None)
        self._parents[record["guid"]].discard(parent)

    def change(self, record: Record, **values: Any) -> Record:
        guid = record["guid"]
        self.veil.cover(guid, dict(record), self.options.show_delay)
        record.update(values)
        if "lastUpdatedDateTime" in record:
            record.update(lastUpdatedDateTime=stamp(self.clock()), lastUpdatedBy=self.author)
        for view, shown in self._views.get(guid, {}).items():
            shown.update(view(record))
        return record

    def remove(self, table: str, record: Record) -> None:
        guid = record["guid"]
        self.veil.cover(guid, dict(record), self.options.show_delay)
        self.veil.keep(table, guid)
        del self._tables[table][guid]
        for parent in self._parents.pop(guid, ()):
            self._families[table, parent].pop(guid, None)

    def find(self, table: str, guid: str | None) -> Record | None:
        return self._tables[table].get(guid or "")

    def need(self, table: str, key: Any) -> Record:
        """By guid, code, number or name, or a record itself: what people and tests say."""
        if isinstance(key, dict):
            key = key["guid"]
        found = self.find(table, key if isinstance(key, str) else None)
        if found is None:
            hits = (r for r in self._tables[table].values() if _goes_by(r, key))
            found = next(hits, None)
        if found is None:
            raise LookupError(f"There is no '{key}' among the {table}.")
        return found

    def all(self, table: str, parent: str | None = None) -> list[Record]:
        """As things are; `parent` keeps to the records that belong to that one."""
        if parent is None:
            return list(self._tables[table].values())
        return list(self._families.get((table, parent), {}).values())

    def look(self, table: str, guid: str) -> Record:
        """As a reader sees it, which may be late."""
        seen = self.veil.seen(guid, self.find(table, guid))
        if seen is None:
            raise NotFound
        return seen

    def listed(self, table: str, parent: str | None = None) -> Iterator[Record]:
        for record in self.all(table, parent):
            late = table not in PROMPT
            seen = self.veil.seen(record["guid"], record) if late else record
            if seen is not None:
                yield seen
        if parent is None:
            yield from self.veil.gone(table)

    def view(self, view: View, record: Record) -> Record:
        """A part of a record shown inside others; it follows when the record changes."""
        shown = self._views[record["guid"]]
        if view not in shown:
            shown[view] = view(record)
        return shown[view]

    def take_number(self, name: str) -> int:
        """`name` as in organizationsettings: next<Name>Number, last<Name>Number."""
        number = int(self.settings[f"next{name}Number"])
        self.settings[f"last{name}Number"] = number
        self.settings[f"next{name}Number"] = number + 1
        return number


def _goes_by(record: Record, key: Any) -> bool:
    return any(name in record and record[name] == key for name in KEYS)
