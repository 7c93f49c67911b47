"""Traces: who did what, and for how long, from the door to the vendor. One switch; off, they cost
nothing and nothing of theirs is loaded.

Only what is named where a span begins is told: no query, no header, no body, no record's content.
"""

from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext
from typing import Literal, Protocol

import structlog

from app.settings import Settings

log = structlog.get_logger()

Kind = Literal["server", "client", "consumer", "internal"]
Facts = Mapping[str, str | int]
NOTHING: Facts = {}
TRACEPARENT = "traceparent"  # W3C Trace Context: 00-<trace>-<span>-<flags>
LONGEST = 55
NOTHING_BEGINS = nullcontext()


class Recorder(Protocol):
    """`after`: the traceparent of what led to this, else what is under way in this thread did."""

    def span(
        self, name: str, kind: Kind, after: str | None, facts: Facts
    ) -> AbstractContextManager[None]: ...
    def note(self, facts: Facts) -> None: ...
    def rename(self, name: str) -> None: ...
    def current(self) -> str | None: ...
    def close(self) -> None: ...


class Silent:
    def span(self, *_: object) -> AbstractContextManager[None]:
        return NOTHING_BEGINS

    def note(self, facts: Facts) -> None:
        pass

    def rename(self, name: str) -> None:
        pass

    def current(self) -> str | None:
        return None

    def close(self) -> None:
        pass


class Here:
    """The recorder of this process."""

    recorder: Recorder = Silent()


def set_up(settings: Settings, process: str) -> None:
    """Once in each process. Where the extra is missing, work goes on and the log says so."""
    if not settings.traces_url:
        return
    try:
        from app import otel  # loaded where it is wanted; an installation may not have it
    except ImportError:
        log.error("tracing.not_installed", extra="severa-fortnox-bridge[otel]")  # noqa: TRY400
        return
    Here.recorder = otel.Recorder(settings.traces_url, process)


def close() -> None:
    """Sends what is left; whoever ends by a signal has no other chance."""
    Here.recorder.close()
    Here.recorder = Silent()


def span(
    name: str, kind: Kind = "internal", after: str | None = None, facts: Facts = NOTHING
) -> AbstractContextManager[None]:
    return Here.recorder.span(name, kind, after, facts)


def note(facts: Facts) -> None:
    """Adds to the span that is under way in this thread or task."""
    Here.recorder.note(facts)


def rename(name: str) -> None:
    Here.recorder.rename(name)


def current() -> str | None:
    """The traceparent of the span that is under way; None where none is."""
    return Here.recorder.current()


def trace_id() -> dict[str, str]:
    """For a log line; empty where nothing is traced."""
    at = current()
    return {"trace_id": at.split("-")[1]} if at else {}
