"""What is changed while an outcome is in doubt: one record of it, and with what was said last."""

from datetime import timedelta
from typing import Any

import pytest

from app.sandbox.chaos import Fault, Kind
from app.sandbox.severa import DRAFT, RECEIVED, TRANSFER
from tests.journeys.test_invoices import only_invoice, order, status
from tests.journeys.test_project_fees import amounts, bill, cost, fees
from tests.journeys.test_registers import HAMN, NORDBYGG, addresses, customers, guid_of
from tests.workshop import Workshop

LATER = timedelta(minutes=11)
DELIVERY = {
    "DeliveryAddress1": "Lagret 2",
    "DeliveryCity": "Göteborg",
    "DeliveryCountryCode": "SE",
}
pytestmark = [
    pytest.mark.parametrize("database_url", ["sqlite"], indirect=True),
    pytest.mark.parametrize("kind", ["lose", "break"]),
]


def doubt(shop: Workshop, side: str, kind: Kind, path: str, skip: int = 0) -> None:
    """The next creating call to this path: done or not, and no answer."""
    sandbox = shop.partners.severa if side == "severa" else shop.partners.fortnox
    sandbox.chaos.faults.append(Fault(kind, path, "POST", skip=skip))


def settle(shop: Workshop, kind: str, key: str) -> None:
    """What was changed is heard of; then time passes, longer than every doubt."""
    shop.look_at(kind, key)
    for _ in range(4):
        shop.clock.move_on(LATER)
        shop.run()
    assert shop.outcome(kind, key) == ("done", None)


def test_an_address_in_severa(shop: Workshop, kind: Kind) -> None:
    doubt(shop, "severa", kind, "/addresses$", skip=1)
    shop.connect(customer_master="fortnox")
    shop.partners.books.add_customer(**HAMN)
    shop.look_at("customer", "fortnox:5001")
    assert shop.outcome("customer", "fortnox:5001")[0] == "waiting"
    shop.partners.books.change_customer(5001, Address1="Kajen 9", DeliveryAddress1="Lagret 7")
    settle(shop, "customer", "fortnox:5001")
    assert sorted(addresses(shop, 5001)) == [
        ("Kajen 9\nPort C", "Göteborg", "Sweden", "031-12 34 56", "b"),
        ("Kontoret 3", "Göteborg", "Sweden", None, "v"),
        ("Lagret 7", "Göteborg", "Sweden", None, "p"),
    ]


def test_an_address_of_two_types_that_are_parted_meanwhile(shop: Workshop, kind: Kind) -> None:
    same = {"Address1": "Kajen 1", "City": "Göteborg", "CountryCode": "SE"}
    delivery = DELIVERY | {"DeliveryAddress1": "Kajen 1"}
    doubt(shop, "severa", kind, "/addresses$")
    shop.connect(customer_master="fortnox")
    shop.partners.books.add_customer(CustomerNumber="5002", Name="Hamn", **same, **delivery)
    shop.look_at("customer", "fortnox:5002")
    shop.partners.books.change_customer(5002, DeliveryAddress1="Lagret 7")
    settle(shop, "customer", "fortnox:5002")
    assert sorted(addresses(shop, 5002)) == [
        ("Kajen 1", "Göteborg", "Sweden", None, "b"),
        ("Lagret 7", "Göteborg", "Sweden", None, "p"),
    ]


def test_a_customer_in_severa(shop: Workshop, kind: Kind) -> None:
    doubt(shop, "severa", kind, "/v1/customers$")
    shop.partners.books.add_customer(**HAMN)
    shop.look_at("customer", "fortnox:5001")
    shop.partners.books.change_customer(5001, Name="Hamnen AB", WWW="hamnen.example")
    settle(shop, "customer", "fortnox:5001")
    [made] = customers(shop, 5001)
    assert (made["name"], made["website"]) == ("Hamnen AB", "hamnen.example")


def test_a_product_in_severa(shop: Workshop, kind: Kind) -> None:
    doubt(shop, "severa", kind, "/v1/products$")
    shop.partners.books.add_article(ArticleNumber="7001", Description="Skylt", Unit="st", VAT=25)
    shop.look_at("product", "fortnox:7001")
    shop.partners.books.change_article("7001", Description="Tavla", Unit="h")
    settle(shop, "product", "fortnox:7001")
    made = [one for one in shop.partners.severa.records("products") if one["code"] == "7001"]
    assert [(one["name"], one["measurementUnit"]) for one in made] == [("Tavla", "h")]


def test_a_customer_in_fortnox(shop: Workshop, kind: Kind) -> None:
    doubt(shop, "fortnox", kind, "/3/customers$")
    guid = guid_of(shop, NORDBYGG)
    shop.look_at("customer", guid)
    shop.partners.severa.change("customers", NORDBYGG, name="Nordbygg Sverige AB")
    settle(shop, "customer", guid)
    names = [one["Name"] for one in shop.partners.books.customers.values()]
    assert names == ["Nordbygg Sverige AB"]


def test_an_article_in_fortnox(shop: Workshop, kind: Kind) -> None:
    doubt(shop, "fortnox", kind, "/3/articles$")
    made = shop.partners.severa.add_product(name="Skylt", code="7001")
    key = f"product:{made['guid']}"
    shop.look_at("product", key)
    shop.partners.severa.change("products", made["guid"], name="Tavla")
    settle(shop, "product", key)
    assert [one["Description"] for one in shop.partners.books.articles.values()] == ["Tavla"]


def test_an_invoice(shop: Workshop, kind: Kind) -> None:
    guid = order(shop, quantity=10, price=100)
    doubt(shop, "fortnox", kind, "/3/invoices$")
    shop.look_at("invoice", guid)
    severa = shop.partners.severa
    severa.set_status(guid, DRAFT)
    row = severa.rows(guid)[0]["guid"]
    severa.change_row(row, quantity=12)
    severa.set_status(guid, TRANSFER)
    settle(shop, "invoice", guid)
    assert only_invoice(shop)["Net"] == 1200
    assert status(shop, guid) == RECEIVED


@pytest.mark.parametrize(
    ("changed", "costs"),
    [
        ([cost(6000)], [6000]),
        ([cost(TransactionInformation="Rättad text", Debit=7000)], [7000]),
        ([cost(project="3002")], []),
        ([], []),
    ],
)
def test_a_project_fee(shop: Workshop, kind: Kind, changed: list[Any], costs: list[int]) -> None:
    """A row of a supplier invoice is another one when its text or its project is."""
    severa, books = shop.partners.severa, shop.partners.books
    shop.look_at("project", *(one["guid"] for one in severa.records("projects")))
    doubt(shop, "severa", kind, "/projectfees$")
    number = bill(shop, cost())
    shop.look_at("project_fee", number)
    assert shop.outcome("project_fee", number)[0] == "waiting"
    if changed:
        books.change_supplier_invoice(number, SupplierInvoiceRows=changed)
    else:
        books.cancel_supplier_invoice(number)
    settle(shop, "project_fee", number)
    assert amounts(shop) == costs
    assert amounts(shop, 3002) == ([5000] if changed and not costs else [])
    texts = [one["invoiceRowDescription"] for one in fees(shop)]
    assert all(changed[0]["TransactionInformation"] in text for text in texts)
