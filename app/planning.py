"""A look ahead: the writes that a run of one transfer would send now, without sending any."""

from typing import Any

from redis import Redis

from app import connections, locks, sync, worklist
from app.hall import Hall
from app.holder import Holder
from app.limits import Limits
from app.sync.sides import Sides
from app.workroom import Workroom


class Planner:
    """Reads from both vendors with the rate budget of everybody else."""

    def __init__(self, hall: Hall, redis: Redis) -> None:
        settings = hall.settings
        self._hall = hall
        self._lock = locks.take(hall.db, "planner", settings.var_dir)
        holder = Holder(hall.db, self._lock, hall.clock, hall.settings.quarantine_time)
        self.room = Workroom(hall, holder, Limits(redis, settings.rates))

    def plan(self, work_id: str) -> list[dict[str, Any]]:
        """Raises the ending that would stop the run, or the vendor's error."""
        with self._hall.db.reading() as tx:
            item = worklist.look(tx, work_id)
            connection = connections.find(tx, self._hall.vault, item.connection) if item else None
        if item is None or connection is None:
            return []
        sides = self.room.sides(connection, worklist.LIVE)
        return [
            {
                "system": one.system,
                "action": one.action,
                "ref": one.ref,
                "payload": one.payload,
            }
            for one in sync.plan(sides, item)
        ]

    def look(self, connection: connections.Connection) -> Sides:
        """Both windows, for reading on the low lane; whoever asks writes nothing through them."""
        return self.room.sides(connection, worklist.BACKGROUND)

    def close(self) -> None:
        self.room.close()
        self._lock.release()
