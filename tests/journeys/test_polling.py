"""A company with nothing but the two official APIs: no webhook, no listener, only polls."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from app import connections
from app.models import work
from app.sandbox.severa import DRAFT, PAID, RECEIVED, TRANSFER, Row
from tests.installation import document, installation, until, vendors
from tests.journeys.polled import (
    FORTNOX_CALLS,
    SEVERA_CALLS,
    calls,
    carried,
    heard,
    paid_on,
    rounds,
    transfers_of,
)
from tests.journeys.test_invoices import order, status
from tests.workshop import Workshop


def test_an_invoice_that_is_moved_to_transfer_is_carried_over_within_a_round(
    polled: Workshop,
) -> None:
    guid = order(polled)
    rounds(polled)
    assert status(polled, guid) == RECEIVED
    assert polled.partners.invoices_by_reference() == {f"severa:{guid}": 1}
    assert polled.log("invoice", guid) == ["created_invoice", "moved_to_received"]
    rounds(polled, 3)
    assert polled.row("invoice", guid).attempts == 1


def test_an_invoice_that_is_transferred_again_is_brought_up_to_date(polled: Workshop) -> None:
    guid = order(polled)
    rounds(polled)
    polled.partners.severa.change_invoice(guid, orderNumber="PO-7781")
    polled.partners.severa.set_status(guid, TRANSFER)
    rounds(polled)
    [invoice] = polled.partners.books.invoices.values()
    assert invoice["YourOrderNumber"] == "PO-7781"
    assert status(polled, guid) == RECEIVED
    assert polled.row("invoice", guid).attempts == 2


def test_a_blocked_invoice_is_looked_at_again_when_it_is_changed_and_not_before(
    polled: Workshop,
) -> None:
    severa = polled.partners.severa
    rows = [Row("fee", 1, 500, article=None, description="Övrigt")]
    guid = severa.add_invoice(1001, [3001], rows, currency="CHF")["guid"]
    severa.set_status(guid, TRANSFER)
    rounds(polled, 2)
    assert polled.outcome("invoice", guid)[0] == "blocked"
    before = polled.row("invoice", guid).attempts
    rounds(polled, 3)
    assert polled.row("invoice", guid).attempts == before
    severa.change_invoice(guid, notes="Rättad")
    rounds(polled)
    assert polled.row("invoice", guid).attempts == before + 1
    severa.set_status(guid, DRAFT)  # taken away by a person: nobody's trouble any more
    rounds(polled)
    assert polled.outcome("invoice", guid) == ("skipped", "not_in_transfer_status")
    assert polled.row("invoice", guid).attempts == before + 2


def test_an_invoice_seen_by_event_and_by_poll_is_carried_over_once(polled: Workshop) -> None:
    guid = order(polled)
    polled.look_at("invoice", guid)
    rounds(polled, 3)
    assert polled.row("invoice", guid).attempts == 1
    assert polled.partners.invoices_by_reference() == {f"severa:{guid}": 1}


@pytest.mark.parametrize("delay", [0.0, 90.0])
def test_lists_that_lag_behind_cost_a_look_and_no_write(polled: Workshop, delay: float) -> None:
    guid = order(polled)
    polled.partners.severa.options.show_delay = delay
    rounds(polled, 6)
    assert status(polled, guid) == RECEIVED
    assert polled.partners.invoices_by_reference() == {f"severa:{guid}": 1}
    assert polled.outcome("invoice", guid) == ("done", None)


def test_a_company_that_is_switched_off_for_a_day_loses_nothing(polled: Workshop) -> None:
    rounds(polled, 2)
    switch(polled, active=False)
    guid = order(polled)
    project = polled.partners.severa.change("projects", 3001, name="Nytt namn")
    polled.clock.move_on(timedelta(days=1))
    assert polled.run() == 0
    switch(polled, active=True)
    rounds(polled, 2)
    assert status(polled, guid) == RECEIVED
    assert polled.partners.books.projects[str(project["number"])]["Description"] == "Nytt namn"


def switch(shop: Workshop, *, active: bool) -> None:
    with shop.hall.db.transaction() as tx:
        connections.set_active(tx, shop.name, shop.clock(), active=active)


def test_a_round_that_finds_nothing_costs_one_call_for_each_list_and_writes_nothing(
    polled: Workshop,
) -> None:
    guid, number = carried(polled)
    polled.partners.books.pay(number)
    rounds(polled, 10)
    writes, events_before = polled.partners.writes(), heard(polled)
    before = calls(polled)
    rounds(polled, 10)
    severa, fortnox = calls(polled)
    assert (severa - before[0], fortnox - before[1]) == (
        10 * SEVERA_CALLS,
        10 * FORTNOX_CALLS + 1,  # the sweep of what is unpaid
    )
    assert (polled.partners.writes(), heard(polled)) == (writes, events_before)
    assert paid_on(polled, guid)[0] == PAID


def test_polls_are_no_transfers(polled: Workshop) -> None:
    guid = order(polled)
    rounds(polled, 3)
    rows = transfers_of(polled)
    assert "poll" not in {row.kind for row in rows}
    assert guid in {row.key for row in rows}


def test_switching_the_poller_off_settles_its_rows_without_a_call(polled: Workshop) -> None:
    rounds(polled)
    before = calls(polled)
    polled.hall.settings.__dict__["poll_interval"] = 0.0
    rounds(polled, 3)
    assert calls(polled) == before
    with polled.hall.db.reading() as tx:
        rows = tx.execute(select(work).where(work.c.kind == "poll")).all()
    assert {(row.state, row.due_at) for row in rows} == {("done", None)}


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
@pytest.mark.processes
@pytest.mark.timeout(300)
def test_a_whole_installation_without_listener_or_webhook_carries_invoice_and_payment(
    database_url: str, redis_url: str
) -> None:
    changes = {"POLL_INTERVAL": "1", "FORTNOX_WEBSOCKET_URL": ""}
    with (
        vendors() as partners,
        installation(database_url, redis_url, partners, **changes) as bridge,
    ):
        bridge.connect(document())
        guid = partners.severa.add_simple_invoice()["guid"]
        partners.severa.set_status(guid, TRANSFER)
        find = partners.severa.find
        until(
            "it is received",
            lambda: find("invoices", guid)["status"]["guid"] == RECEIVED,
            told=bridge.output,
        )
        [number] = partners.books.invoices
        partners.books.book(number)
        partners.books.pay(number)
        until(
            "it is paid",
            lambda: find("invoices", guid)["status"]["guid"] == PAID,
            told=bridge.output,
        )
        assert partners.invoices_by_reference() == {f"severa:{guid}": 1}
        assert "poll" not in {one["kind"] for one in bridge.transfers()}
