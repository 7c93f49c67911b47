"""Turns the crank: takes due rows one by one and runs them, until there are none."""

from threading import Event

import structlog
from structlog.contextvars import bound_contextvars

from app import connections, inbox, sync, tracing, waiting
from app.errors import because
from app.vault import CannotDecrypt
from app.worklist import Item, Settlement
from app.workroom import Workroom

log = structlog.get_logger()

ROWS_PER_TURN = 50


class Crank:
    """One for each process, shared by its threads."""

    def __init__(self, room: Workroom) -> None:
        self.room = room
        self.stopping = Event()

    def turn(self, most: int = ROWS_PER_TURN) -> int:
        """Runs up to `most` due rows and answers how many it ran."""
        ran = 0
        while ran < most and not self.stopping.is_set():
            item = self.room.holder.claim()
            if item is None:
                break
            self._run(item)
            ran += 1
        return ran

    def _run(self, item: Item) -> None:
        hall, holder = self.room.hall, self.room.holder
        try:
            with hall.db.reading() as tx:
                event_id, trace = inbox.latest(tx, item.id)
                connection = connections.find(tx, hall.vault, item.connection)
                mended = waiting.mended(tx, item.connection)
        except CannotDecrypt:
            log.error("connection.unreadable", connection=item.connection, work_id=item.id)  # noqa: TRY400
            reason = because("secrets_unreadable")
            due = hall.clock() + hall.settings.retry_wait(4)
            holder.settle(item, Settlement("waiting", reason, due_at=due))
            return
        except BaseException:
            holder.drop(item)
            raise
        if connection is None:
            holder.let_go(item)
            return
        about = {"event_id": event_id} if event_id else {}
        with (
            tracing.span(f"run {item.kind}", "consumer", trace, _facts(item, event_id)),
            bound_contextvars(connection=item.connection, work_id=item.id, **about),
        ):
            sides = self.room.sides(connection, item.lane, mended=mended)
            sync.process(sides, item, hall.settings)


def _facts(item: Item, event_id: str) -> tracing.Facts:
    return {
        "bridge.connection": item.connection,
        "bridge.kind": item.kind,
        "bridge.work_id": item.id,
        "bridge.event_id": event_id,
        "bridge.tries": item.tries,
    }
