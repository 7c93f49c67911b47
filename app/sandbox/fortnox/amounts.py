"""What an invoice comes to: rows, VAT, fees and rounding, in Decimal from end to end."""

from collections import defaultdict
from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, ROUND_HALF_UP, Decimal
from typing import Any

from app.sandbox.fortnox.books import Books
from app.sandbox.fortnox.documents import Document
from app.sandbox.fortnox.options import FortnoxOptions
from app.sandbox.fortnox.shapes import cents

ZERO = Decimal(0)
FREE_OF_VAT = {"EUREVERSEDVAT", "EXPORT", "SEREVERSEDVAT"}


@dataclass(frozen=True)
class Totals:
    """In the invoice's currency, with the sign of what the customer owes."""

    net: Decimal
    gross: Decimal
    vat: dict[int, Decimal]  # by percent, fees included
    freight: Decimal  # without VAT
    fee: Decimal
    freight_vat: Decimal
    fee_vat: Decimal
    round_off: Decimal

    @property
    def total_vat(self) -> Decimal:
        return sum(self.vat.values(), ZERO)

    @property
    def total(self) -> Decimal:
        return self.net + self.freight + self.fee + self.total_vat + self.round_off


def vat_free(books: Books, invoice: Document) -> bool:
    customer = books.shelves["customers"].get(invoice["CustomerNumber"])
    return customer is not None and customer["VATType"] in FREE_OF_VAT


def price_row(row: dict[str, Any], *, vat_included: bool) -> Decimal:
    """Writes the row's own totals; answers its worth without VAT before discount."""
    quantity = Decimal(row["DeliveredQuantity"])
    factor = 1 + Decimal(row["VAT"]) / 100 if vat_included else Decimal(1)
    full = cents(quantity * row["Price"])
    row["Total"] = full - _discount(row, full, quantity)
    row["TotalExcludingVAT"] = cents(row["Total"] / factor)
    row["PriceExcludingVAT"] = cents(row["Price"] / factor)
    return cents(full / factor)


def _discount(row: dict[str, Any], full: Decimal, quantity: Decimal) -> Decimal:
    if row["DiscountType"] == "PERCENT":
        return cents(full * row["Discount"] / 100)
    return Decimal(row["Discount"]).copy_sign(quantity) if row["Discount"] else ZERO


def totals(books: Books, invoice: Document) -> Totals:
    options, included, sign = books.options, invoice["VATIncluded"], invoice.sign
    net, gross, vat = ZERO, ZERO, _Vat(options)
    for row in invoice["InvoiceRows"]:
        gross += price_row(row, vat_included=included)
        net += row["TotalExcludingVAT"]
        vat.add(row, included=included)
    free = vat_free(books, invoice)
    freight, freight_vat = _fee(invoice["Freight"], free=free, included=included)
    fee, fee_vat = _fee(invoice["AdministrationFee"], free=free, included=included)
    by_rate = vat.by_rate()
    if freight_vat or fee_vat:
        by_rate[25] = by_rate.get(25, ZERO) + freight_vat + fee_vat
    exact = net + freight + fee + sum(by_rate.values(), ZERO)
    whole = options.roundoff and invoice["Currency"] == "SEK"
    round_off = exact.quantize(Decimal(1), ROUND_HALF_UP) - exact if whole else ZERO
    return Totals(
        sign * net,
        sign * gross,
        {rate: sign * amount for rate, amount in by_rate.items()},
        sign * freight,
        sign * fee,
        sign * freight_vat,
        sign * fee_vat,
        sign * round_off,
    )


class _Vat:
    """Collected per rate; rounded on every row, or once per rate."""

    def __init__(self, options: FortnoxOptions) -> None:
        self.per_row = options.vat_rounding == "row"
        self.half = ROUND_HALF_EVEN if options.vat_half == "even" else ROUND_HALF_UP
        self.exact: dict[int, Decimal] = defaultdict(lambda: ZERO)

    def add(self, row: dict[str, Any], *, included: bool) -> None:
        if included:
            amount = row["Total"] - row["TotalExcludingVAT"]
        else:
            amount = row["Total"] * row["VAT"] / 100
        self.exact[row["VAT"]] += self._rounded(amount) if self.per_row else amount

    def by_rate(self) -> dict[int, Decimal]:
        return {rate: self._rounded(amount) for rate, amount in self.exact.items() if amount}

    def _rounded(self, amount: Decimal) -> Decimal:
        return amount.quantize(Decimal("0.01"), self.half)


def _fee(amount: Decimal, *, free: bool, included: bool) -> tuple[Decimal, Decimal]:
    """A freight or fee without its VAT, and its VAT (25 %)."""
    if free or not amount:
        return amount, ZERO
    if included:
        without = cents(amount / Decimal("1.25"))
        return without, amount - without
    return amount, cents(amount * Decimal("0.25"))


def write_totals(books: Books, invoice: Document) -> None:
    """Puts the amounts on the invoice as they are shown; an unbooked balance is the total."""
    sums, options = totals(books, invoice), books.options
    owed = sums.net + sums.freight + sums.fee if options.net_includes_fees else sums.net
    credit = sums.total < 0 or bool(invoice.credits)
    invoice["Credit"] = str(credit and options.credit_marks_note).lower()
    flip = -1 if sums.total < 0 and options.credit_total == "positive" else 1
    invoice["Net"], invoice["Gross"] = flip * owed, flip * sums.gross
    invoice["TotalVAT"], invoice["Total"] = flip * sums.total_vat, flip * sums.total
    invoice["RoundOff"] = flip * sums.round_off
    invoice["FreightVAT"], invoice["AdministrationFeeVAT"] = sums.freight_vat, sums.fee_vat
    invoice["TotalToPay"] = invoice["Balance"] = invoice["Total"]
