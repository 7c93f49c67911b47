"""Who does the work in a torture: forked workers without Celery, or the real programs."""

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any, Protocol

from app.cli.processes import CELERY
from tests.proof.nursery import Nursery

Settings = dict[str, Any]


class Crew(Protocol):
    """`size`: how many processes there are when everybody is there; `start`: seconds until one
    that was hired works, on a busy machine.
    """

    size: int
    start: float

    def hire(self) -> int:
        """The pid of one more process."""

    def ended(self, pid: int) -> bool: ...

    def kill(self, pid: int) -> None:
        """SIGKILL; returns when it is gone."""


class Forked:
    """Cheap to kill by the hundred; they find what is due by the database alone."""

    start = 2.0

    def __init__(self, nursery: Nursery, settings: Settings, size: int, **order: Any) -> None:
        self.size, self._nursery = size, nursery
        self._settings, self._order = settings, order
        nursery.warm_up(settings, order["redis_url"])

    def hire(self) -> int:
        return self._nursery.start("work", self._settings, **self._order)

    def ended(self, pid: int) -> bool:
        return self._nursery.ended(pid) is not None

    def kill(self, pid: int) -> None:
        self._nursery.kill(pid)


class Programs:
    """Celery workers that hear by Redis, and one sweeper beside them."""

    start = 15.0

    def __init__(self, environment: dict[str, str], workers: int, log: Path) -> None:
        self.size, self._environment, self._log = workers + 1, environment, log
        self._living: dict[int, subprocess.Popen[bytes]] = {}
        self._sweeper: int | None = None

    def __enter__(self) -> "Programs":
        return self

    def __exit__(self, *_: object) -> None:
        for pid in list(self._living):
            self.kill(pid)

    def hire(self) -> int:
        if self._sweeper is None:
            self._sweeper = self._start("-m", "workers.sweeper")
            return self._sweeper
        return self._start(*CELERY)

    def ended(self, pid: int) -> bool:
        if self._living[pid].poll() is None:
            return False
        self._forget(pid)
        return True

    def kill(self, pid: int) -> None:
        os.kill(pid, signal.SIGKILL)
        self._living[pid].wait()
        self._forget(pid)

    def _start(self, *command: str) -> int:
        with self._log.open("ab") as log:
            process = subprocess.Popen(
                [sys.executable, *command], env=self._environment, stdout=log, stderr=log
            )
        self._living[process.pid] = process
        return process.pid

    def _forget(self, pid: int) -> None:
        del self._living[pid]
        if pid == self._sweeper:
            self._sweeper = None
