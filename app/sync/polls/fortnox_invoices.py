"""Payments, by the lists of invoices: a look is wanted only where a list differs from the link.

A list tells all that a payment is known by: booked, balance, and when it was paid. Whether a
payment moves `lastmodified` is not documented, so there are two nets behind it: what was finally
paid lately, and, more seldom, everything that is unpaid.
"""

from collections.abc import Iterable
from datetime import date, timedelta
from typing import Any

from app import links, overview
from app.clock import today
from app.fortnox.poll import Window
from app.fortnox.schemas import InvoiceListItem
from app.sync import money
from app.sync.polls.keeping import Body, Place, fortnox_event, keep, place_of
from app.sync.sides import Sides
from app.sync.standing import OURS, standing_of
from app.worklist import Item

SWEEP_EVERY = 10
DATED_BACK = timedelta(days=3)  # payments are entered some days after the day they were made
DATED_FAR_BACK = timedelta(days=35)
LOOKS_LATER = ("queued", "waiting")  # and will read what stands there now


def modified(sides: Sides, item: Item) -> None:
    place = place_of(sides, item)
    window, began = Window.read(place), sides.clock()
    listed = sides.fortnox.invoices_modified(window.asked_from)
    _keep(sides, item, listed, place | {"since": began.isoformat()})


def final_payments(sides: Sides, item: Item) -> None:
    place, began = place_of(sides, item), sides.clock()
    runs, since = place.get("runs", 0) + 1, _day(place["since"])
    is_sweep = runs % SWEEP_EVERY == 0
    first = since - (DATED_FAR_BACK if is_sweep else DATED_BACK)
    listed = sides.fortnox.invoices_paid_from(first)
    if is_sweep:
        listed += sides.fortnox.unpaid_invoices()
    _keep(sides, item, listed, place | {"since": began.isoformat(), "runs": runs})


def differs(listed: InvoiceListItem, carried: dict[str, Any]) -> bool:
    """Whether Fortnox says anything of the payment that Severa was not told."""
    if listed.cancelled:
        return False
    standing = standing_of(listed)
    if standing.is_paid and carried.get("paid"):  # taken back and entered again since
        return carried.get("paid_on") not in (None, standing.day)
    if standing.is_paid or carried.get("paid"):
        return True
    amounts = {"paid": money.plain(standing.paid), "remaining": money.plain(standing.remaining)}
    return standing.paid != 0 and carried.get("part") != amounts


def _keep(sides: Sides, item: Item, listed: Iterable[InvoiceListItem], place: Place) -> None:
    """`told`: how each looked when it was last wanted, so that one which cannot go is not again."""
    ours = {one.document_number: one for one in listed}
    with sides.db.reading() as tx:
        known = links.of_many(tx, sides.name, "invoice", list(ours))
        rows = overview.rows_of(tx, sides.name, "payment", list(ours))
    carried = {number: link.carried for number, link in known.items()} | {
        number: {}  # forgotten by a database that was restored, perhaps
        for number, one in ours.items()
        if number not in known and (one.external_invoice_reference1 or "").startswith(OURS)
    }
    open_now = {
        number: _look_of(ours[number])
        for number, told_to_severa in carried.items()
        if differs(ours[number], told_to_severa)
    }
    told = place.get("told", {})
    wanted = [
        number
        for number, look in open_now.items()
        if told.get(number) != look and not _looks_later(rows.get(number))
    ]
    keep(sides, item, [_event(number) for number in wanted], place | {"told": open_now})


def _looks_later(row: Any) -> bool:
    return row is not None and row.state in LOOKS_LATER


def _look_of(one: InvoiceListItem) -> list[str]:
    return [str(one.booked), str(one.balance), str(one.total), str(one.final_pay_date)]


def _event(number: str) -> Body:
    return fortnox_event("invoices", "invoice-updated", number)


def _day(instant: str) -> date:
    return today(Window.read({"since": instant}).since)
