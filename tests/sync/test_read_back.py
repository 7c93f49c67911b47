"""Fortnox's answer held against what was asked: an öre is found, öresavrundning is none."""

from collections.abc import Callable
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from app.fortnox import schemas as fortnox
from app.severa import schemas as severa
from app.sync.invoice_document import Translation, currency_rate, differences, translate
from app.sync.invoice_rows import Facts
from tests.sync.case_files import document

ORE, CROWN, NONE = Decimal("0.01"), Decimal(1), Decimal(0)


@dataclass(frozen=True)
class Billed:
    """A row as Severa has it."""

    quantity: Decimal
    price: Decimal
    rate: Decimal

    @property
    def net(self) -> Decimal:
        return to(ORE, self.quantity * self.price)


Vat = Callable[[list[Billed]], Decimal]
ROW = st.builds(
    Billed,
    st.decimals("0.001", 500, places=3),
    st.decimals(0, 5000, places=4),
    st.sampled_from([Decimal(rate) for rate in (25, 12, 6, 0)]),
)
ROWS = st.lists(ROW, min_size=1, max_size=8)


def to(step: Decimal, amount: Decimal) -> Decimal:
    return amount.quantize(step, ROUND_HALF_UP)


def by_row(rows: list[Billed]) -> Decimal:
    return sum((to(ORE, row.net * row.rate / 100) for row in rows), NONE)


def by_rate(rows: list[Billed]) -> Decimal:
    rates = {row.rate for row in rows}
    return sum(
        (to(ORE, sum(row.net for row in rows if row.rate == rate) * rate / 100) for rate in rates),
        NONE,
    )


def to_even(rows: list[Billed]) -> tuple[Decimal, Decimal]:
    """By row and by rate, half an öre to the even one."""
    rates = {row.rate: sum(one.net for one in rows if one.rate == row.rate) for row in rows}
    exact = [row.net * row.rate / 100 for row in rows], [r * n / 100 for r, n in rates.items()]
    return sum((a.quantize(ORE) for a in exact[0]), NONE), sum(
        (a.quantize(ORE) for a in exact[1]), NONE
    )


BOTH_WAYS = st.sampled_from([by_row, by_rate])


def asked_for(rows: list[Billed], **fields: Any) -> Translation:
    """What is sent of a Severa invoice with these rows."""
    given = {
        "guid": "1a000000-0000-0000-0000-000000002077",
        "number": 2077,
        "status": {"guid": "55000000-0000-0000-0000-000000000002"},
        "currency": {"code": "SEK"},
        "totalExcludingTax": {"amount": sum(row.net for row in rows)},
        **fields,
    }
    billed = [
        severa.InvoiceRow.model_validate(
            {
                "guid": f"1b000000-0000-0000-0000-{place:012d}",
                "rowType": "ProjectFees",
                "code": ["200"],
                "description": "Licens",
                "quantity": row.quantity,
                "unitPrice": {"amount": row.price},
                "vatRate": row.rate,
            }
        )
        for place, row in enumerate(rows, start=1)
    ]
    return translate(
        Facts(
            invoice=severa.Invoice.model_validate(given),
            rows=billed,
            document=document({}),
            customer_number="1042",
            projects={},
            articles={"200": "200"},
            items={},
            flat_rates={},
            register_rate=Decimal("11.30"),
        )
    )


def answered(
    asked: Translation,
    rows: list[Billed],
    vat: Vat = by_row,
    *,
    crowns: bool = False,
    **changes: Any,
) -> fortnox.Invoice:
    """What Fortnox makes of what was sent, by its own arithmetic."""
    sent = asked.invoice
    net = sum(
        (
            to(ORE, Decimal(row.delivered_quantity) * row.price)
            for row in sent.invoice_rows
            if row.delivered_quantity is not None and row.price is not None
        ),
        NONE,
    )
    exact = net + vat(rows)
    total = to(CROWN, exact) if crowns else exact
    answer = {
        "DocumentNumber": "1027",
        "CustomerNumber": sent.customer_number,
        "Currency": sent.currency,
        "CurrencyRate": sent.currency_rate or 1,
        "Net": net,
        "TotalVAT": vat(rows),
        "RoundOff": total - exact,
        "Total": total,
        "InvoiceRows": [{"RowId": place} for place, _ in enumerate(sent.invoice_rows)],
    }
    return fortnox.Invoice.model_validate(answer | changes)


def found(asked: Translation, answer: fortnox.Invoice) -> list[str]:
    return [field for field, _, _ in differences(asked, answer)]


@given(ROWS, BOTH_WAYS, st.booleans())
def test_vat_by_row_or_by_rate_and_oresavrundning_are_no_difference(
    rows: list[Billed], vat: Vat, crowns: bool
) -> None:
    asked = asked_for(rows)

    assert differences(asked, answered(asked, rows, vat, crowns=crowns)) == []


