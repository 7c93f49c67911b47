"""Carrying over whole registers: started, and watched."""

from typing import Annotated, Literal

from fastapi import Body, Response
from pydantic import BaseModel, ConfigDict

from app import audit, backfills, clock
from app.api.desk import AtDesk, Who, router
from app.api.problems import Problem, not_found
from app.backfills import WAYS, Direction, Progress

routes = router("backfills")


class Asked(BaseModel):
    """`direction` may be left out where a register goes one way only."""

    model_config = ConfigDict(extra="forbid")

    kind: Literal["customer", "product", "project", "invoice", "project_fee"]
    direction: Direction | None = None


class Backfill(BaseModel):
    """`done` went through or needed nothing, `failed` needs a person; `eta` in UTC or null."""

    id: str
    connection: str
    kind: str
    direction: str
    state: Literal["listing", "running", "done"]
    done: int
    failed: int
    total: int
    started_at: str
    finished_at: str | None
    eta: str | None
    url: str


@routes.post("/connections/{connection}/backfill", status_code=202)
def start_backfill(
    desk: AtDesk, by: Who, response: Response, connection: str, asked: Annotated[Asked, Body()]
) -> Backfill:
    """Starts it on the low lane, or answers the one that is under way already."""
    ways = WAYS[asked.kind]
    direction = asked.direction or (ways[0] if len(ways) == 1 else None)
    if direction is None or direction not in ways:
        raise Problem(400, f"direction: expected {' or '.join(ways)}")
    with desk.hall.db.transaction() as tx:
        desk.connection(tx, connection)
        now = desk.hall.clock()
        row = backfills.start(tx, connection, asked.kind, direction, now)
        progress = backfills.progress(tx, row, now)
        facts = {"backfill": row.id, "kind": asked.kind, "direction": direction}
        audit.write(tx, by, "backfill.started", connection, now, **facts)
    desk.hint(1)
    shown = _shown(desk, progress)
    response.headers["Location"] = shown.url
    return shown


@routes.get("/connections/{connection}/backfills/{backfill}")
def read_backfill(desk: AtDesk, connection: str, backfill: str) -> Backfill:
    """How far it has come."""
    with desk.hall.db.transaction() as tx:
        desk.connection(tx, connection)
        row = backfills.find(tx, connection, backfill)
        if row is None:
            raise not_found("backfill")
        return _shown(desk, backfills.progress(tx, row, desk.hall.clock()))


def _shown(desk: AtDesk, one: Progress) -> Backfill:
    base = f"{desk.hall.settings.public_url.rstrip('/')}/api/v1/connections/{one.connection}"
    return Backfill(
        id=one.id,
        connection=one.connection,
        kind=one.kind,
        direction=one.direction,
        state=one.state,
        done=one.done,
        failed=one.failed,
        total=one.total,
        started_at=clock.iso(one.started_at) or "",
        finished_at=clock.iso(one.finished_at),
        eta=clock.iso(one.eta),
        url=f"{base}/backfills/{one.id}",
    )
