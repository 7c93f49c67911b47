"""Workers and a sweeper as they run, on servers of their own, between two sandboxes."""

import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from subprocess import Popen

from sqlalchemy import func, select, update

from app import connections, worklist
from app.documents import Document
from app.hall import Hall, open_hall
from app.models import effects, work
from app.sandbox.severa import TRANSFER
from app.settings import Settings
from app.worklist import LIVE, Want
from tests import servers
from tests.bench.processes import cpu_seconds, peak_mib, running
from tests.installation import Vendors, document, vendors

WORKER = ("-m", "app.cli", "worker")
SWEEPER = ("-m", "app.cli", "sweeper")
NAME = "acme"


@dataclass
class Crew:
    hall: Hall
    partners: Vendors
    workers: list[Popen[bytes]]

    def order(self, many: int) -> list[str]:
        """Invoices in the transfer status; their GUIDs."""
        severa = self.partners.severa
        guids = [str(severa.add_simple_invoice()["guid"]) for _ in range(many)]
        for guid in guids:
            severa.set_status(guid, TRANSFER)
        return guids

    def want(self, guids: Sequence[str], lane: int = LIVE) -> None:
        with self.hall.db.transaction() as tx:
            wants = [Want(NAME, "invoice", guid, lane) for guid in guids]
            worklist.enqueue(tx, wants, self.hall.clock())

    def wait(self, guids: Sequence[str], patience: float = 1800) -> None:
        """Until all of them are carried over."""
        deadline = time.monotonic() + patience
        done = select(func.count()).where(
            work.c.connection == NAME, work.c.kind == "invoice", work.c.state == "done"
        )
        while True:
            with self.hall.db.reading() as tx:
                if (tx.scalar(done) or 0) >= len(guids):
                    return
            if time.monotonic() > deadline:
                raise RuntimeError("the invoices are not carried over in time")
            time.sleep(0.2)

    def warm_up(self) -> None:
        """Customer, article and project are known, and one invoice was made a while ago."""
        first = self.order(1)
        self.want(first)
        self.wait(first)
        before = self.hall.clock() - timedelta(minutes=10)
        with self.hall.db.transaction() as tx:
            tx.execute(update(effects).values(settled_at=before))
        for vendor in (self.partners.severa, self.partners.fortnox):
            vendor.chaos.calls.clear()

    def cpu(self) -> float:
        """Seconds that the workers have used."""
        return sum(cpu_seconds(one.pid) for one in self.workers)

    def memory(self) -> float:
        """MiB: the most that one worker ever held."""
        return max(peak_mib(one.pid) for one in self.workers)


@contextmanager
def crew(workers: int, *, severa_rate: str = "10/1") -> Iterator[Crew]:
    """Both sandboxes enforce their windows exactly; `severa_rate` empty: Severa's is lifted."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        redis = stack.enter_context(servers.redis_server())
        postgres = stack.enter_context(servers.postgres_server(durable=True))
        assert postgres is not None, servers.NO_POSTGRES
        partners = stack.enter_context(vendors())
        partners.fortnox.options.rate = (25, 5.0)
        if severa_rate:
            calls, seconds = severa_rate.split("/")
            partners.severa.options.rate = (int(calls), float(seconds))
        env = {
            **partners.environment,
            "DATABASE_URL": postgres.new_database(),
            "REDIS_URL": redis.url,
            "VAR_DIR": str(folder / "var"),
            "SEVERA_RATE": severa_rate or "1000/1",
            "POLL_INTERVAL": "0",
            "LOG_LEVEL": "WARNING",
        }
        hall = open_hall(Settings(database_url=env["DATABASE_URL"], var_dir=folder / "var"))
        with hall.db.transaction() as tx:
            connections.put(tx, hall.vault, Document.model_validate(document()), hall.clock())
            connections.set_active(tx, NAME, hall.clock(), active=True)
        stack.enter_context(running([*SWEEPER], env))
        begun = [stack.enter_context(running([*WORKER], env)) for _ in range(workers)]
        opened = Crew(hall, partners, begun)
        opened.warm_up()
        yield opened
        hall.db.close()
