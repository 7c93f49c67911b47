"""What a forked process does: work until it is told to stop, or one run that ends at one point."""

import os
import signal
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime, timedelta
from threading import Event, Thread
from typing import Any

import httpx
import structlog
from sqlalchemy.exc import SQLAlchemyError

from app import calls, overview
from app.backoff import Backoff
from app.fortnox import rest as fortnox
from app.hall import Hall
from app.holder import Holder
from app.locks import LockLost
from tests.proof import seams, weakened
from workers.listener import Listener
from workers.process import WorkingProcess
from workers.sweeper import Sweeper

Order = dict[str, Any]
LATER = timedelta(minutes=11)
AGES = timedelta(days=365)  # whatever is due at all is due by then
IDLE = 0.05
WATCHED = ("die_at", "side", "trace", "stop_at", "stop_after")
log = structlog.get_logger()


def work(hall: Hall, order: Order) -> int:
    """A worker without Celery: the same process, crank and threads, asking the database itself.

    `patience`: seconds the client waits for an answer, so that a vendor that hangs costs little.
    """
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(30))
    calls.TIMEOUT = httpx.Timeout(order["patience"], connect=5, pool=5)
    weakened.apply(order.get("weakened", ""))
    stop, parent = Event(), os.getppid()
    process = WorkingProcess(hall, "worker", order["redis_url"], lost=_die)
    signal.signal(signal.SIGTERM, lambda *_: stop.set())

    def turn_until_stopped() -> None:
        while not stop.is_set():
            try:
                ran = process.crank.turn()
            except (SQLAlchemyError, LockLost) as error:
                log.warning("worker.database", error=type(error).__name__)
                ran = 0
            if not ran:
                stop.wait(IDLE)

    with ThreadPoolExecutor(order["threads"]) as threads:
        turning = [threads.submit(turn_until_stopped) for _ in range(order["threads"])]
        while not stop.wait(0.5):
            if os.getppid() != parent or any(one.done() for one in turning):
                _die()
        process.crank.stopping.set()
        for one in turning:
            one.result()
    process.close()
    return 0


def once(hall: Hall, order: Order) -> int:
    """Runs what is due, and dies at seam number `die_at`; what it passed is written to `trace`.

    `ahead`: minutes that the clock is ahead of the real time. `rounds`: how often it goes on a
    little later, where something is left to do. `takes_back`: not where the rows of the dead are
    to lie until all of them are.
    """
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(40))
    weakened.apply(order.get("weakened", ""))
    fortnox.PAGE = order.get("page", fortnox.PAGE)
    clock = _Clock(hall.clock, timedelta(minutes=order.get("ahead", 0)))
    if not order.get("takes_back", True):
        Holder.take_back_lost = lambda _self: 0  # type: ignore[method-assign]
    process = WorkingProcess(replace(hall, clock=clock), "worker", order["redis_url"], lost=_die)
    process.room.holder.take_back_lost()
    how = {
        name: order[name]
        for name in ("die_at", "side", "trace", "stop_at", "stop_after")
        if name in order
    }
    with seams.watched(**how):
        for _ in range(order.get("rounds", 1)):
            while process.crank.turn():
                pass
            with hall.db.reading() as tx:
                if overview.backlog(tx, clock() + AGES).due == 0:
                    break
            clock.ahead += LATER
    process.close()
    return 0


def listen(hall: Hall, order: Order) -> int:
    """`pace`: seconds between two looks at who is heard, and after a lost socket."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(30))
    pace = order["pace"]
    _end_with_parent()
    Listener(hall, order["redis_url"], backoff=Backoff(pace, pace * 4), pace=pace).run()
    return 0


def sweep(hall: Hall, order: Order) -> int:
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(30))
    _end_with_parent()
    Sweeper(hall, order["redis_url"]).run()
    return 0


def _end_with_parent() -> None:
    parent = os.getppid()

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(0.5)
        _die()

    Thread(target=watch, daemon=True).start()


class _Clock:
    def __init__(self, real: Callable[[], datetime], ahead: timedelta) -> None:
        self._real, self.ahead = real, ahead

    def __call__(self) -> datetime:
        return self._real() + self.ahead


def _die() -> None:
    """As the worker does that lost its lock."""
    os.kill(os.getpid(), signal.SIGKILL)
    time.sleep(60)


ROLES: dict[str, Callable[[Hall, Order], int]] = {
    "work": work,
    "once": once,
    "listen": listen,
    "sweep": sweep,
}
