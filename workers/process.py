"""What a worker and the sweeper share: one process that holds rows, and says that it is alive."""

from collections.abc import Callable
from dataclasses import dataclass
from threading import Event, Thread

import redis
import structlog
from sqlalchemy.exc import SQLAlchemyError

from app import figures, locks, processes
from app.hall import Hall
from app.holder import Holder
from app.limits import Limits
from app.workroom import Workroom
from workers.crank import Crank

log = structlog.get_logger()

BEAT_SECONDS = 5.0


@dataclass
class WorkingProcess:
    """`lost`: called when this process may no longer be the holder of its rows; it must end."""

    hall: Hall
    kind: str
    redis_url: str
    lost: Callable[[], None]

    def __post_init__(self) -> None:
        settings = self.hall.settings
        lock = locks.take(self.hall.db, self.kind, settings.var_dir)
        self.redis = redis.Redis.from_url(
            self.redis_url, socket_timeout=1, socket_connect_timeout=1
        )
        limits = Limits(self.redis, settings.rates)
        holder = Holder(self.hall.db, lock, self.hall.clock, settings.quarantine_time)
        self.room = Workroom(self.hall, holder, limits)
        self.crank = Crank(self.room)
        self._courier = figures.Courier(self.redis)
        self._ended = Event()
        self._heart = Thread(target=self._beat, name="heart", daemon=True)
        self._heart.start()

    def close(self) -> None:
        self._ended.set()
        self._heart.join(timeout=10)
        self._courier.close()
        self.room.close()
        self.room.holder.lock.release()
        self.redis.close()

    def _beat(self) -> None:
        name = self.room.holder.name
        while True:
            try:
                processes.beat(self.hall.db, name, self.kind, self.hall.clock())
                found = self.room.holder.take_back_lost()
                if found:
                    log.warning("work.taken_back", rows=found)
                if not self.room.holder.lock.still_held():
                    log.error("process.lock_lost", process=name)
                    self.lost()
                    return
            except SQLAlchemyError as error:
                log.warning("database.away", error=type(error).__name__)
            if self._ended.wait(BEAT_SECONDS):
                return
