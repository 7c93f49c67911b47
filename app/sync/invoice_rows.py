"""Invoice rows, Severa → Fortnox: split by code and project where one row stands for several."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

from app.documents import Document
from app.errors import Blocked, Reason, because
from app.fortnox.schemas import InvoiceRowIn
from app.fortnox.text import cut, split
from app.severa.billed import BilledItem
from app.severa.schemas import Invoice, InvoiceRow
from app.severa.shape import Money
from app.sync import money

LONGEST_DESCRIPTION = 255
LONGEST_UNIT = 20

Key = tuple[str | None, str | None]  # code and project


@dataclass(frozen=True)
class Facts:
    """Everything an invoice is translated from; numbers are those of Fortnox.

    `projects`: Severa's GUID → project number and business unit code. `articles`: code → number.
    `items`: what was billed, by the GUID of its row. `flat_rates`: flat rate's GUID → project's.
    `credits`: the number of the invoice that a credit note credits.
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
    credits: str | None = None

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
    untaxed = _nothing_is_zero(facts)
    for place, row in enumerate(facts.rows, start=1):
        parts = _parts(facts, row, place, warnings)
        vat = _vat(facts.invoice, row)
        if vat is None and untaxed:
            vat = Decimal(0)
        texts = split(row.description, LONGEST_DESCRIPTION)
        for number, part in enumerate(parts):
            rows.append(_row(facts, row, part, vat, place, texts[0] if texts else None))
            amounts.append((part.line.total, vat or Decimal(0)))
            below = texts[1:] if number == 0 else []
            if not part.line.exact:
                below = [*below, _as_written(row, part)]
            rows += [InvoiceRowIn(description=one) for one in below]
    return Rows(tuple(rows), tuple(amounts), tuple(warnings))


def _parts(facts: Facts, row: InvoiceRow, place: int, warnings: list[Reason]) -> list[Part]:
    """Split by code and project; by project alone where what was billed tells no code; else whole.

    A row's project is that of its hours, fees and travels, or of its flat rate.
    """
    codes, several = codes_of(row), facts.has_several_projects
    whole, items = _whole(row, codes), facts.items.get(row.guid, ())
    parts: list[Part] = []
    if len(codes) > 1:
        parts = _split(whole, items, lambda one: (_code(one), _project(one) if several else None))
        if {part.code for part in parts} != set(codes):
            named = ", ".join(codes)
            warnings.append(because("codes_not_split", row=place, codes=named, number=codes[0]))
            parts = []
    if several and not parts:
        if row.flat_rate_guid:
            parts = [replace(whole, project=facts.flat_rates.get(row.flat_rate_guid))]
        else:
            parts = _split(whole, items, lambda one: (whole.code, _project(one)))
    parts = parts or [whole]
    if several and any(part.project not in facts.projects for part in parts):
        warnings.append(because("project_not_found", row=place))
    return parts


def _whole(row: InvoiceRow, codes: list[str]) -> Part:
    quantity, price = _signed(row.quantity, row.unit_price)
    return Part(codes[0] if codes else None, None, money.fit(quantity, price), quantity, price)


def _signed(quantity: Decimal, price: Money | None) -> tuple[Decimal, Decimal]:
    """What is given back has a negative quantity in Fortnox, never a negative price."""
    amount = price.amount if price and price.amount is not None else Decimal(0)
    return (-quantity, -amount) if amount < 0 else (quantity, amount)


def _split(
    whole: Part, items: Sequence[BilledItem], key: Callable[[BilledItem], Key]
) -> list[Part]:
    """One part for each key, in the order they are listed; none where they are not the row.

    Each with the price of what was billed where that adds up to the row, else with the row's.
    """
    grouped: dict[Key, list[BilledItem]] = {}
    for item in items:
        grouped.setdefault(key(item), []).append(item)
    if len(grouped) == 1:
        code, project = next(iter(grouped))
        return [replace(whole, code=code, project=project)]
    own = [_share(group) for group in grouped.values()]
    if sum(quantity for quantity, _ in own) * whole.quantity < 0:  # credited work is listed as done
        own = [(-quantity, price) for quantity, price in own]
    for shares in (own, [(quantity, whole.price) for quantity, _ in own]):
        if shares and _total(shares) == whole.line.total:
            parts = _parted(whole, list(grouped), shares)
            if sum(part.line.total for part in parts) == whole.line.total:
                return parts
    return []


