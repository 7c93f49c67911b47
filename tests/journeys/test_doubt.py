"""Whatever happens to the call that creates an invoice, there is one invoice in the end."""

from datetime import timedelta

import pytest

from app.sandbox.chaos import Fault, Kind
from app.sandbox.severa import RECEIVED, TRANSFER
from tests.journeys.test_invoices import order, status
from tests.workshop import Workshop

LATER = timedelta(minutes=11)


def fail_once(shop: Workshop, kind: Kind, **fields: object) -> None:
    fault = Fault(kind, "/3/invoices$", "POST", **fields)  # type: ignore[arg-type]
    shop.partners.fortnox.chaos.faults.append(fault)


def settle_down(shop: Workshop, rounds: int = 6) -> None:
    for _ in range(rounds):
        shop.clock.move_on(LATER)
        shop.run()


@pytest.mark.parametrize("kind", ["lose", "break", "mask"])
def test_an_answer_that_is_lost_is_looked_for_before_anything_is_sent_again(
    shop: Workshop, kind: Kind
) -> None:
    guid = order(shop)
    fail_once(shop, kind, status=502, body="<html>")
    shop.look_at("invoice", guid)
    assert shop.outcome("invoice", guid)[0] == "waiting"
    assert status(shop, guid) == TRANSFER
    posts = [c for c in shop.partners.fortnox.chaos.calls if c.method == "POST"]
    shop.run()
    assert [c for c in shop.partners.fortnox.chaos.calls if c.method == "POST"] == posts
    settle_down(shop)
    assert shop.partners.invoices_by_reference() == {f"severa:{guid}": 1}
    assert status(shop, guid) == RECEIVED


def test_an_invoice_that_is_made_late_is_found_and_not_made_again(shop: Workshop) -> None:
    guid = order(shop)
    fail_once(shop, "late", delay=0.5)
    shop.look_at("invoice", guid)
    assert shop.outcome("invoice", guid)[0] == "waiting"
    shop.wait_for_books(1)
    settle_down(shop)
    assert shop.partners.invoices_by_reference() == {f"severa:{guid}": 1}
    assert "found_by_reference" in shop.log("invoice", guid)


def test_one_empty_look_is_not_believed_because_the_index_may_lag(shop: Workshop) -> None:
    guid = order(shop)
    fail_once(shop, "lose")
    shop.partners.fortnox.options.search_delay = 3600
    shop.look_at("invoice", guid)
    shop.clock.move_on(LATER)
    shop.run()
    assert shop.outcome("invoice", guid) == ("waiting", "outcome_unknown")
    shop.partners.fortnox.options.search_delay = 0
    settle_down(shop)
    assert shop.partners.invoices_by_reference() == {f"severa:{guid}": 1}


def test_after_two_unknown_outcomes_a_person_decides(shop: Workshop) -> None:
    guid = order(shop)
    fail_once(shop, "break", times=2)
    shop.look_at("invoice", guid)
    settle_down(shop)
    assert shop.outcome("invoice", guid) == ("blocked", "outcome_unknown_twice")
    assert shop.partners.books.invoices == {}
    shop.retry("invoice", guid)
    settle_down(shop)
    assert shop.partners.invoices_by_reference() == {f"severa:{guid}": 1}


@pytest.mark.parametrize("status_code", [429, 401])
def test_a_definite_no_is_tried_again_without_quarantine(shop: Workshop, status_code: int) -> None:
    guid = order(shop)
    fail_once(shop, "refuse", status=status_code)
    shop.look_at("invoice", guid)
    shop.clock.move_on(timedelta(seconds=10))
    shop.run()
    assert status(shop, guid) == RECEIVED
    assert shop.partners.invoices_by_reference() == {f"severa:{guid}": 1}


def test_a_search_that_finds_parts_of_references_adopts_nobody_elses_invoice(
    shop: Workshop,
) -> None:
    guid = order(shop)
    books = shop.partners.books
    customer = books.add_customer(Name="Annan AB")["CustomerNumber"]
    books.add_invoice(
        CustomerNumber=customer, ExternalInvoiceReference1=f"severa:{guid}-kopia", InvoiceRows=[]
    )
    shop.look_at("invoice", guid)
    assert shop.partners.invoices_by_reference()[f"severa:{guid}"] == 1
    assert shop.row("invoice", guid).target_id == "2"


def test_a_restored_database_finds_the_invoice_it_has_forgotten(shop: Workshop) -> None:
    guid = order(shop)
    shop.look_at("invoice", guid)
    shop.forget_everything_about("invoice", guid)
    shop.partners.severa.set_status(guid, TRANSFER)
    shop.look_at("invoice", guid)
    assert shop.partners.invoices_by_reference() == {f"severa:{guid}": 1}
    assert status(shop, guid) == RECEIVED


def test_an_outage_is_probed_and_everything_that_waited_flows_when_it_ends(shop: Workshop) -> None:
    guids = [order(shop) for _ in range(6)]
    chaos = shop.partners.fortnox.chaos
    chaos.faults.append(Fault("refuse", "/3/", status=503, times=None))
    shop.look_at("invoice", *guids)
    assert {shop.outcome("invoice", guid) for guid in guids} == {("waiting", "vendor_silent")}
    calls = len(chaos.calls)
    shop.clock.move_on(timedelta(seconds=4))
    shop.run()
    assert len(chaos.calls) - calls <= 2  # the probe, not six invoices
    chaos.faults.clear()
    shop.clock.move_on(timedelta(seconds=4))
    shop.run()
    assert {status(shop, guid) for guid in guids} == {RECEIVED}
    assert sum(shop.partners.invoices_by_reference().values()) == 6


def test_a_refused_token_stops_the_connection_once_and_new_credentials_start_it_again(
    shop: Workshop,
) -> None:
    guids = [order(shop) for _ in range(3)]
    access = {"client_id": "demo-client", "client_secret": "wrong", "tenant_id": "654896"}
    shop.connect(fortnox=access)
    shop.look_at("invoice", *guids)
    assert shop.connection().stopped is not None
    assert shop.connection().stopped.code == "token_refused"
    assert shop.partners.books.invoices == {}
    shop.connect()
    shop.run()
    assert {status(shop, guid) for guid in guids} == {RECEIVED}
    assert shop.connection().stopped is None
