"""Payments, Fortnox → Severa: paid is what Fortnox's balance says, whatever stands between."""

import re
from datetime import date

from app import journal, links, overview, worklist
from app.effects import Intent
from app.errors import Missing, NothingToDo, Refused, TryLater, because
from app.fortnox import schemas as fortnox
from app.links import Link
from app.severa import schemas as severa
from app.sync import money, reading
from app.sync.meeting import Renamed
from app.sync.shown import looked_for
from app.sync.sides import Sides
from app.sync.standing import OURS, Standing, standing_of
from app.sync.writing import change
from app.worklist import Item

GUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.ASCII)
UNDATED = ("InvalidOperation", "InvalidParameter")  # how Severa may refuse one field


def sync(sides: Sides, item: Item) -> Link | None:
    """`item.key`: the invoice's DocumentNumber in Fortnox."""
    with looked_for(sides, item):
        return _sync(sides, item)


def _sync(sides: Sides, item: Item) -> Link | None:
    link = _link(sides, item)
    invoice = sides.fortnox.invoice(item.key)
    standing = standing_of(invoice)
    _describe(sides, item, link, invoice)
    if invoice.cancelled:
        raise NothingToDo(because("cancelled_in_fortnox", number=item.key))
    if standing.is_paid:
        return _pay(sides, item, link, standing)
    if link.carried.get("paid"):
        return _take_back(sides, item, link, standing)
    if standing.paid == 0:
        raise NothingToDo(because("not_paid_yet", number=item.key))
    return _part(sides, item, link, standing, invoice.currency or "SEK")


def _link(sides: Sides, item: Item) -> Link:
    """Only invoices that came from this connection; one still on its way is waited for."""
    with sides.db.reading() as tx:
        link = links.of_fortnox(tx, sides.name, "invoice", item.key)
    if link is not None:
        _meet(sides, item, link)
        return link
    try:
        invoice = sides.fortnox.invoice(item.key)
    except Missing as error:
        raise NothingToDo(because("fortnox_invoice_gone", number=item.key)) from error
    reference = invoice.external_invoice_reference1 or ""
    if not reference.startswith(OURS):
        raise NothingToDo(because("not_from_severa", number=item.key))
    with sides.db.reading() as tx:
        guid = reference.removeprefix(OURS)
        newer = links.of_severa(tx, sides.name, "invoice", guid)
        on_its_way = overview.is_open(tx, sides.name, "invoice", guid)
    if newer is None and not on_its_way and (link := _forgotten(sides, item, invoice)):
        _meet(sides, item, link)
        return link
    if newer is not None or not on_its_way:
        raise NothingToDo(because("not_carried_over_here", number=item.key))
    raise TryLater(because("invoice_on_its_way", number=item.key), waits_for=f"work:invoice:{guid}")


def _forgotten(sides: Sides, item: Item, invoice: fortnox.Invoice) -> Link | None:
    """One that Severa shows as received, and that is the only one with its reference.

    So it was carried over by us; an older copy of our database was restored since.
    """
    statuses = sides.document.invoice_statuses
    reference = invoice.external_invoice_reference1 or ""
    guid = reference.removeprefix(OURS)
    if not GUID.fullmatch(guid):  # anybody may write a reference
        return None
    try:
        theirs = sides.severa.invoice(guid)
    except Missing:
        return None
    living = [one for one in sides.fortnox.invoices_with_reference(reference) if not one.cancelled]
    if theirs.status.guid.lower() not in (statuses.received, statuses.paid):
        return None
    if [one.document_number for one in living] != [item.key]:
        return None
    link = Link("invoice", guid, item.key, {"payload": {}, "generation": 1, "moved": True})
    if sides.plan is None:
        facts = {"number": item.key, "ref": reference, "system": "fortnox"}
        with sides.db.transaction() as tx:
            now = sides.clock()
            links.remember(tx, sides.name, link, now)
            journal.write(tx, sides.name, item.id, "found_by_reference", now, **facts)
    return link


def _meet(sides: Sides, item: Item, link: Link) -> None:
    """The invoice and its payment are one subject: they never run at the same time."""
    subject = f"invoice:{link.severa_id}"
    if item.subject != subject and sides.plan is None:
        sides.holder.rename(item, subject)
        raise Renamed


