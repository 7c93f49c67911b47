"""The places where a process may die and leave a trace of it: each commit, each call to a vendor.

They are found by watching the two doors that everything durable goes through, the exit of
`db.transaction()` and `app.calls`; no line of the product knows of it.
"""

import json
import os
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
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


@contextmanager
def watched(die_at: int | None, side: Side, trace: str | None) -> Iterator[None]:
    """Counts the seams that this thread passes, from 0; dies by SIGKILL at one of them."""
    passed: list[Seam] = []
    me = threading.get_ident()
    transaction, send = Database.transaction, calls.Ask._send

    def note(seam: Seam) -> bool:
        """Whether to die here."""
        if threading.get_ident() != me:
            return False
        passed.append(seam)
        return len(passed) - 1 == die_at

    @contextmanager
    def watching(self: Database) -> Iterator[Any]:
        name = f"commit {_caller()}"
        with transaction(self) as tx:
            yield tx
            dies = note(Seam(name, changes=True))
            if dies and side == "before":
                _die()
        if dies:
            _die()

    def sending(
        self: calls.Ask, client: httpx.Client, request: httpx.Request, largest: int | None
    ) -> Any:
        path = request.url.path
        dies = note(Seam(f"{request.method} {self.system} {path}", request.method != "GET"))
        if dies and side == "before":
            _die()
        answer = send(self, client, request, largest)
        if dies:
            _die()
        return answer

    Database.transaction = watching  # type: ignore[method-assign]
    calls.Ask._send = sending  # type: ignore[method-assign]
    try:
        yield
    finally:
        Database.transaction = transaction  # type: ignore[method-assign]
        calls.Ask._send = send  # type: ignore[method-assign]
        if trace:
            Path(trace).write_text(json.dumps([[one.name, one.changes] for one in passed]))


def read(trace: Path) -> list[Seam]:
    return [Seam(*one) for one in json.loads(trace.read_text())]


def _caller() -> str:
    frame = sys._getframe(1)
    while frame.f_back and frame.f_globals.get("__name__", "").startswith(PLUMBING):
        frame = frame.f_back
    return f"{frame.f_globals['__name__'].removeprefix('app.')}.{frame.f_code.co_name}"


def _die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)
