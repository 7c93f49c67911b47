"""Whether everything that changes is heard of: topic by topic, and poll by poll."""

from typing import Literal

from fastapi import Request
from pydantic import BaseModel

from app import cursors, listened
from app.api.desk import AtDesk, language, router
from app.checks import coverage
from app.clock import iso
from app.reasons import explain

routes = router("checks")


class Heard(BaseModel):
    """`asked_at`: until when nothing can be missing; `gap`: events may have been lost."""

    name: str
    source: Literal["listener", "poll"]
    last: str | None
    seen_at: str | None
    asked_at: str | None
    age_seconds: float | None
    gap: bool
    detail: str


class Coverage(BaseModel):
    coverage: list[Heard]


@routes.get("/connections/{connection}/coverage")
def read_coverage(desk: AtDesk, request: Request, connection: str) -> Coverage:
    """Per topic and poll: last offset or cursor, age, gap."""
    now, settings = desk.hall.clock(), desk.hall.settings
    with desk.hall.db.reading() as tx:
        spoken = language(request, desk.connection(tx, connection))
        rows = cursors.every(tx, connection)
        standing = listened.standing(tx, connection)
        gaps = listened.open_gaps(tx, connection)
    found = []
    for part in coverage.look(rows, standing, gaps, settings, now):
        told = explain(part.reason, spoken)
        age = (now - part.asked_at).total_seconds() if part.asked_at else None
        found.append(
            Heard(
                name=part.name,
                source=part.source,
                last=part.last,
                seen_at=iso(part.seen_at),
                asked_at=iso(part.asked_at),
                age_seconds=age,
                gap=part.gap,
                detail=f"{told.message} {told.next_step}".strip(),
            )
        )
    return Coverage(coverage=found)
