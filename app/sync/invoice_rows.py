"""Invoice rows, Severa → Fortnox: split by code and project where one row stands for several."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from app.documents import Document
from app.errors import Blocked, Reason, because
from app.fortnox.schemas import InvoiceRowIn
from app.fortnox.text import cut, split
from app.severa.schemas import BilledItem, Invoice, InvoiceRow
from app.sync import money

LONGEST_DESCRIPTION = 255
LONGEST_UNIT = 20


@dataclass(frozen=True)
class Facts:
    """Everything an invoice is translated from; numbers are those of Fortnox.

    `projects`: Severa's GUID → project number and business unit code. `articles`: code → number.
    `items`: what was billed, by the GUID of its row. `flat_rates`: flat rate's GUID → project's.
    """

    invoice: Invoice
    rows: Sequence[InvoiceRow]
    document: Document
    customer_number: str
    projects: Mapping[str, tuple[str, str | None]]
    articles: Mapping[str, str]
    items: Mapping[str, Sequence[BilledItem]]
    flat_rates: Mapping[str, str]
    terms: frozenset[str] = frozenset()
    register_rate: Decimal | None = None
    register_unit: Decimal = Decimal(1)

    @property
    def has_several_projects(self) -> bool:
        return len(self.invoice.projects or []) > 1


@dataclass(frozen=True)
class Part:
    """One row or a share of one: a single code, a single project."""

    code: str | None
    project: str | None
    line: money.Line
    quantity: Decimal
    price: Decimal


@dataclass(frozen=True)
class Rows:
    rows: tuple[InvoiceRowIn, ...]
    amounts: tuple[tuple[Decimal, Decimal], ...]  # net and VAT percent of every row that has them
    warnings: tuple[Reason, ...]


def codes_of(row: InvoiceRow) -> list[str]:
    """The distinct codes grouped in a row, in order."""
    return list(dict.fromkeys(code.strip() for code in row.code or [] if code and code.strip()))


def needs_items(invoice: Invoice, rows: Sequence[InvoiceRow]) -> bool:
    """Whether the hours, fees and travels behind the rows have to be read."""
    return len(invoice.projects or []) > 1 or any(len(codes_of(row)) > 1 for row in rows)


def translate(facts: Facts) -> Rows:
    rows: list[InvoiceRowIn] = []
    amounts: list[tuple[Decimal, Decimal]] = []
    warnings: list[Reason] = []
    for place, row in enumerate(facts.rows, start=1):
        parts = _parts(facts, row, place, warnings)
        vat = _vat(facts.invoice, row)
        for number, part in enumerate(parts):
            texts = split(row.description, LONGEST_DESCRIPTION)
            rows.append(_row(facts, row, part, vat, place, texts[:1]))
            amounts.append((part.line.total, vat or Decimal(0)))
            if not part.line.exact:
                texts.append(_as_written(row, part))
            if number == 0 or not part.line.exact:
                rows += [InvoiceRowIn(description=text) for text in texts[1:]]
    return Rows(tuple(rows), tuple(amounts), tuple(warnings))


def _parts(facts: Facts, row: InvoiceRow, place: int, warnings: list[Reason]) -> list[Part]:
    codes, several = codes_of(row), facts.has_several_projects
    first = codes[0] if codes else None
    price = _price(row)
    whole = money.fit(row.quantity, price)
    if row.flat_rate_guid and several:
        project = facts.flat_rates.get(row.flat_rate_guid)
        return [Part(first, project, whole, row.quantity, price)]
    if len(codes) < 2 and not several:
        return [Part(first, None, whole, row.quantity, price)]
    groups = list(_groups(facts, row, codes))
    if len(groups) == 1:
        return [Part(groups[0].code or first, groups[0].project, whole, row.quantity, price)]
    if groups and sum(part.line.total for part in groups) == whole.total:
        return groups
    if len(codes) > 1:
        warnings.append(because("codes_not_split", row=place, codes=", ".join(codes), number=first))
    if several:
        warnings.append(because("project_not_found", row=place))
    return [Part(first, None, whole, row.quantity, price)]


def _groups(facts: Facts, row: InvoiceRow, codes: list[str]) -> Iterator[Part]:
    """What was billed in this row, by code and project, in the order it is listed."""
    grouped: dict[tuple[str | None, str | None], list[BilledItem]] = {}
    for item in facts.items.get(row.guid, ()):
        code = item.coded.code if item.coded and item.coded.code else None
        if len(codes) < 2 or code not in codes:
            code = codes[0] if len(codes) == 1 else code
        project = item.project.guid if item.project and facts.has_several_projects else None
        grouped.setdefault((code, project), []).append(item)
    sign = -1 if row.quantity < 0 else 1
    for (code, project), items in grouped.items():
        quantity = sign * abs(sum((_quantity(item) for item in items), Decimal(0)))
        price = _price(row)
        yield Part(code, project, money.fit(quantity, price), quantity, price)


def _quantity(item: BilledItem) -> Decimal:
    if item.invoice_quantity is not None:
        return item.invoice_quantity
    return item.quantity or Decimal(0)


def _row(  # noqa: PLR0913 - the six things a row is made of
    facts: Facts,
    row: InvoiceRow,
    part: Part,
    vat: Decimal | None,
    place: int,
    texts: list[str],
) -> InvoiceRowIn:
    project = facts.projects.get(part.project or "")
    return InvoiceRowIn(
        article_number=facts.articles.get(part.code, part.code) if part.code else None,
        account_number=None if part.code else _account(row, place),
        description=texts[0] if texts else None,
        delivered_quantity=money.plain(part.line.quantity),
        unit=cut(row.measurement_unit, LONGEST_UNIT) if part.line.exact else None,
        price=part.line.price,
        vat=vat,
        project=project[0] if project else None,
        cost_center=_cost_center(facts, row, part),
    )


def _account(row: InvoiceRow, place: int) -> int:
    number = (row.sales_account.number or "").strip() if row.sales_account else ""
    if not number.isdigit():
        raise Blocked(because("row_without_account", row=place, text=(row.description or "")[:60]))
    return int(number)


def _cost_center(facts: Facts, row: InvoiceRow, part: Part) -> str | None:
    """Through the mapping; what is not mapped goes without one."""
    rule = facts.document.cost_centers
    if rule.source == "row":
        number = row.cost_center.number if row.cost_center else None
    else:
        only = next(iter(facts.projects.values()), None) if not part.project else None
        project = facts.projects.get(part.project or "") or only
        number = project[1] if project else None
    return rule.map.get(number) if number else None


def _vat(invoice: Invoice, row: InvoiceRow) -> Decimal | None:
    """Percent. An hour row without one takes the invoice's; another one only when all VAT is 0."""
    if row.vat_rate is not None:
        return row.vat_rate
    if row.row_type == "Hours" and invoice.work_hour_value_added_tax is not None:
        return invoice.work_hour_value_added_tax
    tax = invoice.total_tax.amount if invoice.total_tax else None
    return Decimal(0) if tax == 0 else None


def _price(row: InvoiceRow) -> Decimal:
    amount = row.unit_price.amount if row.unit_price else None
    return amount if amount is not None else Decimal(0)


def _as_written(row: InvoiceRow, part: Part) -> str:
    unit = cut(row.measurement_unit, LONGEST_UNIT) or ""
    quantity = money.plain(part.quantity).replace(".", ",")
    price = money.plain(part.price).replace(".", ",")
    return f"{quantity} {unit} x {price}".replace("  ", " ")
