"""Do the fees in Severa say what is booked in Fortnox? Row by row of every supplier invoice.

A fee is known by the mark in its description, not by what this bridge remembers: so a fee that was
lost, made twice or changed is seen even when the memory is wrong too.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal

from app import links
from app.checks.comparison import Line, Verdict
from app.errors import Missing
from app.fortnox.listed import SupplierInvoiceListItem
from app.fortnox.schemas import SupplierInvoice
from app.severa.schemas import Project, ProjectFee
from app.sync import fee_ledger, money
from app.sync.fee_content import MARK, amount_of
from app.sync.fee_rows import SEK, FeeRow, amount_in, fee_rows, marker
from app.sync.sides import Sides

GENERATIONS = 50  # of one row that are recognised without being remembered


@dataclass(frozen=True)
class Marked:
    """A fee in Severa that bears a mark; `invoice`: the number of the supplier invoice in it."""

    fee: ProjectFee
    mark: str

    @property
    def invoice(self) -> str:
        return self.mark.removeprefix("[FX-").rpartition("-")[0]

    @property
    def amount(self) -> tuple[str, Decimal]:
        amount, currency = amount_of(self.fee) or (money.ZERO, SEK)
        return currency, amount

    def lies_between(self, first: date, last: date) -> bool:
        return self.fee.event_date is not None and first <= self.fee.event_date <= last


class Projects:
    """Fortnox's numbers and Severa's records of the same projects."""

    def __init__(self, sides: Sides) -> None:
        self._sides, known = sides, sides.severa.all_projects()
        self.by_guid = {one.guid.lower(): one for one in known}
        self._by_number = {str(one.number): one for one in known}

    def of(self, number: str) -> Project | None:
        with self._sides.db.reading() as tx:
            link = links.of_fortnox(tx, self._sides.name, "project", number)
        return self.by_guid.get(link.severa_id) if link else self._by_number.get(number)

    def number_of(self, fees: Sequence[Marked]) -> str:
        refs = (one.fee.project.guid.lower() for one in fees if one.fee.project)
        found = (self.by_guid.get(guid) for guid in refs)
        return next((str(one.number or "") for one in found if one), "")


def compared(sides: Sides, first: date, last: date) -> Iterator[Line]:
    """By the date of the supplier invoice or of the fee, both days included."""
    booked = [one for one in sides.fortnox.all_supplier_invoices() if _counts(one, first, last)]
    marked = _marked(sides)
    numbers = {one.given_number for one in booked}
    numbers |= {
        number
        for number, fees in marked.items()
        if any(one.lies_between(first, last) for one in fees)
    }
    if not numbers:
        return
    projects = Projects(sides)
    for number in sorted(numbers, key=lambda one: (len(one), one)):
        yield from _compare(sides, projects, number, marked.get(number, []))


def _counts(item: SupplierInvoiceListItem, first: date, last: date) -> bool:
    if not item.booked or item.cancelled or item.invoice_date is None:
        return False
    return first <= item.invoice_date <= last


def _marked(sides: Sides) -> dict[str, list[Marked]]:
    found: dict[str, list[Marked]] = defaultdict(list)
    for fee in sides.severa.all_project_fees():
        for mark in MARK.findall(fee.description or ""):
            found[Marked(fee, mark).invoice].append(Marked(fee, mark))
    return found


def _compare(
    sides: Sides, projects: Projects, number: str, marked: Sequence[Marked]
) -> Iterator[Line]:
    invoice = _read(sides, number)
    rows = fee_rows(invoice, sides.document.fee_accounts) if invoice else []
    once, again = _apart(marked)
    for extra in again:
        yield _line(projects, number, "twice_in_severa", [extra], *extra.amount)
    known = fee_ledger.read(sides, number)
    row_of = _marks(number, {row.identity for row in rows} | known.keys())
    by_row: dict[str, list[Marked]] = defaultdict(list)
    for one in once:
        by_row[row_of.get(one.mark, "")].append(one)
    for row in rows:
        if invoice is not None:
            yield from _of_row(projects, invoice, row, by_row.pop(row.identity, []))
    for fees in by_row.values():
        yield from _of_no_row(projects, number, fees)


def _read(sides: Sides, number: str) -> SupplierInvoice | None:
    try:
        return sides.fortnox.supplier_invoice(number)
    except Missing:
        return None


def _apart(marked: Iterable[Marked]) -> tuple[list[Marked], list[Marked]]:
    """The first fee of every mark, and those that bear one that is taken."""
    once: dict[str, Marked] = {}
    again = [one for one in marked if once.setdefault(one.mark, one) is not one]
    return list(once.values()), again


def _marks(number: str, identities: Iterable[str]) -> dict[str, str]:
    return {
        marker(number, identity, generation): identity
        for identity in identities
        for generation in range(1, GENERATIONS + 1)
    }


def _of_row(
    projects: Projects, invoice: SupplierInvoice, row: FeeRow, fees: Sequence[Marked]
) -> Iterator[Line]:
    project = projects.of(row.project)
    booked, currency = amount_in(
        invoice, row, project.currency.code if project and project.currency else None
    )
    sums = _sums(fees)
    number, standing = invoice.given_number, sums.pop(currency, money.ZERO)
    verdict: Verdict = "agrees" if standing == booked else "amount_differs"
    if not fees:
        verdict = "missing_in_severa"
    line = _line(projects, number, verdict, fees, currency, standing, booked)
    yield line if fees else _named(line, row.project)
    for other, amount in sums.items():
        if amount:
            yield _line(projects, number, "surplus_in_severa", fees, other, amount)


def _of_no_row(projects: Projects, number: str, fees: Sequence[Marked]) -> Iterator[Line]:
    """What was taken back by a correcting fee adds up to nothing, as it should."""
    for currency, amount in _sums(fees).items():
        verdict: Verdict = "surplus_in_severa" if amount else "agrees"
        yield _line(projects, number, verdict, fees, currency, amount)


def _sums(fees: Iterable[Marked]) -> dict[str, Decimal]:
    sums: dict[str, Decimal] = defaultdict(lambda: money.ZERO)
    for one in fees:
        currency, amount = one.amount
        sums[currency] += amount
    return sums


def _line(  # noqa: PLR0913  both sides of one comparison
    projects: Projects,
    number: str,
    verdict: Verdict,
    fees: Sequence[Marked],
    currency: str,
    in_severa: Decimal,
    in_fortnox: Decimal = money.ZERO,
) -> Line:
    guid = fees[0].fee.guid if fees else ""
    project = projects.number_of(fees)
    return Line("fee", verdict, currency, guid, project, number, in_severa, in_fortnox)


def _named(line: Line, project: str) -> Line:
    """A fee that is missing is told by the project that Fortnox has on its row."""
    return replace(line, severa_number=project)
