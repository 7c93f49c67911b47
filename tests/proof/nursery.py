"""Processes of the bridge by the hundred: a prepared process forks them, so that a kill is cheap.

Run as a program it reads orders, one JSON line each, and answers each with one line. It has no
threads and no open connection of its own, so that a fork is a clean process: one that lives, and
holds its lock, by itself.
"""

import json
import os
import signal
import subprocess
import sys
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import httpx

from app.hall import Hall, open_hall
from app.settings import Rate, Settings
from tests.proof.roles import ROLES

Order = dict[str, Any]
ROOT = Path(__file__).parent.parent.parent


@dataclass
class Nursery:
    """The other end of the pipe. `living`: the processes that were not waited for yet."""

    log: Path
    living: set[int] = field(default_factory=set)

    def __enter__(self) -> "Nursery":
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "tests.proof.nursery"],
                cwd=ROOT,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
            )
        return self

    def __exit__(self, *_: object) -> None:
        """Who lives still is killed by the nursery when its orders end."""
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.close()
        self._process.wait(30)
        self._process.stdout.close()

    def start(self, role: str, settings: Order, **order: Any) -> int:
        """The pid of a new process in this role."""
        pid = int(self._ask({"do": "start", "role": role, "settings": settings} | order))
        self.living.add(pid)
        return pid

    def warm_up(self, settings: Order, redis_url: str) -> None:
        """Lets it load and compile now what every process it forks would load anew."""
        self._ask({"do": "warm up", "settings": settings, "redis_url": redis_url})

    def wait(self, pid: int) -> int:
        """How it ended: its exit code, or the number of the signal that ended it, negated."""
        self.living.discard(pid)
        return int(self._ask({"do": "wait", "pid": pid}))

    def ended(self, pid: int) -> int | None:
        """The same, or None while it lives."""
        code = self._ask({"do": "poll", "pid": pid})
        if code is not None:
            self.living.discard(pid)
        return None if code is None else int(code)

    def kill(self, pid: int) -> None:
        """SIGKILL; returns when it is gone."""
        os.kill(pid, signal.SIGKILL)
        self.wait(pid)

    def run(self, role: str, settings: Order, **order: Any) -> int:
        return self.wait(self.start(role, settings, **order))

    def _ask(self, order: Order) -> Any:
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.write(json.dumps(order).encode() + b"\n")
        self._process.stdin.flush()
        answer = self._process.stdout.readline()
        if not answer:
            raise RuntimeError(f"the nursery has died:\n{self.log.read_text()[-4000:]}")
        return json.loads(answer)


def as_settings(given: Order) -> Settings:
    """`settings` of an order: JSON, so rates are lists and the schedule is text."""
    rates = {name: Rate(*value) for name, value in given.items() if name.endswith("_rate")}
    return Settings(**(given | rates))


@cache
def _hall(given: str) -> Hall:
    """Opened once, with nothing left open that two processes could share."""
    hall = open_hall(as_settings(json.loads(given)), pool_size=8)
    hall.db.close()
    return hall


def _start(order: Order) -> int:
    hall = _hall(json.dumps(order["settings"], sort_keys=True))
    pid = os.fork()
    if pid:
        return pid
    code = 70
    try:
        code = ROLES[order["role"]](hall, order)
    except BaseException:  # noqa: BLE001 - the child ends here, whatever it was
        sys.excepthook(*sys.exc_info())
    finally:
        os._exit(code)  # nothing that the parent had begun is finished twice


def _warm_up(order: Order) -> None:
    hall = _hall(json.dumps(order["settings"], sort_keys=True))
    ROLES["once"](hall, order)
    hall.db.close()


def _wait(pid: int, options: int = 0) -> int | None:
    ended, status = os.waitpid(pid, options)
    return os.waitstatus_to_exitcode(status) if ended else None


def main() -> None:
    httpx._transports.default.create_ssl_context = cache(httpx.create_ssl_context)  # type: ignore[attr-defined]
    living: set[int] = set()
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # whatever a child prints goes with the errors
    for line in sys.stdin.buffer:
        order = json.loads(line)
        answer: int | None
        if order["do"] == "start":
            answer = _start(order)
            living.add(answer)
        elif order["do"] == "warm up":
            answer = _warm_up(order)
        else:
            answer = _wait(order["pid"], os.WNOHANG if order["do"] == "poll" else 0)
            if answer is not None:
                living.discard(order["pid"])
        answers.write(f"{json.dumps(answer)}\n")
        answers.flush()
    for pid in living:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
        _wait(pid)


if __name__ == "__main__":
    main()
