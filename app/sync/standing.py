"""How an invoice stands with its payer, as Fortnox's balance says it."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from app.fortnox import schemas as fortnox
from app.sync import money

OURS = "severa:"  # how the references begin that we give to invoices


@dataclass(frozen=True)
class Standing:
    """`paid_on` is known when `is_paid`; amounts are in the invoice's currency."""

    is_paid: bool
    paid: Decimal
    remaining: Decimal
    paid_on: date | None

    @property
    def day(self) -> str | None:
        """`paid_on` as a link keeps it."""
        return self.paid_on.isoformat() if self.paid_on else None


def standing_of(invoice: fortnox.Invoice | fortnox.InvoiceListItem) -> Standing:
    """Paid: booked, not cancelled, balance 0. An unbooked invoice owes its total."""
    total = invoice.total or money.ZERO
    balance = invoice.balance if invoice.balance is not None else total
    is_paid = invoice.booked and not invoice.cancelled and balance == 0
    paid = total - balance if invoice.booked else money.ZERO
    paid_on = invoice.final_pay_date or invoice.invoice_date if is_paid else None
    return Standing(is_paid, paid, balance, paid_on)
