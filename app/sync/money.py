"""Amounts, to the öre: the rounding both systems use, and quantities that Fortnox can keep."""

from collections.abc import Iterable, Sequence
from decimal import ROUND_HALF_EVEN, ROUND_HALF_UP, Decimal
from itertools import product
from typing import NamedTuple

ORE = Decimal("0.01")
ZERO = Decimal(0)


def rounded(amount: Decimal) -> Decimal:
    """Half up, to two decimals, away from zero for negative amounts."""
    return amount.quantize(ORE, ROUND_HALF_UP)


def plain(number: Decimal) -> str:
    """`12.50` → `12.5`, `10.00` → `10`, never an exponent."""
    text = f"{number:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


class Line(NamedTuple):
    """Quantity and price with two decimals each; `exact` False: the quantity was folded into 1."""

    quantity: Decimal
    price: Decimal
    exact: bool = True

    @property
    def total(self) -> Decimal:
        return rounded(self.quantity * self.price)


def fit(quantity: Decimal, price: Decimal) -> Line:
    """Fortnox rounds quantity and price to two decimals: the nearest pair with the same row total.

    7.333 h × 1100.00 = 8066.30 becomes 7.33 × 1100.45. Where no such price is found within one
    percent of the true one, the row is 1 × its total, or -1 × what is given back.
    """
    total = rounded(quantity * price)
    kept = Line(rounded(quantity), rounded(price))
    if kept.total == total and kept.quantity == quantity:
        return kept
    if kept.quantity != ZERO:
        near = Line(kept.quantity, rounded(total / kept.quantity))
        if near.total == total and abs(near.price - price) * 100 <= abs(price):
            return near
    one = Decimal(-1 if total < 0 else 1)
    return Line(one, abs(total), exact=False)


def vats(rows: Sequence[tuple[Decimal, Decimal]]) -> frozenset[Decimal]:
    """What the VAT of these (net, percent) may come to: by row or by rate, half an öre either way.

    Fortnox does not document which of them it does.
    """
    ways = product((vat_by_row, vat_by_rate), (ROUND_HALF_UP, ROUND_HALF_EVEN))
    return frozenset(way(rows, half) for way, half in ways)


def vat_by_row(rows: Iterable[tuple[Decimal, Decimal]], half: str = ROUND_HALF_UP) -> Decimal:
    """(net, percent) of every row, VAT rounded row by row."""
    return sum(((net * percent / 100).quantize(ORE, half) for net, percent in rows), ZERO)


def vat_by_rate(rows: Iterable[tuple[Decimal, Decimal]], half: str = ROUND_HALF_UP) -> Decimal:
    """(net, percent) of every row, VAT rounded once for every rate."""
    nets: dict[Decimal, Decimal] = {}
    for net, percent in rows:
        nets[percent] = nets.get(percent, ZERO) + net
    return sum(((net * percent / 100).quantize(ORE, half) for percent, net in nets.items()), ZERO)
