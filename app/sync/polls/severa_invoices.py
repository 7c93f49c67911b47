"""The invoices that stand in the transfer status: the status itself is the queue."""

from app import overview
from app.severa.poll import stamp_of
from app.severa.standing import Known, look_at
from app.sync.polls.keeping import Body, keep, place_of, severa_event
from app.sync.sides import Sides
from app.worklist import Item


def sync(sides: Sides, item: Item) -> None:
    place, statuses = place_of(sides, item), sides.document.invoice_statuses
    if statuses.transfer is None:
        return
    asked = [status for status in (statuses.transfer, statuses.error) if status]
    listed = sides.severa.standing_in(*asked)
    before = place.get("standing", {})
    left = before.keys() - {one.guid for one in listed}
    with sides.db.reading() as tx:
        rows = overview.rows_of(tx, sides.name, "invoice", [one.guid for one in listed])
        stuck = overview.rows_of(tx, sides.name, "invoice", left)
    known = {guid: Known(row.state, row.started_at, row.settled_at) for guid, row in rows.items()}
    chosen, seen = look_at(listed, known, before, statuses.transfer)
    bodies = [severa_event("invoice.status_changed", one.guid, stamp_of(one)) for one in chosen]
    bodies += [_left(guid) for guid, row in stuck.items() if row.state in ("blocked", "failed")]
    keep(sides, item, bodies, place | {"standing": seen})


def _left(guid: str) -> Body:
    """A person took away what could not go through: then it is nobody's trouble any more."""
    return severa_event("invoice.status_changed", guid)