def _parted(whole: Part, keys: list[Key], shares: list[tuple[Decimal, Decimal]]) -> list[Part]:
    """The last part takes the öre that rounding each part by itself may leave."""
    lines = [money.fit(quantity, price) for quantity, price in shares]
    left = whole.line.total - sum(line.total for line in lines[:-1])
    last, _ = shares[-1]
    if lines[-1].total != left and last:
        lines[-1] = money.fit(last, left / last)
    return [
        Part(code, project, line, quantity, price)
        for (code, project), line, (quantity, price) in zip(keys, lines, shares, strict=True)
    ]


def _share(items: list[BilledItem]) -> tuple[Decimal, Decimal]:
    """Quantity and price of several; the mean price where they differ."""
    signed = [_signed(_quantity(item), item.unit_price) for item in items]
    quantity = sum((one for one, _ in signed), Decimal(0))
    prices = {price for _, price in signed}
    if len(prices) == 1 or not quantity:
        return quantity, signed[0][1]
    return quantity, sum((one * price for one, price in signed), Decimal(0)) / quantity


def _total(shares: list[tuple[Decimal, Decimal]]) -> Decimal:
    return money.rounded(sum((quantity * price for quantity, price in shares), Decimal(0)))


def _code(item: BilledItem) -> str | None:
    return (item.coded.code or "").strip() or None if item.coded else None


def _project(item: BilledItem) -> str | None:
    return item.project.guid if item.project else None


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
    text: str | None,
) -> InvoiceRowIn:
    project = facts.projects.get(part.project or "")
    return InvoiceRowIn(
        article_number=facts.articles.get(part.code, part.code) if part.code else None,
        account_number=None if part.code else _account(row, place),
        description=text,
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
        only = next(iter(facts.projects)) if len(facts.projects) == 1 else ""
        project = facts.projects.get(part.project or only)
        number = project[1] if project else None
    return rule.map.get(number) if number else None


def vats(invoice: Invoice, rows: Sequence[InvoiceRow]) -> list[tuple[int, Decimal | None]]:
    """The place of every row that is worth something, from 1, and its VAT in percent."""
    worth = [(place, row) for place, row in enumerate(rows, start=1) if _whole(row, []).line.total]
    return [(place, _vat(invoice, row)) for place, row in worth]


def net_and_vat(invoice: Invoice, rows: Sequence[InvoiceRow]) -> list[tuple[Decimal, Decimal]]:
    """Net and VAT percent of every row, one without VAT at 0."""
    return [(_whole(row, []).line.total, _vat(invoice, row) or Decimal(0)) for row in rows]


def _vat(invoice: Invoice, row: InvoiceRow) -> Decimal | None:
    """Percent; an hour row without one takes the invoice's."""
    if row.vat_rate is None and row.row_type == "Hours":
        return invoice.work_hour_value_added_tax
    return row.vat_rate


def _nothing_is_zero(facts: Facts) -> bool:
    """Whether the invoice's own VAT says that rows without a rate have none."""
    tax = facts.invoice.total_tax.amount if facts.invoice.total_tax else None
    rows = net_and_vat(facts.invoice, facts.rows)
    return tax is not None and abs(money.vat_by_row(rows) - tax) <= money.ORE * len(rows)


def _as_written(row: InvoiceRow, part: Part) -> str:
    unit = cut(row.measurement_unit, LONGEST_UNIT) or ""
    quantity = money.plain(part.quantity).replace(".", ",")
    price = money.plain(part.price).replace(".", ",")
    return f"{quantity} {unit} x {price}".replace("  ", " ")
