"""Do the books agree? Invoices, payments and fees of a period in both systems, to the öre."""

from collections.abc import Iterator, Sequence
from datetime import date

from app.checks import fees
from app.checks.comparison import Line, Reconciliation, Verdict
from app.checks.invoices import Pair, currency_of, total_of
from app.errors import Missing
from app.fortnox import schemas as fortnox
from app.severa import schemas as severa
from app.sync import money
from app.sync.invoice_document import SEK, reference
from app.sync.sides import Sides
from app.sync.standing import OURS


def run(sides: Sides, first: date, last: date) -> Reconciliation:
    """By invoice date in either system, both days included.

    Reads every invoice whose total Fortnox may have rounded, and every booked supplier invoice: the
    rows of these are in no list.
    """
    ours = {one.guid.lower(): one for one in sides.severa.invoices_between(first, last)}
    theirs: dict[str, list[fortnox.InvoiceListItem]] = {}
    for item in sides.fortnox.invoices_between(first, last):
        named = item.external_invoice_reference1 or ""
        if named.startswith(OURS) and not item.cancelled:
            theirs.setdefault(named.removeprefix(OURS), []).append(item)
    lines: list[Line] = []
    for guid in sorted(ours.keys() | theirs.keys()):
        lines += _compare(sides, guid, ours.get(guid), theirs.get(guid, []))
    lines += fees.compared(sides, first, last)
    return Reconciliation(first, last, tuple(lines))


def _compare(
    sides: Sides,
    guid: str,
    invoice: severa.Invoice | None,
    items: Sequence[fortnox.InvoiceListItem],
) -> Iterator[Line]:
    invoice = invoice or _severas_of_other_date(sides, guid)
    if invoice is None:
        for item in items:
            yield _surplus(guid, item, "surplus_in_fortnox")
        return
    if not items and _says_carried_over(sides, invoice):
        items = _fortnoxs_of_other_date(sides, guid)
    for extra in items[1:]:
        yield _surplus(guid, extra, "twice_in_fortnox")
    if items:
        yield from Pair(sides, guid, invoice, items[0]).lines()
    elif line := _without_fortnox(sides, guid, invoice):
        yield line


def _severas_of_other_date(sides: Sides, guid: str) -> severa.Invoice | None:
    """The invoice date may have been changed on one side after it was carried over."""
    try:
        return sides.severa.invoice(guid)
    except Missing:
        return None


def _fortnoxs_of_other_date(sides: Sides, guid: str) -> list[fortnox.InvoiceListItem]:
    found = sides.fortnox.invoices_with_reference(reference(guid))
    return [one for one in found if not one.cancelled]


def _says_carried_over(sides: Sides, invoice: severa.Invoice) -> bool:
    known = sides.document.invoice_statuses
    return invoice.status.guid.lower() in (known.received, known.paid)


def _without_fortnox(sides: Sides, guid: str, invoice: severa.Invoice) -> Line | None:
    """Only those that say they were carried over, or that are to be."""
    known, status = sides.document.invoice_statuses, invoice.status.guid.lower()
    verdict: Verdict = "missing_in_fortnox"
    if status in (known.transfer, known.error):
        verdict = "pending"
    elif not _says_carried_over(sides, invoice):
        return None
    number, amount = str(invoice.number or ""), total_of(invoice)
    return Line("invoice", verdict, currency_of(invoice), guid, number, severa_amount=amount)


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
