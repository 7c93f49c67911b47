"""A blocked invoice is moved to the error status in Severa, once, so that a project lead sees it.

Where it stands there because of us it is carried on as if it stood in the transfer status: that is
known by the last move we recorded, unless a look has found it elsewhere since.
"""

from datetime import datetime

from app import connections, effects, journal
from app.effects import Intent
from app.errors import Blocked, ConnectionBlocked, Ending, Missing, Refused, because
from app.severa.schemas import Invoice
from app.sync.shown import LAG
from app.sync.sides import Sides
from app.sync.writing import change
from app.worklist import Item

MOVE = "move_invoice"


def is_to_be_carried(sides: Sides, item: Item, invoice: Invoice) -> bool:
    """It stands in the transfer status, or we took it from there."""
    status = invoice.status.guid.lower()
    if status == sides.document.invoice_statuses.transfer:
        return True
    held = _held_in(sides, item)
    if held is not None and held != status and sides.plan is None:
        with sides.db.transaction() as tx:
            journal.write(tx, sides.name, item.id, "left_error_status", sides.clock())
    return held == status


def was_put_back(sides: Sides, item: Item, invoice: Invoice, *, since: datetime) -> bool:
    """A person has moved it from the error status, where we put it, to the transfer status again.

    Not believed for a minute: Severa may show it as it stood before we moved it.
    """
    with sides.db.reading() as tx:
        last = effects.latest(tx, item.id, MOVE)
    if last is None or last.state != "done" or not (last.payload or {}).get("because_blocked"):
        return False
    in_transfer = invoice.status.guid.lower() == sides.document.invoice_statuses.transfer
    return in_transfer and since <= last.prepared_at <= sides.clock() - LAG


def show(sides: Sides, item: Item, ending: Ending) -> None:
    """Only what needs a person, only from the transfer status, and only what is not there yet."""
    status = sides.document.invoice_statuses.error
    is_blocked = isinstance(ending, Blocked) and not isinstance(ending, ConnectionBlocked)
    if not is_blocked or status is None or sides.plan is not None:
        return
    with sides.db.reading() as tx:
        if connections.is_stopped(tx, sides.name):  # what it needs was blocked by that
            return
    if _stands_in_transfer(sides, item) and not _was_refused(sides, item, status):
        _move(sides, item, status)


def _stands_in_transfer(sides: Sides, item: Item) -> bool:
    statuses = sides.document.invoice_statuses
    try:
        status = sides.severa.invoice(item.key).status.guid.lower()
    except Missing:
        return False
    return status == statuses.transfer != statuses.error


def _move(sides: Sides, item: Item, status: str) -> None:
    payload = {"status": status, "because_blocked": True}
    intent = Intent(sides.name, item.id, "severa", "move_invoice", item.key, payload, creates=False)
    try:
        change(sides, intent, lambda: sides.severa.move_invoice(item.key, status))
    except (Refused, Missing) as error:  # the reason why it was blocked matters more
        warning = because("error_status_refused", words=error.words)
        with sides.db.transaction() as tx:
            journal.write(tx, sides.name, item.id, warning.code, sides.clock(), **warning.facts)
        return
    with sides.db.transaction() as tx:
        journal.write(tx, sides.name, item.id, "moved_to_error", sides.clock())


def _held_in(sides: Sides, item: Item) -> str | None:
    """The status that our last move put it in because it was blocked, until somebody moves it."""
    with sides.db.reading() as tx:
        last = effects.latest(tx, item.id, MOVE)
        if last is None or last.state == "refused" or not last.payload:
            return None
        if not last.payload.get("because_blocked"):
            return None
        left = [one.at for one in journal.read(tx, item.id) if one.what == "left_error_status"]
    return None if left and max(left) >= last.prepared_at else str(last.payload["status"])


def _was_refused(sides: Sides, item: Item, status: str) -> bool:
    with sides.db.reading() as tx:
        last = effects.latest(tx, item.id, MOVE)
    if last is None or last.state != "refused":
        return False
    return (last.payload or {}).get("status") == status
