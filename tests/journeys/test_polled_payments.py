"""Payments of a company that is only polled: told once, and in time, whatever moves a list."""

from datetime import date, timedelta
from decimal import Decimal

import pytest

from app.sandbox.severa import PAID, RECEIVED
from tests.installation import document
from tests.journeys.polled import FORTNOX_CALLS, SEVERA_CALLS, calls, carried, paid_on, rounds
from tests.workshop import Workshop


@pytest.mark.parametrize("touches", [True, False])
def test_a_payment_reaches_severa_whether_or_not_it_moves_lastmodified(
    polled: Workshop, touches: bool
) -> None:
    guid, number = carried(polled)
    rounds(polled, 6)
    polled.partners.fortnox.options.payments_touch_invoices = touches
    payment = polled.partners.books.pay(number)
    rounds(polled)
    assert paid_on(polled, guid) == (PAID, str(payment["PaymentDate"]))
    rounds(polled, 12)
    assert polled.log("payment", number) == ["paid"]
    assert polled.row("payment", number).attempts == 2  # it gave way to the invoice, then ran


@pytest.mark.parametrize("touches", [True, False])
def test_a_part_payment_is_told_once_and_the_rest_pays_the_invoice(
    polled: Workshop, touches: bool
) -> None:
    guid, number = carried(polled)
    rounds(polled, 6)
    polled.partners.fortnox.options.payments_touch_invoices = touches
    polled.partners.books.pay(number, amount=Decimal(5000))
    rounds(polled, 1 if touches else 10)
    assert polled.log("payment", number) == ["partly_paid"]
    rounds(polled, 10)
    polled.partners.books.pay(number)
    rounds(polled, 1)
    assert polled.log("payment", number) == ["partly_paid", "paid"]
    assert paid_on(polled, guid)[0] == PAID


@pytest.mark.parametrize("touches", [True, False])
def test_a_payment_taken_back_returns_the_invoice_to_received(
    polled: Workshop, touches: bool
) -> None:
    guid, number = carried(polled)
    payment = polled.partners.books.pay(number)
    rounds(polled, 8)
    assert paid_on(polled, guid)[0] == PAID
    polled.partners.fortnox.options.payments_touch_invoices = touches
    polled.partners.books.unpay(payment["Number"])
    day_after = (date.fromisoformat(payment["PaymentDate"]) + timedelta(days=1)).isoformat()
    payment = polled.partners.books.pay(number, date=day_after)  # between two polls
    rounds(polled, 1)
    assert paid_on(polled, guid) == (PAID, day_after)
    polled.partners.books.unpay(payment["Number"])
    rounds(polled, 1 if touches else 10)
    assert paid_on(polled, guid)[0] == RECEIVED
    assert polled.log("payment", number) == ["paid", "payment_date_changed", "payment_taken_back"]


def test_a_payment_entered_weeks_after_it_was_made_is_found_by_the_sweep(polled: Workshop) -> None:
    guid, number = carried(polled)
    polled.clock.move_on(timedelta(days=30))
    polled.partners.fortnox.options.payments_touch_invoices = False
    early = polled.partners.books.invoices[number]["InvoiceDate"]
    polled.partners.books.pay(number, date=early)
    rounds(polled, 11)
    assert paid_on(polled, guid) == (PAID, early)


def test_without_a_paid_status_a_payment_is_told_once_and_not_every_minute(
    polled: Workshop,
) -> None:
    _, number = carried(polled)
    polled.connect(invoice_statuses=document()["invoice_statuses"] | {"paid": None})
    polled.partners.books.pay(number)
    rounds(polled, 2)
    assert polled.outcome("payment", number) == ("skipped", "no_paid_status")
    before = polled.row("payment", number).attempts
    rounds(polled, 12)
    assert polled.row("payment", number).attempts == before


def test_invoices_that_are_not_ours_cost_no_call_of_their_own(polled: Workshop) -> None:
    books = polled.partners.books
    customer = books.add_customer(Name="Egen kund AB", Type="PRIVATE")["CustomerNumber"]
    row = {"AccountNumber": 3001, "DeliveredQuantity": "1", "Price": 100, "Description": "x"}
    number = books.add_invoice(CustomerNumber=customer, InvoiceRows=[row])["DocumentNumber"]
    rounds(polled, 8)
    books.book(number)
    books.pay(number)
    before = calls(polled)
    rounds(polled)
    assert (calls(polled)[0] - before[0], calls(polled)[1] - before[1]) == (
        SEVERA_CALLS,
        FORTNOX_CALLS,
    )
