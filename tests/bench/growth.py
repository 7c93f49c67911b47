"""What acknowledging, claiming, a page of the log and a search cost as the tables grow.

On PostgreSQL; generated rows of fifty companies. Both databases stand on one server and are asked
turn about. Milliseconds are medians; a plan that reads a whole table is said.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

from sqlalchemy import text

from app import connections, inbox, transfers, worklist
from app.documents import Document
from app.hall import Hall, open_hall
from app.inbox import Heard
from app.settings import Settings
from app.transfers import Filter
from app.worklist import Settlement, Want
from tests import servers
from tests.bench.figures import Row
from tests.installation import document

SMALL, LARGE = 10_000, 2_000_000  # events
EVENTS_PER_ROW = 4
COMPANIES = 50
ROUNDS = 60
SPAN = 365 * 24 * 3600 * 1_000_000  # microseconds that the rows are spread over

WORK = text("""
INSERT INTO work (id, connection, kind, key, subject, lane, state, wanted, attempts, tries,
                  source_label, target_id, target_label, received_at, started_at, settled_at)
SELECT 'trf_' || lpad(n::text, 26, '0'), 'company-' || n % :companies, 'invoice', 'key-' || n,
       'invoice:key-' || n, 0, 'done', 1, 1, 0,
       n || ' Kund ' || n % 997 || ' AB', n::text, n::text,
       :now - :span + n * (:span / :rows), :now - :span + n * (:span / :rows),
       :now - :span + n * (:span / :rows)
FROM generate_series(1, :rows) AS n
""")
EVENTS = text("""
INSERT INTO events (id, connection, source, door, identity, body_hash, body, type, status,
                    work_id, received_at)
SELECT 'evt_' || lpad(n::text, 26, '0'), 'company-' || n % :companies, 'severa', 'webhook',
       'msg-' || n, md5(n::text) || md5(n::text), NULL, 'invoice.status_changed', 'accepted',
       'trf_' || lpad((1 + n % :rows)::text, 26, '0'), :now - :span + n * (:span / :events)
FROM generate_series(1, :events) AS n
""")


@dataclass
class Grown:
    hall: Hall
    events: int
    seen: int = 0

    def ack(self) -> None:
        """A batch of 16 new events of 16 companies."""
        heard = []
        for _ in range(16):
            self.seen += 1
            name = f"company-{self.seen % COMPANIES}"
            want = Want(name, "invoice", f"new-{self.seen}")
            identity = f"new-{self.seen}"
            heard.append(Heard(name, "severa", "webhook", identity, b"{}", "invoice.x", want))
        with self.hall.db.transaction() as tx:
            inbox.receive(tx, heard, self.hall.clock())

    def claim(self) -> None:
        """One row taken and settled."""
        [item] = worklist.claim(self.hall.db, "bench", self.hall.clock())
        worklist.settle(self.hall.db, item, Settlement("done"), self.hall.clock())

    def page(self) -> None:
        with self.hall.db.reading() as tx:
            found = transfers.page(tx, "company-7", Filter(), None, 50)
        assert len(found.rows) == 50

    def search(self) -> None:
        """Something that one row has."""
        wanted = f"{self.events // EVENTS_PER_ROW // COMPANIES * COMPANIES - COMPANIES + 7} Kund"
        with self.hall.db.reading() as tx:
            found = transfers.page(tx, "company-7", Filter(q=wanted), None, 50)
        assert found.rows


STEPS: dict[str, Callable[[Grown], None]] = {
    "ack of 16": Grown.ack,
    "claim and settle": Grown.claim,
    "page of the log": Grown.page,
    "search": Grown.search,
}


def measure(events: int = LARGE, rounds: int = ROUNDS) -> dict[str, Row]:
    with servers.postgres_server(durable=True) as server, TemporaryDirectory() as folder:
        assert server is not None, servers.NO_POSTGRES
        with (
            grown(server.new_database(), Path(folder) / "small", SMALL) as small,
            grown(server.new_database(), Path(folder) / "large", events) as large,
        ):
            return {name: compared(small, large, step, rounds) for name, step in STEPS.items()}


def compared(small: Grown, large: Grown, step: Callable[[Grown], None], rounds: int) -> Row:
    took: dict[int, list[float]] = {small.events: [], large.events: []}
    for number in range(rounds + 5):
        for one in (small, large):
            begun = time.perf_counter()
            step(one)
            if number >= 5:  # the first are warm-up
                took[one.events].append((time.perf_counter() - begun) * 1000)
    before, after = (median(took[one.events]) for one in (small, large))
    return {
        f"ms_with_{small.events}": round(before, 2),
        f"ms_with_{large.events}": round(after, 2),
        "ratio": round(after / before, 2),
    }


@contextmanager
def grown(url: str, folder: Path, events: int) -> Iterator[Grown]:
    hall = open_hall(Settings(database_url=url, var_dir=folder))
    now = round(hall.clock().timestamp() * 1e6)
    rows = events // EVENTS_PER_ROW
    said = {"companies": COMPANIES, "rows": rows, "events": events, "now": now, "span": SPAN}
    with hall.db.transaction() as tx:
        for number in range(COMPANIES):
            given = Document.model_validate(document(f"company-{number}"))
            connections.put(tx, hall.vault, given, hall.clock())
            connections.set_active(tx, given.name, hall.clock(), active=True)
        tx.execute(WORK, {key: said[key] for key in ("companies", "rows", "now", "span")})
        tx.execute(EVENTS, said)
    with hall.db.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as plain:
        plain.execute(text("VACUUM ANALYZE"))
    yield Grown(hall, events)
    hall.db.close()
