"""Carrying over whole registers: what there is to do, started, watched while it runs, cancelled."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, get_args

from starlette.responses import Response

from app import backfills, links, sync, worklist
from app.api.backfills import cancel, start
from app.api.problems import Problem
from app.backfills import RETRY, WAYS, Direction
from app.connections import Connection
from app.console import words
from app.console.visit import Here, Sent, Visit, router
from app.errors import Ending, VendorError
from app.reasons import Explanation, explain
from app.sync.backfill import keys
from app.sync.sides import Planned, Sides
from app.worklist import BACKGROUND, Want

routes = router()
SHOWN = 20
FORETOLD = 3  # each takes several calls to both systems
AT_ONCE = 500
Way = tuple[str, Direction]
OFFERED: tuple[Way, ...] = tuple((kind, way) for kind, ways in WAYS.items() for way in ways)


@dataclass(frozen=True)
class Foretold:
    """Of one record that is not linked yet: what would be written, or why nothing would be."""

    key: str
    writes: Sequence[Planned]
    ends: Explanation | None


@routes.get("/c/{connection}/backfills")
def read_backfills(visit: Here) -> Response:
    connection = visit.connection()
    now = visit.desk.hall.clock()
    with visit.desk.hall.db.transaction() as tx:  # looking at one also notes that it has ended
        rows = backfills.latest(tx, visit.name, SHOWN)
        found = [backfills.progress(tx, row, now) for row in rows]
    sheet = "backfills_now.html" if visit.request.headers.get("hx-request") else "backfills.html"
    return visit.show(sheet, connection=connection, found=found, offered=OFFERED, retry=RETRY)


@routes.get("/c/{connection}/backfills/ahead")
def look_ahead(visit: Here) -> Response:
    """How many records there are, which of them are linked, and the first writes; none is made."""
    visit.need("operate")
    connection, way = visit.connection(), _way(visit, visit.request.query_params.get("way", ""))
    given: dict[str, Any] = {"connection": connection, "kind": way[0], "direction": way[1]}
    if not visit.is_piece():
        return visit.show("ahead.html", **given)
    try:
        facts = _ahead(visit, connection, way)
    except (VendorError, Ending) as error:
        return visit.show("unread.html", why=words.why(visit.tongue, error))
    return visit.show("ahead_now.html", **given, **facts)


@routes.post("/c/{connection}/backfills")
def begin(visit: Here, form: Sent) -> Response:
    visit.need("operate")
    kind, direction = _way(visit, form.get("way", ""))
    start(visit.desk, visit.session.who, visit.name, kind, direction)
    return visit.go(f"/c/{visit.name}/backfills")


@routes.post("/c/{connection}/backfills/{backfill}/cancel")
def stop(visit: Here, form: Sent, backfill: str) -> Response:  # noqa: ARG001 - looked at
    visit.need("operate")
    cancel(visit.desk, visit.session.who, visit.name, backfill)
    said = visit.tongue.text("Cancelled. What had not begun stands as it did before.")
    return visit.go(f"/c/{visit.name}/backfills", said)


def _way(visit: Visit, given: str) -> Way:
    kind, _, direction = given.partition(":")
    for way in get_args(Direction):
        if direction == way and way in WAYS.get(kind, ()):
            return kind, way
    raise Problem(400, visit.tongue.text("Choose which register."))


def _ahead(visit: Visit, connection: Connection, way: Way) -> dict[str, Any]:
    kind, direction = way
    sides = visit.desk.look(connection)
    found = list(keys(sides, kind, direction))
    linked: set[str] = set()
    for first in range(0, len(found), AT_ONCE):
        with visit.desk.hall.db.reading() as tx:
            linked |= links.linked(tx, connection.name, kind, found[first : first + AT_ONCE])
    fresh = [one for one in found if one not in linked]
    foretold = [_foretell(visit, sides, kind, key) for key in fresh[:FORETOLD]]
    return {"many": len(found), "linked": len(linked), "fresh": len(fresh), "foretold": foretold}


def _foretell(visit: Visit, sides: Sides, kind: str, key: str) -> Foretold:
    want = Want(sides.name, kind, key, BACKGROUND)
    try:
        return Foretold(key, sync.plan(sides, worklist.imagined(want)), None)
    except Ending as ending:
        return Foretold(key, (), explain(ending.reason, visit.tongue.language))
