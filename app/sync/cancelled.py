"""An invoice that a person has cancelled in Fortnox is made anew only when it is wanted again.

It is wanted again when it had gone through, and stands in the transfer status once more; or when,
after people were told of it, somebody ran it again, or moved it away in Severa and back. A run that
comes by itself, an event or a poll is no such word.
"""

from datetime import datetime

from app import journal, links
from app.clock import iso
from app.links import Link
from app.severa.schemas import Invoice
from app.sync import error_status
from app.sync.sides import Sides
from app.sync.writing import CancelledByPerson
from app.worklist import Item

ASKED_FOR = frozenset({"retried_by_person", "left_transfer_status"})


def ask(sides: Sides, link: Link) -> CancelledByPerson:
    """What is to be raised; from now on a person's word counts."""
    told = link.carried.get("cancelled_at") or iso(sides.clock())
    kept = Link(link.kind, link.severa_id, link.fortnox_id, link.carried | {"cancelled_at": told})
    with sides.db.transaction() as tx:
        links.remember(tx, sides.name, kept, sides.clock())
    return CancelledByPerson(link.fortnox_id)


def is_wanted_again(sides: Sides, item: Item, link: Link, invoice: Invoice) -> bool:
    """A dry run tells what would follow a person's word."""
    if link.carried.get("moved") or sides.plan is not None:
        return True
    told = _told(link)
    return told is not None and (
        _asked_for_since(sides, item, told)
        or error_status.was_put_back(sides, item, invoice, since=told)
    )


def note_left(sides: Sides, item: Item, link: Link) -> None:
    """It was found outside the transfer status: back there, it is wanted again."""
    told = _told(link)
    if told is None or sides.plan is not None or _asked_for_since(sides, item, told):
        return
    with sides.db.transaction() as tx:
        journal.write(tx, sides.name, item.id, "left_transfer_status", sides.clock())


def _told(link: Link) -> datetime | None:
    told = link.carried.get("cancelled_at")
    return datetime.fromisoformat(told) if told else None


def _asked_for_since(sides: Sides, item: Item, told: datetime) -> bool:
    with sides.db.reading() as tx:
        said = journal.read(tx, item.id)
    return any(one.what in ASKED_FOR and one.at > told for one in said)
