"""Fortnox's WebSocket, listened to by one process for all connections; others stand by.

The place at the head is a lock that lives as long as the process: when the leader dies, one of
those who stand by has it within seconds.
"""

from threading import Event

import redis
import structlog
from sqlalchemy.exc import SQLAlchemyError

from app import figures, locks
from app.backoff import Backoff
from app.hall import Hall
from app.holder import Holder
from app.limits import Limits
from app.locks import ProcessLock
from app.queue import Bell
from app.workroom import Workroom
from workers.guests import Guests
from workers.leader import BACKOFF, PACE, Leader
from workers.lifetime import live

log = structlog.get_logger()

LEAD = "listener"


class Listener:
    """`pace`: seconds between two looks at who leads."""

    def __init__(
        self,
        hall: Hall,
        redis_url: str,
        *,
        backoff: Backoff = BACKOFF,
        pace: float = PACE,
    ) -> None:
        self._hall, self._pace, self._backoff = hall, pace, backoff
        self._stop = Event()
        self._bell = Bell(redis_url)
        self._redis = redis.Redis.from_url(redis_url, socket_timeout=1, socket_connect_timeout=1)

    def run(self) -> None:
        """Until `stop`."""
        waiting = False
        while not self._stop.is_set():
            lock = self._take_lead()
            if lock is None:
                if not waiting:
                    log.info("listener.standing_by")
                waiting = True
                self._stop.wait(self._pace)
                continue
            waiting = False
            log.info("listener.leading", process=lock.name)
            self._lead(lock)
        self._bell.close()
        self._redis.close()

    def stop(self) -> None:
        self._stop.set()

    def _take_lead(self) -> ProcessLock | None:
        try:
            return locks.lead(self._hall.db, LEAD, "listener", self._hall.settings.var_dir)
        except SQLAlchemyError as error:
            log.warning("database.away", error=type(error).__name__)
            return None

    def _lead(self, lock: ProcessLock) -> None:
        limits = Limits(self._redis, self._hall.settings.rates)
        hall = self._hall
        holder = Holder(hall.db, lock, hall.clock, hall.settings.quarantine_time)
        room = Workroom(hall, holder, limits)
        guests = Guests(self._hall, room)
        courier = figures.Courier(self._redis)
        try:
            Leader(
                hall=self._hall,
                lock=lock,
                guests=guests,
                ring=self._bell.ring,
                stop=self._stop,
                backoff=self._backoff,
                pace=self._pace,
            ).run()
        finally:
            courier.close()
            room.close()
            lock.release()


if __name__ == "__main__":
    live("listener", Listener)
