"""A stage for processes that die at a chosen point: two sandboxes, a database, forked workers."""

import json
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sqlalchemy import select

from app import connections, effects, overview, worklist
from app.documents import Document
from app.hall import Hall, open_hall
from app.models import work
from app.worklist import Want
from tests.installation import Vendors, document, vendors
from tests.proof import seams
from tests.proof.nursery import Nursery, as_settings
from tests.proof.seams import Seam, Side

KILLED = -9
ROUNDS = 8
Key = tuple[str, str]


@dataclass
class Stage:
    """`number` is another one at every call, so that each run has records of its own."""

    hall: Hall
    partners: Vendors
    redis_url: str
    folder: Path
    _nursery: Nursery
    _settings: dict[str, Any]
    _counted: int = 20_000
    doubts: int = field(default=0)

    def number(self) -> int:
        self._counted += 1
        return self._counted

    def connect(self, **changes: Any) -> None:
        given = Document.model_validate(document(**changes))
        with self.hall.db.transaction() as tx:
            connections.put(tx, self.hall.vault, given, self.hall.clock())
            connections.set_active(tx, "acme", self.hall.clock(), active=True)

    def want(self, *keys: Key) -> None:
        with self.hall.db.transaction() as tx:
            wants = [Want("acme", kind, key) for kind, key in keys]
            worklist.enqueue(tx, wants, self.hall.clock())

    def retry(self, kind: str, key: str) -> None:
        """As a person does it."""
        with self.hall.db.transaction() as tx:
            asked = select(work.c.id).where(work.c.kind == kind, work.c.key == key)
            row_id = tx.execute(asked).scalar_one()
            effects.forgive(tx, row_id)
            worklist.retry(tx, [row_id], self.hall.clock())

    def run(self, **order: Any) -> int:
        """One fresh process, to its end; answers how it ended."""
        return self._nursery.run("once", self._settings, redis_url=self.redis_url, **order)

    def recover(self, **order: Any) -> None:
        """Fresh processes until nothing is left to do; a person says once that it may go on."""
        assert self.run(rounds=ROUNDS, **order) == 0, self.log()
        if self.forgive():
            assert self.run(rounds=ROUNDS, **order) == 0, self.log()

    def trace(self, **order: Any) -> list[Seam]:
        """All seams of a run that nothing disturbs."""
        written = self.folder / "trace.json"
        written.unlink(missing_ok=True)
        assert self.run(trace=str(written), **order) == 0, self.log()
        return seams.read(written)

    def die(self, at: int | str, side: Side = "after", **order: Any) -> bool:
        """Whether the run came so far."""
        code = self.run(die_at=at, side=side, **order)
        assert code in (0, KILLED), self.log()
        return code == KILLED

    def start(self, **order: Any) -> int:
        return self._nursery.start("once", self._settings, redis_url=self.redis_url, **order)

    def wait(self, pid: int) -> int:
        return self._nursery.wait(pid)

    def hire(self, role: str, **order: Any) -> int:
        """A process that works until it is killed; its pid."""
        return self._nursery.start(role, self._settings, redis_url=self.redis_url, **order)

    def kill(self, pid: int) -> None:
        self._nursery.kill(pid)

    def unsettled(self) -> dict[Key, tuple[str, Any]]:
        """Whatever did not go through, and why."""
        with self.hall.db.reading() as tx:
            rows = tx.execute(select(work).where(work.c.state.not_in(("done", "skipped"))))
            return {(row.kind, row.key): (row.state, row.reason) for row in rows}

    def state(self, kind: str, key: str) -> str:
        with self.hall.db.reading() as tx:
            return overview.standing(tx, "acme", kind, key)[0]

    def log(self) -> str:
        return (self.folder / "workers.log").read_text(errors="replace")[-6000:]

    def forgive(self) -> bool:
        """After two unknown outcomes in a row a person decides; this one says: try again."""
        asked = {
            key
            for key, (_, reason) in self.unsettled().items()
            if reason and "outcome_unknown_twice" in json.dumps(reason)
        }
        with self.hall.db.transaction() as tx:
            for kind, key in asked:
                row = overview.rows_of(tx, "acme", kind, [key])[key]
                effects.forgive(tx, row.id)
                worklist.retry(tx, [row.id], self.hall.clock())
        self.doubts += len(asked)
        return bool(asked)


@contextmanager
def stage(database_url: str, redis_url: str, folder: Path, **changes: Any) -> Iterator[Stage]:
    with ExitStack() as stack:
        partners = stack.enter_context(vendors())
        settings = {
            "database_url": database_url,
            "var_dir": str(folder / "var"),
            "severa_url": f"{partners.severa_url}/rest-api",
            "fortnox_url": partners.fortnox_url,
            "fortnox_auth_url": f"{partners.fortnox_url}/oauth-v1",
            "fortnox_websocket_url": partners.environment["FORTNOX_WEBSOCKET_URL"],
            "severa_rate": [1000, 1],
            "fortnox_rate": [1000, 1],
            **changes,
        }
        nursery = stack.enter_context(Nursery(folder / "workers.log"))
        hall = open_hall(as_settings(settings))
        stack.callback(hall.db.close)
        opened = Stage(hall, partners, redis_url, folder, nursery, settings)
        opened.connect()
        nursery.warm_up(settings, redis_url)
        yield opened