def _describe(sides: Sides, item: Item, link: Link, invoice: fortnox.Invoice) -> None:
    with sides.db.transaction() as tx:
        worklist.describe(
            tx,
            item.id,
            source=f"{invoice.document_number} {invoice.customer_name or ''}".strip(),
            target_id=link.severa_id,
            target=invoice.external_invoice_reference2,
        )


def _severa_invoice(sides: Sides, item: Item, link: Link) -> severa.Invoice:
    try:
        return reading.to_pay(sides, item, link)
    except Missing as error:
        raise NothingToDo(because("severa_invoice_gone")) from error


def _pay(sides: Sides, item: Item, link: Link, standing: Standing) -> Link:
    status = sides.document.invoice_statuses.paid
    if status is None:
        raise NothingToDo(because("no_paid_status", number=item.key))
    theirs = _severa_invoice(sides, item, link)
    is_dated = theirs.payment_date == standing.paid_on or link.carried.get("undated")
    if theirs.status.guid.lower() != status or not is_dated:
        link = _move_to_paid(sides, item, link, status, standing.paid_on)
    was_paid, before = link.carried.get("paid"), link.carried.get("paid_on")
    if was_paid and before == standing.day:
        return link
    link = _carried(sides, link, paid=True, paid_on=standing.day)
    told = {"number": item.key, "date": standing.paid_on}
    is_undated = link.carried.get("undated")
    if was_paid and before and not is_undated:
        _note(sides, item, "payment_date_changed", **told)
    elif not was_paid and is_undated:
        _note(sides, item, "paid_undated", **told)
    elif not was_paid:
        _note(sides, item, "paid", **told)
    return link


def _move_to_paid(sides: Sides, item: Item, link: Link, status: str, paid_on: date | None) -> Link:
    """Where Severa takes no date of payment, the status alone: that it may be set is unwritten."""
    try:
        _move(sides, item, link, status, paid_on)
    except Refused as error:
        if paid_on is None or error.code not in UNDATED:
            raise
        _move(sides, item, link, status, None)
        return _carried(sides, link, undated=True)
    return _carried(sides, link, undated=False) if link.carried.get("undated") else link


def _take_back(sides: Sides, item: Item, link: Link, standing: Standing) -> Link:
    """The payment was undone in Fortnox: back to received, and the log warns."""
    received, paid = (
        sides.document.invoice_statuses.received,
        sides.document.invoice_statuses.paid,
    )
    theirs = _severa_invoice(sides, item, link)
    if theirs.status.guid.lower() == paid and received is not None:
        _move(sides, item, link, received, None)
    link = _carried(sides, link, paid=False, paid_on=None)
    remaining = money.plain(standing.remaining)
    _note(sides, item, "payment_taken_back", number=item.key, remaining=remaining)
    return link


def _part(sides: Sides, item: Item, link: Link, standing: Standing, currency: str) -> Link:
    amounts = {"paid": money.plain(standing.paid), "remaining": money.plain(standing.remaining)}
    if link.carried.get("part") == amounts:
        return link
    link = _carried(sides, link, part=amounts)
    _note(sides, item, "partly_paid", number=item.key, currency=currency, **amounts)
    return link


def _move(sides: Sides, item: Item, link: Link, status: str, paid_on: date | None) -> None:
    payload = {"status": status, "payment_date": paid_on.isoformat() if paid_on else None}
    intent = Intent(
        sides.name, item.id, "severa", "move_invoice", link.severa_id, payload, creates=False
    )
    change(
        sides,
        intent,
        lambda: sides.severa.move_invoice(link.severa_id, status, paid_on),
    )


def _carried(sides: Sides, link: Link, **carried: object) -> Link:
    link = Link(link.kind, link.severa_id, link.fortnox_id, link.carried | carried)
    if sides.plan is None:
        with sides.db.transaction() as tx:
            links.remember(tx, sides.name, link, sides.clock())
    return link


def _note(sides: Sides, item: Item, what: str, **facts: object) -> None:
    if sides.plan is None:
        with sides.db.transaction() as tx:
            journal.write(tx, sides.name, item.id, what, sides.clock(), **facts)
