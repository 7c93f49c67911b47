"""A listener in a thread of the test's own process, and what it has kept."""

import json
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from threading import Thread
from typing import Any

from sqlalchemy import select

from app import listened
from app.backoff import Backoff
from app.db import Database
from app.hall import Hall
from app.models import cursors, events
from app.sync import wants
from tests.installation import until
from tests.workshop import Workshop
from workers.listener import Listener

QUICK = Backoff(first=0.05, most=0.2)
PACE = 0.1


@dataclass
class Ears:
    hall: Hall
    listener: Listener
    thread: Thread

    def stop(self) -> None:
        self.listener.stop()
        self.thread.join(20)
        assert not self.thread.is_alive()

    def are_open(self, *names: str) -> None:
        def heard() -> bool:
            with self.hall.db.reading() as tx:
                known = listened.standings(tx)
            return all(name in known and known[name].reason is None for name in names)

        until(f"{names} are listened to", heard, 20)


def hall_of(shop: Workshop) -> Hall:
    url = shop.partners.environment["FORTNOX_WEBSOCKET_URL"]
    settings = shop.hall.settings.model_copy(update={"fortnox_websocket_url": url})
    return replace(shop.hall, settings=settings)


@contextmanager
def listening(shop: Workshop, redis_url: str) -> Iterator[Ears]:
    hall = hall_of(shop)
    listener = Listener(hall, redis_url, backoff=QUICK, pace=PACE)
    thread = Thread(target=listener.run, name="listener")
    thread.start()
    ears = Ears(hall, listener, thread)
    try:
        yield ears
    finally:
        ears.stop()


def kept(db: Database, name: str = "acme", topic: str = "") -> Counter[str]:
    """How often each Fortnox event was stored, by its offset."""
    with db.reading() as tx:
        rows = tx.execute(
            select(events.c.body).where(events.c.connection == name, events.c.source == "fortnox")
        )
        said = [json.loads(row.body) for row in rows]
    return Counter(one["offset"] for one in said if topic in ("", one["topic"]))


def happened(shop: Workshop, tenant: str = "654896", since: int = 0) -> set[str]:
    """The offsets of what happened to a company, as the sandbox wrote it down."""
    asked = wants.topics()
    return {
        one["offset"]
        for one in list(shop.partners.fortnox.events)[since:]
        if str(one["tenantId"]) == tenant and one["topic"] in asked
    }


def marks(db: Database, name: str = "acme") -> dict[str, Any]:
    with db.reading() as tx:
        rows = tx.execute(select(cursors).where(cursors.c.connection == name))
        return {row.name: row.value for row in rows}


def all_kept(shop: Workshop, since: int = 0, *, tenant: str = "654896", name: str = "acme") -> None:
    """Of what happened from this event on, everything is kept; and nothing twice."""
    asked = happened(shop, tenant, since)
    assert asked
    until("every event is kept", lambda: asked <= set(kept(shop.hall.db, name)), 20)
    assert set(kept(shop.hall.db, name).values()) == {1}
