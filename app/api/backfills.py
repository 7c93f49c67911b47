"""Carrying over whole registers: started, and watched."""

from typing import Annotated, Literal

from fastapi import Body, Response
from pydantic import BaseModel, ConfigDict

from app import audit, backfills, batches, clock
from app.api.desk import AtDesk, Desk, Who, is_name, router
from app.api.problems import Problem, not_found
from app.backfills import WAYS, Direction, Progress, Stage
from app.identity import Identity

routes = router("backfills")


class Asked(BaseModel):
    """`direction` may be left out where a register goes one way only."""

    model_config = ConfigDict(extra="forbid")

    kind: Literal["customer", "product", "project", "invoice", "project_fee"]
    direction: Direction | None = None


class Backfill(BaseModel):
    """`done` went through or needed nothing, `failed` needs a person; `eta` in UTC or null.

    `kind` is `retry` for many transfers that a person runs again; then there is no `direction`.
    """

    id: str
    connection: str
    kind: str
    direction: str
    state: Stage
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
    shown = _shown(desk, start(desk, by, connection, asked.kind, direction))
    response.headers["Location"] = shown.url
    return shown


@routes.get("/connections/{connection}/backfills/{backfill}")
def read_backfill(desk: AtDesk, connection: str, backfill: str) -> Backfill:
    """How far it has come."""
    with desk.hall.db.transaction() as tx:
        desk.connection(tx, connection)
        row = backfills.find(tx, connection, backfill) if is_name(backfill) else None
        if row is None:
            raise not_found("backfill")
        return _shown(desk, backfills.progress(tx, row, desk.hall.clock()))


@routes.post("/connections/{connection}/backfills/{backfill}/cancel")
def cancel_backfill(desk: AtDesk, by: Who, connection: str, backfill: str) -> Backfill:
    """Takes back what has not begun and nobody else wants; what is under way runs to its end."""
    return _shown(desk, cancel(desk, by, connection, backfill))


def start(desk: Desk, by: Identity, connection: str, kind: str, direction: Direction) -> Progress:
    with desk.hall.db.transaction() as tx:
        desk.connection(tx, connection)
        now = desk.hall.clock()
        row = backfills.start(tx, connection, kind, direction, now)
        progress = backfills.progress(tx, row, now)
        facts = {"backfill": row.id, "kind": kind, "direction": direction}
        audit.write(tx, by, "backfill.started", connection, now, **facts)
    desk.hint(1)
    return progress


def cancel(desk: Desk, by: Identity, connection: str, backfill: str) -> Progress:
    """In many short transactions, so that events can be stored in between."""
    with desk.hall.db.transaction() as tx:
        desk.connection(tx, connection)
        now = desk.hall.clock()
        row = backfills.find(tx, connection, backfill) if is_name(backfill) else None
        if row is None:
            raise not_found("backfill")
        if not backfills.cancel(tx, row, now):
            raise Problem(409, "It has ended already: there is nothing to cancel.")
        audit.write(tx, by, "backfill.cancelled", connection, now, backfill=row.id)
    goes_on = True
    while goes_on:
        with desk.hall.db.transaction() as tx:
            _many, goes_on = batches.take_back(tx, connection, row.id, desk.hall.clock())
    with desk.hall.db.transaction() as tx:
        row = backfills.find(tx, connection, backfill)
        if row is None:
            raise not_found("backfill")
        return backfills.progress(tx, row, desk.hall.clock())


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
