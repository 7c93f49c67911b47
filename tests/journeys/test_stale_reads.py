"""Fortnox may show an invoice some seconds late, or as it was: nobody is called for that."""

import json
from datetime import timedelta

import pytest

from app.sandbox.chaos import Fault
from app.sandbox.severa import PAID, RECEIVED, TRANSFER
from tests.journeys.test_doubt import LATER, fail_once
from tests.journeys.test_invoices import order, status
from tests.workshop import Workshop

SQLITE = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
READ = "/3/invoices/1$"
WORDS = {"Error": 1, "Message": "Kan inte hitta fakturan.", "Code": 2000434}
NOT_FOUND = json.dumps({"ErrorInformation": WORDS})


def waits(shop: Workshop, minutes: int) -> None:
    """In steps that a retry schedule can follow."""
    for _ in range(13):
        shop.clock.move_on(timedelta(minutes=minutes) / 13)
        shop.run()


def show(shop: Workshop, times: int = 1, **fields: object) -> None:
    """What the next reads of invoice 1 are answered, whatever it is like by now."""
    before = {"DocumentNumber": "1", "CustomerNumber": "1001", "InvoiceRows": [{}]}
    body = json.dumps({"Invoice": before | fields})
    fault = Fault("refuse", READ, "GET", status=200, times=times, body=body)
    shop.partners.fortnox.chaos.faults.append(fault)


@SQLITE
def test_an_invoice_that_is_found_and_cannot_be_read_yet_is_waited_for(shop: Workshop) -> None:
    guid = order(shop)
    fail_once(shop, "lose")
    shop.partners.fortnox.chaos.faults.append(Fault("refuse", READ, "GET", status=404, times=2))
    shop.look_at("invoice", guid)
    for _ in range(2):  # once where it is compared, once where it is carried over again
        shop.clock.move_on(LATER)
        shop.run()
        assert shop.outcome("invoice", guid) == ("waiting", "invoice_not_shown_yet")
        assert status(shop, guid) == TRANSFER
    shop.clock.move_on(LATER)
    shop.run()
    assert status(shop, guid) == RECEIVED
    assert shop.partners.invoices_by_reference() == {f"severa:{guid}": 1}


@SQLITE
def test_an_invoice_that_is_gone_in_fortnox_is_told_within_hours_and_never_made_anew(
    shop: Workshop,
) -> None:
    """Whatever asked for it: a payment to be carried, a change, a retry. Found again, all go on."""
    guid = order(shop)
    shop.look_at("invoice", guid)
    books, severa = shop.partners.books, shop.partners.severa
    books.book("1")
    books.pay("1")
    gone = Fault("refuse", "/3/invoices/1$", "GET", status=404, times=999, body=NOT_FOUND)
    shop.partners.fortnox.chaos.faults.append(gone)
    severa.set_status(guid, TRANSFER)
    shop.look_at("invoice", guid)
    shop.look_at("payment", "1")
    both = [("invoice", guid), ("payment", "1")]
    assert {shop.outcome(*one) for one in both} == {("waiting", "invoice_not_shown_yet")}
    waits(shop, minutes=4 * 60)
    assert {shop.outcome(*one) for one in both} == {("blocked", "own_invoice_gone")}
    left = gone.times
    waits(shop, minutes=48 * 60)
    assert gone.times == left
    shop.retry("invoice", guid)
    shop.look_at("payment", "1")
    assert {shop.outcome(*one) for one in both} == {("blocked", "own_invoice_gone")}
    assert shop.partners.invoices_by_reference() == {f"severa:{guid}": 1}
    gone.times = 0
    shop.look_at("payment", "1")
    assert (shop.outcome("payment", "1"), status(shop, guid)) == (("done", None), PAID)


@SQLITE
def test_a_404_about_something_that_the_invoice_names_is_not_taken_for_a_late_invoice(
    shop: Workshop,
) -> None:
    guid = order(shop)
    shop.look_at("invoice", guid)
    shop.partners.severa.change_invoice(guid, orderNumber="PO-7781")
    shop.partners.severa.set_status(guid, TRANSFER)
    body = json.dumps({"ErrorInformation": {"Error": 1, "Message": "Projektet", "Code": 2001161}})
    fault = Fault("refuse", "/3/invoices/1$", "PUT", status=404, body=body)
    shop.partners.fortnox.chaos.faults.append(fault)
    shop.look_at("invoice", guid)
    assert shop.outcome("invoice", guid) == ("blocked", "fortnox_project_missing")


@SQLITE
def test_an_invoice_that_was_booked_or_cancelled_after_it_was_read_is_what_it_is_now(
    shop: Workshop,
) -> None:
    guid = order(shop)
    shop.look_at("invoice", guid)
    severa, books = shop.partners.severa, shop.partners.books
    books.cancel("1")
    severa.change_invoice(guid, orderNumber="PO-7781")
    severa.set_status(guid, TRANSFER)
    show(shop)
    shop.look_at("invoice", guid)
    assert shop.outcome("invoice", guid) == ("done", None)
    assert list(books.invoices) == ["1", "2"]
    books.book("2")
    severa.change_invoice(guid, orderNumber="PO-7782")
    severa.set_status(guid, TRANSFER)
    show(shop, DocumentNumber="2")
    shop.partners.fortnox.chaos.faults[-1].path = "/3/invoices/2$"
    shop.look_at("invoice", guid)
    assert shop.outcome("invoice", guid) == ("blocked", "already_booked")
    assert shop.partners.invoices_by_reference() == {f"severa:{guid}": 1}


@SQLITE
def test_an_old_content_is_believed_only_when_our_write_is_old_as_well(shop: Workshop) -> None:
    guid = order(shop)
    shop.partners.severa.chaos.faults.append(Fault("refuse", "/invoices", "PATCH", status=503))
    shop.look_at("invoice", guid)  # made in Fortnox, and not yet moved in Severa
    show(shop, times=99, Net=1, Total=1)
    shop.clock.move_on(timedelta(seconds=9))
    shop.run()
    assert shop.outcome("invoice", guid) == ("waiting", "invoice_not_shown_yet")
    shop.clock.move_on(LATER)
    shop.run()
    assert shop.outcome("invoice", guid) == ("blocked", "read_back_differs")
    assert status(shop, guid) == TRANSFER
    shop.partners.fortnox.chaos.faults.clear()
    shop.look_at("invoice", guid)
    assert status(shop, guid) == RECEIVED
