"""From the answer to the event until the invoice is received in Severa, with nothing else to do."""

import tempfile
import time
from statistics import median

from app.sandbox.severa import RECEIVED, TRANSFER
from tests import servers
from tests.bench.figures import Row
from tests.installation import (
    Installation,
    Vendors,
    document,
    installation,
    post_all,
    severa_event,
    until,
    vendors,
)

EVENTS = 100
APART = 0.2  # seconds between the end of one and the next


def measure(events: int = EVENTS) -> dict[str, Row]:
    found: dict[str, Row] = {}
    with servers.redis_server() as redis, servers.postgres_server(durable=True) as postgres:
        assert postgres is not None, servers.NO_POSTGRES
        for name in ("sqlite", "postgresql"):
            with tempfile.TemporaryDirectory() as folder, vendors() as partners:
                sqlite = f"sqlite:///{folder}/bridge.db"
                url = sqlite if name == "sqlite" else postgres.new_database()
                with installation(url, redis.url, partners) as running:
                    running.connect(document())
                    found[name] = served(running, partners, events)
            redis.flush()
    return found


def served(running: Installation, partners: Vendors, events: int) -> Row:
    one_by_one(running, partners, 5)  # warm
    took = sorted(one_by_one(running, partners, events))
    return {
        "events": events,
        "p50_ms": round(median(took) * 1000, 1),
        "p95_ms": round(took[int(len(took) * 0.95)] * 1000, 1),
        "p99_ms": round(took[int(len(took) * 0.99)] * 1000, 1),
    }


def one_by_one(running: Installation, partners: Vendors, events: int) -> list[float]:
    """Seconds; the calls between the sandboxes and us are in them, at no latency of theirs."""
    return [one(running, partners) for _ in range(events)]


def one(running: Installation, partners: Vendors) -> float:
    guid = str(partners.severa.add_simple_invoice()["guid"])
    partners.severa.set_status(guid, TRANSFER)
    calls = partners.severa.chaos.calls
    calls.clear()
    post_all(running.url, [(guid, severa_event(guid))])
    answered = time.time()
    until("it is received", lambda: any(call.method == "PATCH" for call in list(calls)))
    assert partners.severa.find("invoices", guid)["status"]["guid"] == RECEIVED
    moved = next(call.at for call in calls if call.method == "PATCH")
    time.sleep(APART)
    return moved - answered
