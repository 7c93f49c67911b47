"""What Fortnox says of payments reaches the Severa invoice, whatever stands between."""

from decimal import Decimal

import pytest

from app.sandbox.severa import DRAFT, ERROR, PAID, RECEIVED, TRANSFER
from tests.installation import document
from tests.workshop import Workshop


@pytest.fixture
def carried(shop: Workshop) -> tuple[str, str]:
    """The GUID and the Fortnox number of an invoice that was carried over and booked."""
    guid = shop.partners.severa.add_simple_invoice()["guid"]
    shop.partners.severa.set_status(guid, TRANSFER)
    shop.look_at("invoice", guid)
    number = next(iter(shop.partners.books.invoices))
    shop.partners.books.book(number)
    return guid, number


def severa_invoice(shop: Workshop, guid: str) -> tuple[str, str | None]:
    invoice = shop.partners.severa.find("invoices", guid)
    return invoice["status"]["guid"], invoice["paymentDate"]


def last_voucher(shop: Workshop) -> str:
    """The key of the newest voucher as the event names it: year/series/number."""
    year, series, number = list(shop.partners.books.vouchers)[-1].split(":")
    return f"{year}/{series}/{number}"


def test_a_payment_known_by_its_voucher_alone_moves_the_invoice_to_paid(
    shop: Workshop, carried: tuple[str, str]
) -> None:
    guid, number = carried
    paid_on = shop.partners.books.pay(number)["PaymentDate"]
    shop.look_at("voucher", last_voucher(shop))
    assert severa_invoice(shop, guid) == (PAID, str(paid_on))
    assert shop.outcome("payment", number) == ("done", None)
    assert shop.log("payment", number) == ["paid"]


def test_a_payment_known_by_its_own_event_moves_the_invoice_to_paid(
    shop: Workshop, carried: tuple[str, str]
) -> None:
    guid, number = carried
    payment = shop.partners.books.pay(number)
    shop.look_at("invoice_payment", str(payment["Number"]))
    assert severa_invoice(shop, guid)[0] == PAID
    row = shop.row("payment", number)
    assert (row.source_label, row.target_label) == (f"{number} Nordbygg AB", "2077")


@pytest.mark.parametrize("between", [RECEIVED, DRAFT, ERROR])
def test_paid_comes_through_from_whatever_status_a_person_has_set(
    shop: Workshop, carried: tuple[str, str], between: str
) -> None:
    guid, number = carried
    shop.partners.severa.set_status(guid, between)
    shop.partners.books.pay(number)
    shop.look_at("payment", number)
    assert severa_invoice(shop, guid)[0] == PAID


def test_seeing_the_same_payment_again_writes_nothing(
    shop: Workshop, carried: tuple[str, str]
) -> None:
    _, number = carried
    shop.partners.books.pay(number)
    shop.look_at("payment", number)
    writes = shop.partners.writes()
    for _ in range(3):
        shop.look_at("payment", number)
    assert shop.partners.writes() == writes
    assert shop.log("payment", number) == ["paid"]


def test_a_part_payment_leaves_the_status_and_is_told_once_with_its_amounts(
    shop: Workshop, carried: tuple[str, str]
) -> None:
    guid, number = carried
    shop.partners.books.pay(number, amount=Decimal(5000))
    shop.look_at("payment", number)
    shop.look_at("payment", number)
    assert severa_invoice(shop, guid) == (RECEIVED, None)
    assert shop.log("payment", number) == ["partly_paid"]
    shop.partners.books.pay(number)
    shop.look_at("payment", number)
    assert severa_invoice(shop, guid)[0] == PAID
    assert shop.log("payment", number) == ["partly_paid", "paid"]


def test_a_payment_taken_back_returns_the_invoice_to_received_with_a_warning(
    shop: Workshop, carried: tuple[str, str]
) -> None:
    guid, number = carried
    payment = shop.partners.books.pay(number)
    shop.look_at("payment", number)
    shop.partners.books.unpay(str(payment["Number"]))
    shop.look_at("payment", number)
    assert severa_invoice(shop, guid)[0] == RECEIVED
    assert shop.log("payment", number) == ["paid", "payment_taken_back"]


def test_without_a_paid_status_the_payment_is_skipped_and_says_so(
    shop: Workshop, carried: tuple[str, str]
) -> None:
    guid, number = carried
    statuses = document()["invoice_statuses"] | {"paid": None}
    shop.connect(invoice_statuses=statuses)
    shop.partners.books.pay(number)
    shop.look_at("payment", number)
    assert severa_invoice(shop, guid)[0] == RECEIVED
    assert shop.outcome("payment", number) == ("skipped", "no_paid_status")


def test_an_invoice_that_did_not_come_from_severa_is_left_alone(shop: Workshop) -> None:
    books = shop.partners.books
    customer = books.add_customer(Name="Egen kund AB")["CustomerNumber"]
    row = {"AccountNumber": 3001, "DeliveredQuantity": "1", "Price": 100, "Description": "x"}
    number = books.add_invoice(CustomerNumber=customer, InvoiceRows=[row])["DocumentNumber"]
    books.book(number)
    books.pay(number)
    writes = shop.partners.writes()
    shop.look_at("voucher", last_voucher(shop))
    assert shop.outcome("payment", number) == ("skipped", "not_from_severa")
    assert shop.partners.writes() == writes


def test_a_manual_voucher_and_a_voucher_that_is_gone_lead_nowhere(shop: Workshop) -> None:
    rows = [
        {"Account": 1930, "Debit": 100, "Credit": 0},
        {"Account": 3001, "Credit": 100, "Debit": 0},
    ]
    shop.partners.books.add_voucher("Manuell", rows)
    manual = last_voucher(shop)
    shop.look_at("voucher", manual, "3/C/999")
    assert shop.outcome("voucher", manual) == ("skipped", "voucher_of_no_concern")
    assert shop.outcome("voucher", "3/C/999") == ("skipped", "voucher_gone")


def test_a_zero_invoice_is_paid_when_it_is_booked(shop: Workshop) -> None:
    guid = shop.partners.severa.add_simple_invoice(price=0)["guid"]
    shop.partners.severa.set_status(guid, TRANSFER)
    shop.look_at("invoice", guid)
    number = next(iter(shop.partners.books.invoices))
    shop.look_at("payment", number)
    assert shop.outcome("payment", number) == ("skipped", "not_paid_yet")
    shop.partners.books.book(number)
    shop.look_at("payment", number)
    assert severa_invoice(shop, guid)[0] == PAID


def test_a_cancelled_invoice_is_not_paid(shop: Workshop) -> None:
    guid = shop.partners.severa.add_simple_invoice()["guid"]
    shop.partners.severa.set_status(guid, TRANSFER)
    shop.look_at("invoice", guid)
    number = next(iter(shop.partners.books.invoices))
    shop.partners.books.cancel(number)
    shop.look_at("payment", number)
    assert severa_invoice(shop, guid)[0] == RECEIVED
    assert shop.outcome("payment", number) == ("skipped", "cancelled_in_fortnox")
