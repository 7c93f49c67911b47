"""Finds what is due by the database alone: rings for the workers, and works itself when none hears.

Lives when Redis does not: with Redis gone, or no worker taking rows, this process drains the list.
"""

from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from threading import Event

import structlog
from sqlalchemy.exc import SQLAlchemyError

from app import alarms, backfills, overview, retention
from app.hall import Hall
from app.queue import Bell
from app.sync.polls import planting
from workers.lifetime import live
from workers.process import WorkingProcess

log = structlog.get_logger()

EVERY_SECONDS = 1.0
THREADS = 4
PATIENCE = timedelta(seconds=10)
PLANT_EVERY = timedelta(seconds=10)


class Sweeper:
    def __init__(self, hall: Hall, redis_url: str) -> None:
        self._hall, self._stop = hall, Event()
        self._plant_at = hall.clock()
        self._bell = Bell(redis_url)
        self._process = WorkingProcess(hall, "sweeper", redis_url, lost=self.stop)
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="sweep")

    def run(self) -> None:
        """Until `stop`."""
        log.info("sweeper.started")
        while not self._stop.wait(EVERY_SECONDS):
            try:
                self._sweep()
            except SQLAlchemyError as error:
                log.warning("database.away", error=type(error).__name__)
        self._process.crank.stopping.set()
        self._threads.shutdown()
        self._process.close()
        self._bell.close()

    def stop(self) -> None:
        self._stop.set()

    def _sweep(self) -> None:
        now = self._hall.clock()
        if now >= self._plant_at:
            planting.plant(self._hall.db, self._hall.settings, now)
            retention.plant(self._hall.db, now)
            alarms.plant(self._hall.db, now)
            self.start_backfills(now)
            self._plant_at = now + PLANT_EVERY
        with self._hall.db.reading() as tx:
            backlog = overview.backlog(tx, now)
        if not backlog.due:
            return
        heard = self._bell.ring_now(backlog.due)
        is_late = backlog.oldest is not None and now - backlog.oldest > PATIENCE
        if not heard or is_late:
            turns = [self._threads.submit(self._process.crank.turn) for _ in range(THREADS)]
            for turn in turns:
                turn.result()

    def start_backfills(self, now: datetime) -> None:
        """Of the connections that want all customers once."""
        known = self._hall.directory.everybody()
        with self._hall.db.transaction() as tx:
            backfills.start_wanted(tx, known, now)


if __name__ == "__main__":
    live("sweeper", Sweeper)
