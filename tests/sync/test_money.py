"""Amounts, to the öre: what fits into two decimals, and what has to be folded."""

from decimal import ROUND_HALF_UP, Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.sync import money

ORE = Decimal("0.01")
QUANTITIES = st.decimals(-99999, 99999, places=4)
PRICES = st.decimals(-999999, 999999, places=4)
RATES = st.sampled_from([Decimal(rate) for rate in (25, 12, 6, 0)])
ROWS = st.lists(st.tuples(st.decimals(-99999, 99999, places=2), RATES), max_size=20)


@pytest.mark.parametrize(
    ("quantity", "price", "expected"),
    [
        ("10", "1100", ("10", "1100", True)),
        ("7.333", "1100", ("7.33", "1100.45", True)),
        ("-7.333", "1100", ("-7.33", "1100.45", True)),
        ("2.5", "33.3333", ("2.5", "33.33", True)),
        ("333.335", "950", ("1", "316668.25", False)),
        ("-333.335", "950", ("-1", "316668.25", False)),
        ("4", "12.345", ("1", "49.38", False)),
        ("1000", "0.1234", ("1", "123.4", False)),
        ("0.004", "1000", ("1", "4", False)),
        ("3", "0", ("3", "0", True)),
        ("0", "1100", ("0", "1100", True)),
    ],
)
def test_a_row_is_kept_or_folded(
    quantity: str, price: str, expected: tuple[str, str, bool]
) -> None:
    line = money.fit(Decimal(quantity), Decimal(price))

    assert (money.plain(line.quantity), money.plain(line.price), line.exact) == expected


@given(QUANTITIES, PRICES)
def test_a_row_keeps_its_total_to_the_ore(quantity: Decimal, price: Decimal) -> None:
    total = (quantity * price).quantize(ORE, ROUND_HALF_UP)

    line = money.fit(quantity, price)

    assert line.total == total
    assert (line.quantity * line.price).quantize(ORE, ROUND_HALF_UP) == total


@given(QUANTITIES, PRICES)
def test_a_row_never_has_more_than_two_decimals(quantity: Decimal, price: Decimal) -> None:
    line = money.fit(quantity, price)

    assert line.quantity == line.quantity.quantize(ORE)
    assert line.price == line.price.quantize(ORE)


@given(st.decimals(-99999, 99999, places=2), st.decimals(-99999, 99999, places=2))
def test_what_has_two_decimals_stays_as_it_is(quantity: Decimal, price: Decimal) -> None:
    assert money.fit(quantity, price) == money.Line(quantity, price)


@given(QUANTITIES, st.decimals(0, 999999, places=4))
def test_giving_back_is_a_negative_quantity_never_a_negative_price(
    quantity: Decimal, price: Decimal
) -> None:
    line = money.fit(quantity, price)

    assert line.price >= 0
    assert line.total == 0 or line.quantity * quantity > 0


@given(QUANTITIES, PRICES)
def test_a_credited_row_is_the_row_with_the_other_sign(quantity: Decimal, price: Decimal) -> None:
    line, back = money.fit(quantity, price), money.fit(-quantity, price)

    assert (back.total, back.exact) == (-line.total, line.exact)


@pytest.mark.parametrize(
    ("amount", "expected"),
    [("0.005", "0.01"), ("-0.005", "-0.01"), ("2.675", "2.68"), ("1.0049", "1.00")],
)
def test_halves_are_rounded_away_from_zero(amount: str, expected: str) -> None:
    assert str(money.rounded(Decimal(amount))) == expected


@pytest.mark.parametrize(
    ("number", "expected"),
    [("12.50", "12.5"), ("10.00", "10"), ("100", "100"), ("1E+3", "1000"), ("-0.10", "-0.1")],
)
def test_numbers_are_written_plainly(number: str, expected: str) -> None:
    assert money.plain(Decimal(number)) == expected


def test_vat_may_be_rounded_for_every_row_or_for_every_rate() -> None:
    rows = [(Decimal("0.10"), Decimal(25))] * 3 + [(Decimal("0.10"), Decimal(6))]

    assert money.vat_by_row(rows) == Decimal("0.10")  # 3 x 0.03, and 0.01
    assert money.vat_by_rate(rows) == Decimal("0.09")  # 0.08 of 0.30, and 0.01


@given(ROWS)
def test_the_two_ways_to_round_vat_are_never_further_apart_than_half_an_ore_a_rounding(
    rows: list[tuple[Decimal, Decimal]],
) -> None:
    rates = {rate for _, rate in rows}

    apart = abs(money.vat_by_row(rows) - money.vat_by_rate(rows))

    assert apart <= (len(rows) + len(rates)) * ORE / 2
