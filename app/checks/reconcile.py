"""Do the books agree? Invoices, payments and fees of a period in both systems, to the öre."""

from collections.abc import Iterator
from datetime import date
from decimal import Decimal

from app.checks import fees
from app.checks.comparison import Line, Reconciliation, Verdict
from app.errors import Missing
from app.fortnox import schemas as fortnox
from app.severa import schemas as severa
from app.sync import money
from app.sync.invoice_document import SEK
from app.sync.sides import Sides
from app.sync.standing import OURS, Standing, standing_of


def run(sides: Sides, first: date, last: date) -> Reconciliation:
    """By invoice date, both days included.

    Reads every invoice whose total Fortnox has rounded, and every booked supplier invoice: the rows
    of these are in no list.
    """
    ours = {one.guid.lower(): one for one in sides.severa.invoices_between(first, last)}
    theirs: dict[str, list[fortnox.InvoiceListItem]] = {}
    for item in sides.fortnox.invoices_between(first, last):
        reference = item.external_invoice_reference1 or ""
        if reference.startswith(OURS) and not item.cancelled:
            theirs.setdefault(reference.removeprefix(OURS), []).append(item)
    lines: list[Line] = []
    for guid in sorted(ours.keys() | theirs.keys()):
        lines += _compare(sides, guid, ours.get(guid), theirs.get(guid, []))
    lines += fees.compared(sides, first, last)
    return Reconciliation(first, last, tuple(lines))


def _compare(
    sides: Sides,
    guid: str,
    invoice: severa.Invoice | None,
    items: list[fortnox.InvoiceListItem],
) -> Iterator[Line]:
    if not items:
        if invoice is not None and (line := _without_fortnox(sides, guid, invoice)):
            yield line
        return
    if invoice is None:
        invoice = _other_date(sides, guid)
    if invoice is None:
        for item in items:
            yield _surplus(guid, item, "surplus_in_fortnox")
        return
    for extra in items[1:]:
        yield _surplus(guid, extra, "twice_in_fortnox")
    rounding = _rounding(sides, items[0])
    yield _amounts(guid, invoice, items[0], rounding)
    yield _payments(sides, guid, invoice, items[0], rounding)


def _without_fortnox(sides: Sides, guid: str, invoice: severa.Invoice) -> Line | None:
    """Only those that say they were carried over, or are about to be."""
    status, known = invoice.status.guid.lower(), sides.document.invoice_statuses
    if status not in (known.transfer, known.received, known.paid):
        return None
    verdict: Verdict = "pending" if status == known.transfer else "missing_in_fortnox"
    return Line(
        "invoice",
        verdict,
        _currency(invoice),
        guid,
        str(invoice.number or ""),
        severa_amount=_total(invoice),
    )


def _other_date(sides: Sides, guid: str) -> severa.Invoice | None:
    """The invoice date may have been changed in Severa after it was carried over."""
    try:
        return sides.severa.invoice(guid)
    except Missing:
        return None


def _surplus(guid: str, item: fortnox.InvoiceListItem, verdict: Verdict) -> Line:
    return Line(
        "invoice",
        verdict,
        item.currency or SEK,
        guid,
        item.external_invoice_reference2 or "",
        item.document_number,
        fortnox_amount=item.total or money.ZERO,
    )


def _amounts(
    guid: str, invoice: severa.Invoice, item: fortnox.InvoiceListItem, rounding: Decimal
) -> Line:
    ours, theirs = _total(invoice), (item.total or money.ZERO) - rounding
    same = ours == theirs and _currency(invoice) == (item.currency or SEK)
    return Line(
        "invoice",
        "agrees" if same else "amount_differs",
        _currency(invoice),
        guid,
        str(invoice.number or ""),
        item.document_number,
        ours,
        theirs,
    )


def _rounding(sides: Sides, item: fortnox.InvoiceListItem) -> Decimal:
    """Öresavrundning is in no list: the invoice itself says it."""
    if not _may_be_rounded(item):
        return money.ZERO
    return sides.fortnox.invoice(item.document_number).round_off or money.ZERO


def _may_be_rounded(item: fortnox.InvoiceListItem) -> bool:
    """A whole number of crowns may hide öre behind öresavrundning."""
    total = item.total or money.ZERO
    return (item.currency or SEK) == SEK and total == total.to_integral_value()


def _payments(
    sides: Sides,
    guid: str,
    invoice: severa.Invoice,
    item: fortnox.InvoiceListItem,
    rounding: Decimal,
) -> Line:
    """What was rounded is paid with the rest, and is no part of the debt in Severa."""
    standing = standing_of(item)
    paid_there = invoice.status.guid.lower() == sides.document.invoice_statuses.paid
    ours = _total(invoice) if paid_there else money.ZERO
    theirs = standing.paid - (rounding if standing.is_paid else money.ZERO)
    verdict = _payment_verdict(standing, invoice, is_paid_in_severa=paid_there)
    if verdict == "agrees" and paid_there and ours != theirs:
        verdict = "amount_differs"
    return Line(
        "payment",
        verdict,
        _currency(invoice),
        guid,
        str(invoice.number or ""),
        item.document_number,
        ours,
        theirs,
    )


def _payment_verdict(
    standing: Standing, invoice: severa.Invoice, *, is_paid_in_severa: bool
) -> Verdict:
    if standing.is_paid != is_paid_in_severa:
        return "paid_only_in_fortnox" if standing.is_paid else "paid_only_in_severa"
    if standing.is_paid and invoice.payment_date != standing.paid_on:
        return "payment_date_differs"
    return "agrees"


def _total(invoice: severa.Invoice) -> Decimal:
    amount = invoice.total_including_tax.amount if invoice.total_including_tax else None
    return money.rounded(amount or money.ZERO)


def _currency(invoice: severa.Invoice) -> str:
    return invoice.currency.code if invoice.currency else SEK
