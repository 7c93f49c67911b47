"""What was missing in Fortnox is noticed when it is there, without a click or a webhook."""

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from app.checks import preflight
from app.checks.survey import Survey
from app.sandbox.chaos import Fault
from app.sandbox.severa import RECEIVED, TRANSFER, Row
from app.sync.polls import POLLS
from app.sync.probe import STOPPED_PROBE_EVERY
from tests.journeys.polled import FORTNOX_CALLS, SEVERA_CALLS, calls, rounds
from tests.journeys.test_invoices import order, status
from tests.workshop import Workshop
from workers.process import WorkingProcess


def ordered_in(shop: Workshop, count: int, **fields: Any) -> list[str]:
    return [order(shop, **fields) for _ in range(count)]


def states(shop: Workshop, guids: list[str]) -> set[tuple[str, str | None]]:
    return {shop.outcome("invoice", guid) for guid in guids}


def test_forty_invoices_flow_without_a_click_when_the_missing_financial_year_is_created(
    polled: Workshop,
) -> None:
    books = polled.partners.books
    year = int(books.today()[:4])
    books.remove_financial_year(year)
    guids = ordered_in(polled, 40)
    rounds(polled, 8)
    assert states(polled, guids) == {("blocked", "fortnox_financial_year_missing")}
    runs, before = [polled.row("invoice", guid).attempts for guid in guids], calls(polled)
    rounds(polled)
    assert [polled.row("invoice", guid).attempts for guid in guids] == runs
    assert calls(polled)[1] - before[1] == FORTNOX_CALLS + 1  # the years, once in a round
    books.add_financial_year(f"{year}-01-01", f"{year}-12-31")
    rounds(polled)
    assert {status(polled, guid) for guid in guids} == {RECEIVED}
    assert polled.partners.invoices_by_reference() == {f"severa:{guid}": 1 for guid in guids}


def _unit(shop: Workshop) -> tuple[str, Callable[[], Any]]:
    product = shop.partners.severa.add_product(name="Låda", code="900", measurementUnit="låda")
    row = Row("fee", 1, 500, article="900", description=product["name"])
    guid = shop.partners.severa.add_invoice(1001, [3001], [row])["guid"]
    return guid, lambda: shop.partners.books.add_unit("låda", "Låda")


def _currency(shop: Workshop) -> tuple[str, Callable[[], Any]]:
    row = Row("hours", 10, 95, article="100", vat=0)
    guid = shop.partners.severa.add_invoice(1004, [3003], [row], currency="CHF")["guid"]
    return guid, lambda: shop.partners.books.add_currency("CHF", "11.9")


def _cost_center(shop: Workshop) -> tuple[str, Callable[[], Any]]:
    shop.connect(cost_centers={"from": "row", "map": {"10": "UMEA"}})
    row = Row("hours", 1, 1100, article="100", cost_center="10")
    guid = shop.partners.severa.add_invoice(1001, [3001], [row])["guid"]
    return guid, lambda: shop.partners.books.add_cost_center("UMEA", "Umeå")


def _lock(shop: Workshop) -> tuple[str, Callable[[], Any]]:
    shop.partners.books.lock_period("2090-12-31")
    return shop.partners.severa.add_simple_invoice()[
        "guid"
    ], lambda: shop.partners.books.lock_period(None)


@pytest.mark.parametrize("missing", [_unit, _currency, _cost_center, _lock])
def test_what_was_missing_in_fortnox_is_noticed_when_it_is_there(
    polled: Workshop, missing: Callable[[Workshop], tuple[str, Callable[[], Any]]]
) -> None:
    guid, mend = missing(polled)
    polled.partners.severa.set_status(guid, TRANSFER)
    rounds(polled, 3)
    assert polled.outcome("invoice", guid)[0] == "blocked"
    mend()
    rounds(polled)
    assert status(polled, guid) == RECEIVED


