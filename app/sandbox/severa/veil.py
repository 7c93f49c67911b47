"""What readers still see of records that changed a moment ago, while `show_delay` is on."""

from collections import defaultdict
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

Record = dict[str, Any]


class Veil:
    def __init__(self, clock: Callable[[], datetime]) -> None:
        self._clock = clock
        self._before: dict[str, list[tuple[datetime, Record | None]]] = {}
        self._gone: defaultdict[str, list[str]] = defaultdict(list)

    def cover(self, guid: str, before: Record | None, seconds: float) -> None:
        """`before` None: the record did not exist yet."""
        if seconds > 0:
            until = self._clock() + timedelta(seconds=seconds)
            self._before.setdefault(guid, []).append((until, before))

    def keep(self, table: str, guid: str) -> None:
        """A removed record stays listed as long as it is covered."""
        if guid in self._before:
            self._gone[table].append(guid)

    def seen(self, guid: str, now: Record | None) -> Record | None:
        if not self._before or guid not in self._before:
            return now
        moment = self._clock()
        pending = [entry for entry in self._before[guid] if entry[0] > moment]
        if not pending:
            del self._before[guid]
            return now
        self._before[guid] = pending
        return pending[0][1]

    def lift(self) -> None:
        """As if the time of everything that is covered were over."""
        self._before.clear()

    def gone(self, table: str) -> list[Record]:
        shown = ((guid, self.seen(guid, None)) for guid in self._gone.get(table, ()))
        still = {guid: record for guid, record in shown if record is not None}
        if table in self._gone:
            self._gone[table] = list(still)
        return list(still.values())
