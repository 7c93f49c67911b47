"""The event log: per topic an ordered stream of signals, as Fortnox's WebSocket sends them."""

from collections import defaultdict
from collections.abc import Callable
from datetime import datetime, timedelta
from hashlib import blake2s
from typing import Any
from zoneinfo import ZoneInfo

from app.sandbox.fortnox.documents import words
from app.sandbox.fortnox.options import FortnoxOptions

STOCKHOLM = ZoneInfo("Europe/Stockholm")
TOPICS = words(
    "articles bureau-activities bureau-assignments bureau-assets cost-centers"
    " currencies customers financial-years invoices messages offers orders projects"
    " supplier-invoices suppliers termsofdeliveries termsofpayments vouchers"
    " warehouse-stockbalances waysofdeliveries"
)

Event = dict[str, Any]


class EventLog(list[Event]):
    """All events of all tenants, oldest first; also by topic, where offsets are ordered."""

    def __init__(self, options: FortnoxOptions) -> None:
        super().__init__()
        self.options = options
        self.topics: dict[str, list[Event]] = defaultdict(list)
        self.listeners: set[Callable[[], None]] = set()
        self._position: dict[tuple[str, str], int] = {}

    def add(self, topic: str, kind: str, tenant_id: str, entity_id: str, **extra: Any) -> None:
        """`kind` with its version: "invoice-created-v1"."""
        stream = self.topics[topic]
        if self.options.numbers_in_events:
            extra = {name: _number(value) for name, value in extra.items()}
        event = {
            "topic": topic,
            "offset": _offset(topic, len(stream)),
            "type": kind,
            "tenantId": int(tenant_id),
            "entityId": entity_id,
            "timestamp": _stamp(self.options.clock()),
            **extra,
        }
        self._position[topic, event["offset"]] = len(stream)
        stream.append(event)
        self.append(event)
        for wake in tuple(self.listeners):
            wake()
        if self.options.notify:
            self.options.notify(event)

    def start(self, topic: str, offset: str | None) -> int:
        """Where a reader begins: now without an offset, at the oldest kept with a forgotten one."""
        stream = self.topics[topic]
        oldest = self._oldest(topic)
        if not offset:
            return len(stream) if self.options.websocket_start == "now" else oldest
        found = self._position.get((topic, offset))
        if found is None:
            return oldest
        return max(found + (self.options.websocket_offset == "exclusive"), oldest)

    def _oldest(self, topic: str) -> int:
        limit = self.options.clock() - timedelta(days=self.options.event_days)
        for position, event in enumerate(self.topics[topic]):
            if datetime.fromisoformat(event["timestamp"]) >= limit:
                return position
        return len(self.topics[topic])


def _number(value: Any) -> Any:
    return int(value) if isinstance(value, str) and value.isdigit() else value


def _offset(topic: str, position: int) -> str:
    return blake2s(f"{topic}:{position}".encode(), digest_size=5).hexdigest()


def _stamp(now: datetime) -> str:
    return now.astimezone(STOCKHOLM).isoformat(timespec="milliseconds")