def test_a_vat_number_that_is_given_lets_every_invoice_of_the_customer_flow(
    polled: Workshop,
) -> None:
    severa = polled.partners.severa
    number = severa.find("customers", 1001)["vatNumber"]
    severa.change("customers", 1001, vatNumber=None)
    guids = [order(polled), order(polled)]
    rounds(polled, 3)
    assert {polled.outcome("invoice", guid)[0] for guid in guids} == {"blocked"}
    severa.change("customers", 1001, vatNumber=number)
    rounds(polled)
    assert {status(polled, guid) for guid in guids} == {RECEIVED}


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_licence_that_is_bought_again_lets_everything_flow(shop: Workshop) -> None:
    shop.partners.books.lose_licence("invoice")
    guids = [order(shop), order(shop)]
    shop.look_at("invoice", *guids)
    assert {shop.outcome("invoice", guid)[0] for guid in guids} == {"blocked", "queued"}
    assert not shop.partners.books.invoices
    ran = [shop.row("invoice", guid).attempts for guid in guids]
    for _ in range(3):  # Fortnox answers; only what the company does not pay for is refused
        later(shop)
    assert [shop.row("invoice", guid).attempts for guid in guids] == ran
    assert (shop.row("probe", "fortnox").attempts, bool(shop.connection().stopped)) == (3, True)
    shop.partners.books.regain_licence("invoice")
    later(shop)
    assert {status(shop, guid) for guid in guids} == {RECEIVED}


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_scope_to_write_that_is_lost_is_tried_without_writing(shop: Workshop) -> None:
    guid, severa = order(shop), shop.partners.severa
    body = json.dumps({"error": {"type": "InsufficientApiScope", "details": []}})
    severa.chaos.faults.append(
        Fault("refuse", "/v1/invoices/", "PATCH", None, status=403, body=body)
    )
    shop.look_at("invoice", guid)
    stopped = shop.connection().stopped
    assert stopped is not None
    assert stopped.facts["at"] == f"PATCH /rest-api/v1/invoices/{guid}"
    later(shop)
    assert (shop.row("invoice", guid).attempts, status(shop, guid)) == (1, TRANSFER)
    severa.chaos.faults.clear()
    later(shop)
    assert (status(shop, guid), shop.connection().stopped) == (RECEIVED, None)
    assert shop.partners.invoices_by_reference() == {f"severa:{guid}": 1}


def later(shop: Workshop) -> None:
    shop.clock.move_on(STOPPED_PROBE_EVERY + timedelta(seconds=1))
    shop.run()


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_preflight_that_sees_the_missing_thing_sets_going_what_waited(shop: Workshop) -> None:
    guid, mend = _unit(shop)
    shop.partners.severa.set_status(guid, TRANSFER)
    shop.look_at("invoice", guid)
    assert shop.outcome("invoice", guid)[0] == "blocked"
    shop.partners.books.add_unit("mån", "månad")
    mend()
    preflight.run(Survey(shop.process.room.sides(shop.connection(), 0)))
    shop.run()
    assert shop.outcome("invoice", guid) == ("done", None)


def test_what_is_mended_before_anybody_had_read_the_register_is_noticed_too(
    polled: Workshop,
) -> None:
    books = polled.partners.books
    year = int(books.today()[:4])
    books.remove_financial_year(year)
    guid = order(polled)
    polled.look_at("invoice", guid)
    books.add_financial_year(f"{year}-01-01", f"{year}-12-31")
    rounds(polled)
    assert status(polled, guid) == RECEIVED


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_what_another_process_sees_mended_is_read_anew_here(shop: Workshop, redis_url: str) -> None:
    """Fortnox has lost the terms of payment that this process has read and still remembers."""
    shop.look_at("invoice", order(shop))
    shop.partners.books.shelves["termsofpayments"].pop("30")
    guid = order(shop)
    shop.look_at("invoice", guid)
    assert shop.outcome("invoice", guid) == ("blocked", "fortnox_terms_missing")
    other = WorkingProcess(shop.hall, "worker", redis_url, lost=lambda: None)
    try:
        shop.hear_of("poll", "fortnox:registers")
        assert other.crank.turn(1) == 1
    finally:
        other.close()
    shop.run()
    assert shop.outcome("invoice", guid) == ("done", None)


def test_without_anything_waiting_no_register_is_read(polled: Workshop) -> None:
    rounds(polled, 2)
    paths = {call.path for call in polled.partners.fortnox.chaos.calls}
    assert not any("financialyears" in path or "units" in path for path in paths)
    assert polled.row("poll", "fortnox:registers").attempts == 2
    assert len(POLLS) == SEVERA_CALLS + FORTNOX_CALLS + 1
