"""What a project fee says in Severa: the words, the amount, and the mark it is found by."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from app.catalogue import WORDS
from app.fortnox.schemas import SupplierInvoice
from app.languages import Language
from app.severa.schemas import Given, MoneyIn, Phase, ProjectFee, ProjectFeeIn
from app.sync import money
from app.sync.fee_rows import FeeRow

LONGEST = 200
MARK = re.compile(r"\[FX-[^\[\]\s]+-[0-9a-f]{8}\]")
CORRECTION: dict[Language, str] = WORDS["fee"]["correction"]  # before the text of a fee


@dataclass(frozen=True)
class Content:
    """All but the amount; kept with the link, so that a fee can be corrected without its row.

    `project` and `product` are GUIDs. The product is chosen when the fee is made; afterwards it is
    the project lead's.
    """

    project: str
    product: str | None
    name: str | None
    text: str
    date: str | None
    before: str = ""  # a correction says what it is

    def says_as(self, other: "Content") -> bool:
        return (self.text, self.date) == (other.text, other.date)


def translate(invoice: SupplierInvoice, row: FeeRow, project: str) -> Content:
    """Supplier and invoice number, so that a project lead finds the invoice; then the row's text.

    A credit invoice is a record of its own, as in the books: its fees are negative, dated and
    numbered by the credit invoice, and those of the invoice it credits stay. So every supplier
    invoice equals its fees, in every period, however little of an invoice was credited.
    """
    origin = ", ".join(filter(None, (invoice.supplier_name, invoice.invoice_number)))
    text = ": ".join(filter(None, (origin or invoice.given_number, row.text)))
    day = invoice.invoice_date.isoformat() if invoice.invoice_date else None
    return Content(project, None, row.name, " ".join(text.split())[:LONGEST], day)


def fee_in(
    content: Content, amount: Decimal, currency: str, mark: str, phase: str | None = None
) -> ProjectFeeIn:
    """A cost that is given back is minus one of it: a price is never negative.

    Price is cost until somebody adds to it. The mark is not for the customer's eyes, so the text
    of the invoice row is given on its own.
    """
    each = MoneyIn(amount=abs(amount), currency_code=currency)
    text = f"{content.before}{content.text}"
    return ProjectFeeIn(
        project=Given(guid=content.project),
        phase=Given(guid=phase) if phase else None,
        product=Given(guid=content.product) if content.product else None,
        name=None if content.product else content.name,
        description=f"{text} {mark}",
        invoice_row_description=text,
        event_date=date.fromisoformat(content.date) if content.date else None,
        quantity=Decimal(-1 if amount < 0 else 1),
        unit_cost=each,
        unit_price=each,
    )


def content_of(sent: dict[str, Any]) -> Content:
    """The other way round: of a fee that was sent, from what was recorded."""
    text: str = sent["invoiceRowDescription"]
    before = next((one for one in CORRECTION.values() if text.startswith(one)), "")
    product = sent.get("product") or {}
    return Content(
        sent["project"]["guid"],
        product.get("guid"),
        sent.get("name"),
        text.removeprefix(before),
        sent.get("eventDate"),
        before,
    )


def amount_sent(sent: dict[str, Any]) -> tuple[Decimal, str]:
    each = sent["unitCost"]
    amount = Decimal(str(sent["quantity"])) * Decimal(str(each["amount"]))
    return money.rounded(amount), each["currencyCode"]


def first_open(phases: Sequence[Phase]) -> str | None:
    """Where a fee of an integration belongs; the root phase only where it has none below it."""
    below = [one for one in phases if one.parent_phase is not None]
    chosen = (one.guid for one in below or phases if not one.is_completed and not one.is_locked)
    return next(chosen, None)


def amount_of(fee: ProjectFee) -> tuple[Decimal, str] | None:
    """What a fee in Severa costs: people add to the price, not to the cost."""
    each = fee.unit_cost if fee.unit_cost and fee.unit_cost.amount is not None else fee.unit_price
    if each is None or each.amount is None or each.currency_code is None or fee.quantity is None:
        return None
    return money.rounded(fee.quantity * each.amount), each.currency_code


def bears(fee: ProjectFee, mark: str) -> bool:
    return mark in MARK.findall(fee.description or "")