@given(ROWS, st.booleans(), st.sampled_from([ORE, -ORE]))
def test_an_ore_in_the_net_is_found(rows: list[Billed], crowns: bool, ore: Decimal) -> None:
    asked = asked_for(rows)
    right = answered(asked, rows, crowns=crowns)

    wrong = answered(asked, rows, crowns=crowns, Net=right.net + ore, Total=right.total + ore)

    assert found(asked, wrong) == ["Net"]


@given(ROWS, BOTH_WAYS, st.sampled_from([ORE, -ORE]))
def test_an_ore_in_the_vat_is_found(rows: list[Billed], vat: Vat, ore: Decimal) -> None:
    assume(vat(rows) + ore not in (by_row(rows), by_rate(rows), *to_even(rows)))
    asked = asked_for(rows)
    right = answered(asked, rows, vat)

    wrong = answered(asked, rows, TotalVAT=right.total_vat + ore, Total=right.total + ore)

    assert found(asked, wrong) == ["TotalVAT"]


@given(ROWS, st.booleans(), st.sampled_from([ORE, -ORE]))
def test_an_ore_in_the_total_is_found(rows: list[Billed], crowns: bool, ore: Decimal) -> None:
    asked = asked_for(rows)
    right = answered(asked, rows, crowns=crowns)

    wrong = answered(asked, rows, crowns=crowns, Total=right.total + ore)

    assert found(asked, wrong) == ["Total"]


TEN_HOURS = [Billed(Decimal(10), Decimal(1100), Decimal(25))]


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"CustomerNumber": "1043"}, "CustomerNumber"),
        ({"Currency": "EUR"}, "Currency"),
        ({"InvoiceRows": []}, "InvoiceRows"),
        ({"InvoiceRows": [{}, {}]}, "InvoiceRows"),
        ({"Net": None, "Total": 2750}, "Net"),
    ],
)
def test_what_else_differs_is_found(changes: dict[str, Any], field: str) -> None:
    asked = asked_for(TEN_HOURS)

    assert found(asked, answered(asked, TEN_HOURS, **changes)) == [field]


def test_a_difference_tells_what_was_asked_and_what_came() -> None:
    asked = asked_for(TEN_HOURS)
    answer = answered(asked, TEN_HOURS, CustomerNumber="1043", Net=11000.01, Total=13750.01)

    assert differences(asked, answer) == [
        ("CustomerNumber", "1042", "1043"),
        ("Net", "11000", "11000.01"),
    ]


def test_a_fee_fortnox_adds_by_itself_is_found() -> None:
    """Freight from the customer's card raises the total, and nothing that was asked for."""
    asked = asked_for(TEN_HOURS)

    assert found(asked, answered(asked, TEN_HOURS, Total=13800)) == ["Total"]


def test_the_rate_of_another_currency_is_compared_to_four_decimals() -> None:
    abroad = [Billed(Decimal(10), Decimal(100), NONE)]
    asked = asked_for(abroad, currency={"code": "EUR"}, currencyRate=Decimal("0.089"))

    assert found(asked, answered(asked, abroad, CurrencyRate=Decimal("11.2360"))) == []
    assert found(asked, answered(asked, abroad, CurrencyRate=Decimal("11.30"))) == ["CurrencyRate"]


def test_the_vat_severa_came_to_is_accepted_when_it_is_an_ore_a_row_away() -> None:
    asked = asked_for(TEN_HOURS, totalTax={"amount": Decimal("2750.01")})

    assert found(asked, answered(asked, TEN_HOURS, lambda _: Decimal("2750.01"))) == []
    assert found(asked, answered(asked, TEN_HOURS, lambda _: Decimal("2750.02"))) == ["TotalVAT"]


def test_the_vat_severa_came_to_is_not_accepted_when_it_is_far_away() -> None:
    asked = asked_for(TEN_HOURS, totalTax={"amount": Decimal(1320)})

    assert found(asked, answered(asked, TEN_HOURS, lambda _: Decimal(1320))) == ["TotalVAT"]


RATES = st.decimals("0.01", 1000, places=6)


@given(RATES, st.decimals("0.01", 1000, places=4))
def test_a_rate_and_its_inverse_give_the_same_answer(rate: Decimal, register: Decimal) -> None:
    assume(register != 1)  # of two readings equally near, neither is the better one
    assume(max(rate / register, register / rate) != 2)

    assert currency_rate(rate, register) == currency_rate(1 / rate, register)


@given(RATES, RATES)
def test_a_rate_is_never_far_from_the_registers(rate: Decimal, register: Decimal) -> None:
    known = currency_rate(rate, register)

    assert known is None or register / 2 - ORE <= known <= register * 2 + ORE


@pytest.mark.parametrize("rate", [None, NONE, Decimal(-11), Decimal(1), Decimal(1130)])
def test_a_rate_that_is_none_is_left_out(rate: Decimal | None) -> None:
    assert currency_rate(rate, Decimal("11.30")) is None
