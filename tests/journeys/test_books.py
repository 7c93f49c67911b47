"""The books of a period: one öre, one that lacks and one too many are found, fees among them."""

import csv
import io
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from starlette.testclient import TestClient

from app.checks import reconcile
from app.checks.comparison import Line
from tests.journeys.test_project_fees import bill, carried, cost, fees, invoice_fee
from tests.workshop import Workshop, admin_api

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
FIRST, LAST = date(2026, 10, 1), date(2026, 10, 31)


@pytest.fixture(autouse=True)
def projects(shop: Workshop) -> None:
    severa = shop.partners.severa
    shop.look_at("project", *(one["guid"] for one in severa.records("projects")))


def lines(shop: Workshop) -> list[Line]:
    sides = shop.process.room.sides(shop.connection(), 0)
    return list(reconcile.run(sides, FIRST, LAST).lines)


def told(shop: Workshop) -> list[tuple[str, str, Decimal]]:
    return [(one.verdict, one.fortnox_number, one.difference) for one in lines(shop)]


def surplus_fee(shop: Workshop, description: str) -> Any:
    price = {"amount": 77.0, "currencyCode": "SEK"}
    return shop.partners.severa.add_fee(
        3001,
        description=description,
        eventDate="2026-10-31",
        quantity=1,
        unitCost=price,
        unitPrice=price,
    )


def test_fees_that_say_what_is_booked_agree_row_by_row_and_by_currency(shop: Workshop) -> None:
    carried(shop, cost(3000, "3002"), cost(2000))
    rate = {"Currency": "EUR", "CurrencyRate": "11.25"}
    carried(shop, {"Account": 4535, "DebitCurrency": 200, "Project": "3003"}, **rate)
    writes = shop.partners.writes()
    found = lines(shop)
    assert [
        (one.verdict, one.severa_number, one.currency, one.fortnox_amount) for one in found
    ] == [
        ("agrees", "3002", "SEK", 3000),
        ("agrees", "3001", "SEK", 2000),
        ("agrees", "3003", "EUR", 200),
    ]
    assert shop.partners.writes() == writes


def test_a_fee_that_differs_by_one_ore_is_found(shop: Workshop) -> None:
    number = carried(shop, cost(2000))
    price = {"amount": 2000.01, "currencyCode": "SEK"}
    shop.partners.severa.change("projectfees", fees(shop)[0]["guid"], unitCost=price)
    assert told(shop) == [("amount_differs", number, Decimal("-0.01"))]


def test_a_fee_that_lacks_is_found_under_the_project_in_fortnox(shop: Workshop) -> None:
    number = bill(shop, cost(500, "3002"))
    (line,) = lines(shop)
    assert (line.verdict, line.severa_number, line.fortnox_number, line.difference) == (
        "missing_in_severa",
        "3002",
        number,
        500,
    )


def test_a_fee_too_many_is_found_whether_its_mark_is_used_twice_or_nobodys(shop: Workshop) -> None:
    number = carried(shop, cost(2000))
    surplus_fee(shop, fees(shop)[0]["description"])
    surplus_fee(shop, "Vad är detta? [FX-88-0123abcd]")
    surplus_fee(shop, "En avgift som en människa gjort")
    assert sorted(told(shop)) == [
        ("agrees", number, 0),
        ("surplus_in_severa", "88", -77),
        ("twice_in_severa", number, -77),
    ]


def test_what_was_taken_back_by_a_correcting_fee_adds_up_to_nothing(shop: Workshop) -> None:
    number = carried(shop, cost(2000))
    invoice_fee(shop, fees(shop)[0])
    shop.partners.books.cancel_supplier_invoice(number)
    shop.look_at("project_fee", number)
    assert len(fees(shop)) == 2
    assert told(shop) == [("agrees", number, 0)]


def test_memory_is_not_asked_whether_a_fee_stands(shop: Workshop) -> None:
    """A fee that a person removed is a difference between the books, whoever decided it."""
    number = carried(shop, cost(2000))
    shop.partners.severa.delete("projectfees", fees(shop)[0]["guid"])
    shop.look_at("project_fee", number)
    assert told(shop) == [("missing_in_severa", number, 2000)]


def test_the_fees_are_told_as_json_and_as_a_file_for_a_spreadsheet(shop: Workshop) -> None:
    number = carried(shop, cost(2000), {**cost(99), "Debit": "99.99"})
    price = {"amount": 100.0, "currencyCode": "SEK"}
    shop.partners.severa.change("projectfees", fees(shop)[1]["guid"], unitCost=price)
    client = asking(shop)
    path = "/api/v1/connections/acme/reconciliation"
    period = {"from": FIRST.isoformat(), "to": LAST.isoformat()}
    books = client.get(path, params=period).json()
    assert books["differences"] == 1
    assert books["sums"] == [
        {
            "subject": "fee",
            "currency": "SEK",
            "severa": "2100.00",
            "fortnox": "2099.99",
            "difference": "-0.01",
        }
    ]
    rows = list(csv.DictReader(io.StringIO(client.get(f"{path}.csv", params=period).text)))
    assert rows == books["lines"]
    assert [(row["verdict"], row["fortnox_number"], row["difference"]) for row in rows] == [
        ("agrees", number, "0.00"),
        ("amount_differs", number, "-0.01"),
    ]


def asking(shop: Workshop) -> TestClient:
    """The admin API between the same sandboxes."""
    client = TestClient(admin_api(shop))
    client.headers["Authorization"] = f"Bearer {shop.hall.keys.admin}"
    return client
