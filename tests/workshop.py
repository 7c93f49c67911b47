"""One installation inside the test's own process: real databases and HTTP, no Celery in between."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from fastapi import FastAPI
from sqlalchemy import delete, select

from app import api, connections, effects, journal, models, worklist
from app.documents import Document
from app.hall import Hall, open_hall
from app.models import work
from app.settings import Rate, Settings
from app.worklist import Want
from tests.installation import Addresses, Vendors, document, until
from tests.servers import RedisServer
from workers.process import WorkingProcess


class MovingClock:
    """The real time, moved on by what a test adds."""

    def __init__(self, hall: Hall) -> None:
        self._real, self._ahead = hall.clock, timedelta(0)

    def __call__(self) -> datetime:
        return self._real() + self._ahead

    def stop(self) -> None:
        """From now on the time is only what a test adds."""
        stopped = self._real()
        self._real = lambda: stopped

    def follow(self, other: "MovingClock") -> None:
        self._real, self._ahead = other, timedelta(0)

    def move_on(self, by: timedelta) -> None:
        self._ahead += by


@dataclass
class Workshop:
    hall: Hall
    clock: MovingClock
    partners: Vendors
    process: WorkingProcess
    name: str = "acme"

    def connect(self, **changes: Any) -> None:
        given = Document.model_validate(document(self.name, **changes))
        with self.hall.db.transaction() as tx:
            connections.put(tx, self.hall.vault, given, self.clock())
            connections.set_active(tx, self.name, self.clock(), active=True)

    def look_at(self, kind: str, *keys: str) -> None:
        """As if an event about each of these had been heard; runs what is due until nothing is."""
        self.hear_of(kind, *keys)
        self.run()

    def hear_of(self, kind: str, *keys: str) -> None:
        """The same, and nothing is run yet."""
        with self.hall.db.transaction() as tx:
            worklist.enqueue(tx, [Want(self.name, kind, key) for key in keys], self.clock())

    def run(self) -> int:
        """Runs what is due; answers how many runs there were."""
        ran = 0
        while turned := self.process.crank.turn():
            ran += turned
        return ran

    def retry(self, kind: str, key: str) -> None:
        """As a person does it."""
        row_id = self.row(kind, key).id
        with self.hall.db.transaction() as tx:
            effects.forgive(tx, row_id)
            journal.write(tx, self.name, row_id, "retried_by_person", self.clock())
            worklist.retry(tx, [row_id], self.clock())
        self.run()

    def forget_everything_about(self, kind: str, key: str) -> None:
        """As when a database is restored from before the record was seen."""
        row_id = self.row(kind, key).id
        with self.hall.db.transaction() as tx:
            tx.execute(delete(models.links).where(models.links.c.severa_id == key))
            tx.execute(delete(models.effects).where(models.effects.c.work_id == row_id))
            tx.execute(delete(work).where(work.c.id == row_id))
            tx.execute(delete(models.looks))

    def wait_for_books(self, invoices: int) -> None:
        until("Fortnox has made it", lambda: len(self.partners.books.invoices) == invoices)

    def connection(self) -> connections.Connection:
        with self.hall.db.reading() as tx:
            found = connections.find(tx, self.hall.vault, self.name)
        assert found is not None
        return found

    def row(self, kind: str, key: str) -> Any:
        with self.hall.db.reading() as tx:
            return tx.execute(
                select(work).where(
                    work.c.connection == self.name, work.c.kind == kind, work.c.key == key
                )
            ).one()

    def outcome(self, kind: str, key: str) -> tuple[str, str | None]:
        """State and reason code."""
        row = self.row(kind, key)
        return row.state, row.reason["code"] if row.reason else None

    def log(self, kind: str, key: str) -> list[str]:
        """The codes of the sentences in the transfer log."""
        with self.hall.db.reading() as tx:
            return [one.what for one in journal.read(tx, self.row(kind, key).id)]


@contextmanager
def workshop(hall: Hall, redis_url: str, partners: Vendors) -> Iterator[Workshop]:
    clock = MovingClock(hall)
    settings = hall.settings.model_copy(
        update={
            "severa_url": f"{partners.severa_url}/rest-api",
            "fortnox_url": partners.fortnox_url,
            "fortnox_auth_url": f"{partners.fortnox_url}/oauth-v1",
        }
    )
    moved = replace(hall, settings=settings, clock=clock)
    process = WorkingProcess(moved, "worker", redis_url, lost=lambda: None)
    try:
        yield Workshop(moved, clock, partners, process)
    finally:
        process.close()


@contextmanager
def long_shop(
    migrated: Path, redis: RedisServer, homes: Addresses, folder: Path
) -> Iterator[Workshop]:
    """A connected workshop on SQLite, for the many tests of one file."""
    shutil.copyfile(migrated, folder / "bridge.db")
    redis.flush()
    settings = Settings(
        database_url=f"sqlite:///{folder}/bridge.db",
        var_dir=folder,
        quarantine=2,
        severa_rate=Rate(1000, 1),
        fortnox_rate=Rate(1000, 1),
    )
    hall = open_hall(settings)
    with workshop(hall, redis.url, homes.move_in()) as opened:
        opened.connect()
        yield opened
    hall.db.close()


def admin_api(shop: Workshop) -> FastAPI:
    """The admin API of this workshop, which reads both of its systems."""
    app, room = FastAPI(), shop.process.room
    api.mount(
        app,
        shop.hall,
        hint=lambda _: None,
        plan=lambda _: [],
        look=lambda connection: room.sides(connection, 0),
    )
    return app
