"""Money of an invoice: rows rounded half up to the öre, totals as Severa shows them."""

from collections import defaultdict
from collections.abc import Iterable
from decimal import ROUND_HALF_UP, Decimal
from typing import Literal

from app.sandbox.severa.veil import Record

Number = Decimal | float | int | str
ORE = Decimal("0.01")
TOTALS = {
    "Hours": "workHoursTotalExcludingTax",
    "ProjectFees": "projectFeesTotalExcludingTax",
    "TravelExpenses": "projectTravelExpensesTotalExcludingTax",
    "FlatRate": "flatRatesTotalExcludingTax",
}


def exact(value: Number) -> Decimal:
    return Decimal(str(value))


def ore(value: Decimal) -> Decimal:
    return value.quantize(ORE, ROUND_HALF_UP)


def money(value: Decimal, code: str) -> Record:
    return {"amount": float(value), "currencyCode": code, "multiCurrencyInfo": None}


def net(row: Record) -> Decimal:
    return ore(exact(row["quantity"]) * exact(row["unitPrice"]["amount"]))


def vat_rate(row: Record, work_hours: float | None) -> Decimal:
    """Percent; an hour row without one takes the invoice's."""
    rate = row["vatRate"]
    if rate is None and row["category"] == "Hours":
        rate = work_hours
    return exact(rate or 0)


def totals(
    rows: Iterable[Record],
    work_hours: float | None,
    code: str,
    rounding: Literal["row", "rate"],
) -> Record:
    """The total properties of InvoiceOutputModel, and workHoursQuantity."""
    parts = dict.fromkeys(TOTALS.values(), Decimal(0))
    by_rate: defaultdict[Decimal, list[Decimal]] = defaultdict(list)
    hours = Decimal(0)
    for row in rows:
        amount = net(row)
        parts[TOTALS[row["rowType"]]] += amount
        by_rate[vat_rate(row, work_hours)].append(amount)
        if row["rowType"] == "Hours":
            hours += exact(row["quantity"])
    excluding = sum(parts.values(), Decimal(0))
    tax = sum((_tax(rate, nets, rounding) for rate, nets in by_rate.items()), Decimal(0))
    return {
        **{name: money(amount, code) for name, amount in parts.items()},
        "totalExcludingTax": money(excluding, code),
        "totalTax": money(tax, code),
        "totalIncludingTax": money(excluding + tax, code),
        "workHoursQuantity": float(hours),
    }


def _tax(rate: Decimal, nets: list[Decimal], rounding: Literal["row", "rate"]) -> Decimal:
    if rounding == "rate":
        return ore(sum(nets, Decimal(0)) * rate / 100)
    return sum((ore(amount * rate / 100) for amount in nets), Decimal(0))
