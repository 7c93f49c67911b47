"""From its start to SIGTERM or SIGINT: a process of the bridge that is no worker and no door."""

import signal
from collections.abc import Callable
from typing import Protocol

from app import embedded, tracing
from app import log as log_lines
from app.hall import Hall, open_hall
from app.settings import settings


class Runner(Protocol):
    def run(self) -> None:
        """Until `stop`, which may be called at any time."""

    def stop(self) -> None: ...


def live(name: str, make: Callable[[Hall, str], Runner]) -> None:
    """`make`: of the hall and the URL of Redis."""
    given = settings()
    log_lines.set_up(given)
    tracing.set_up(given, name)
    url, owner = embedded.at(given.redis_url, given.var_dir / "redis")
    runner = make(open_hall(given), url)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: runner.stop())
    runner.run()
    tracing.close()
    if owner is not None:
        owner.stop()
