"""The places where a process may die and leave a trace of it: each commit, each call to a vendor.

They are found by watching the two doors that everything durable goes through, the exit of
`db.transaction()` and `app.calls`; no line of the product knows of it.
"""

import json
import os
import re
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import httpx

from app import calls
from app.db import Database

Side = Literal["before", "after"]
PLUMBING = ("contextlib", "app.db", "tests.proof.seams")


@dataclass(frozen=True)
class Seam:
    """`changes`: something outside the process is another after it."""

    name: str
    changes: bool


@dataclass
class Watch:
    """Counts the seams that one thread passes, from 0; the process dies by SIGKILL at one of them.

    `die_at`: its number, or a pattern of its name. `stop_at`, `stop_after`: a pattern of the call
    to a vendor right before or after which the process is paused, as by SIGSTOP.
    """

    die_at: int | str | None = None
    side: Side = "after"
    trace: str | None = None
    stop_at: str | None = None
    stop_after: str | None = None
    passed: list[Seam] = field(default_factory=list)
    thread: int = field(default_factory=threading.get_ident)

    def ends_at(self, seam: Seam) -> bool:
        if threading.get_ident() != self.thread:
            return False
        self.passed.append(seam)
        if isinstance(self.die_at, str):
            return re.fullmatch(self.die_at, seam.name) is not None
        return len(self.passed) - 1 == self.die_at

    @contextmanager
    def at(self, seam: Seam) -> Iterator[None]:
        """What is done inside is what the seam stands for."""
        ends = self.ends_at(seam)
        if self.stop_at and re.fullmatch(self.stop_at, seam.name):
            self.stop_at = None  # once
            os.kill(os.getpid(), signal.SIGSTOP)
        if ends and self.side == "before":
            _die()
        try:
            yield
        finally:
            if ends:
                _die()
        if self.stop_after and re.fullmatch(self.stop_after, seam.name):
            self.stop_after = None
            os.kill(os.getpid(), signal.SIGSTOP)


@contextmanager
def watched(**how: Any) -> Iterator[None]:
    """`how` as in Watch."""
    watch = Watch(**how)
    transaction, send = Database.transaction, calls.Ask._send

    @contextmanager
    def watching(self: Database) -> Iterator[Any]:
        with ExitStack() as commit:
            tx = commit.enter_context(transaction(self))
            yield tx
            with watch.at(Seam(f"commit {_caller()}", changes=True)):
                commit.close()

    def sending(self: calls.Ask, client: Any, request: httpx.Request, largest: int | None) -> Any:
        name = f"{request.method} {self.system} {request.url.path}"
        with watch.at(Seam(name, request.method != "GET")):
            return send(self, client, request, largest)

    Database.transaction = watching  # type: ignore[assignment,method-assign]
    calls.Ask._send = sending  # type: ignore[method-assign]
    try:
        yield
    finally:
        Database.transaction = transaction  # type: ignore[method-assign]
        calls.Ask._send = send  # type: ignore[method-assign]
        if watch.trace:
            told = [[one.name, one.changes] for one in watch.passed]
            Path(watch.trace).write_text(json.dumps(told))


def read(trace: Path) -> list[Seam]:
    return [Seam(*one) for one in json.loads(trace.read_text())]


def _caller() -> str:
    frame = sys._getframe(1)
    while frame.f_back and frame.f_globals.get("__name__", "").startswith(PLUMBING):
        frame = frame.f_back
    return f"{frame.f_globals['__name__'].removeprefix('app.')}.{frame.f_code.co_name}"


def _die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)
