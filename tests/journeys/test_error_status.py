"""A blocked invoice is shown in Severa's error status, once, and goes on from there when mended."""

import json
from datetime import timedelta

import pytest

from app.sandbox.chaos import Fault
from app.sandbox.fortnox.errors import Refused
from app.sandbox.severa import DRAFT, ERROR, PAID, RECEIVED, TRANSFER
from tests.installation import document
from tests.journeys.test_doubt import settle_down
from tests.journeys.test_invoices import order, status
from tests.workshop import Workshop

STATUSES = document()["invoice_statuses"] | {"error": ERROR}


@pytest.fixture
def shop(shop: Workshop) -> Workshop:
    shop.connect(invoice_statuses=STATUSES)
    return shop


@pytest.fixture
def blocked(shop: Workshop) -> str:
    """An invoice whose period is locked in Fortnox, in the error status."""
    shop.partners.books.lock_period("2030-12-31")
    guid = order(shop)
    shop.look_at("invoice", guid)
    return guid


def moves(shop: Workshop, guid: str) -> int:
    """How often a status was set by us."""
    calls = shop.partners.severa.chaos.calls
    return sum((call.method, call.path.rsplit("/", 1)[-1]) == ("PATCH", guid) for call in calls)


def mend(shop: Workshop) -> None:
    shop.partners.books.lock_period(None)


def test_a_blocked_invoice_is_moved_to_the_error_status_and_keeps_its_reason(
    shop: Workshop, blocked: str
) -> None:
    assert status(shop, blocked) == ERROR
    assert shop.outcome("invoice", blocked) == ("blocked", "fortnox_period_locked")
    assert shop.log("invoice", blocked) == ["moved_to_error"]
    assert moves(shop, blocked) == 1


def test_looking_again_moves_it_no_more(shop: Workshop, blocked: str) -> None:
    for _ in range(3):
        shop.look_at("invoice", blocked)
    assert shop.outcome("invoice", blocked) == ("blocked", "fortnox_period_locked")
    assert (status(shop, blocked), moves(shop, blocked)) == (ERROR, 1)
    assert shop.log("invoice", blocked) == ["moved_to_error"]


def test_it_goes_on_to_received_by_itself_when_the_thing_is_mended(
    shop: Workshop, blocked: str
) -> None:
    mend(shop)
    shop.look_at("invoice", blocked)
    assert status(shop, blocked) == RECEIVED
    assert shop.partners.invoices_by_reference() == {f"severa:{blocked}": 1}
    assert moves(shop, blocked) == 2
    writes = shop.partners.writes()
    shop.look_at("invoice", blocked)
    assert shop.partners.writes() == writes
    assert shop.outcome("invoice", blocked) == ("done", None)


def test_one_that_needs_another_record_is_shown_and_resumes_with_it(shop: Workshop) -> None:
    severa = shop.partners.severa
    customer = severa.find("customers", "Nordbygg AB")["guid"]
    severa.change("customers", 1001, number=None)
    guid = order(shop)
    shop.look_at("invoice", guid)
    assert (status(shop, guid), shop.outcome("invoice", guid)[0]) == (ERROR, "blocked")
    severa.change("customers", customer, number=1001)
    shop.look_at("customer", customer)
    assert status(shop, guid) == RECEIVED


@pytest.mark.parametrize("elsewhere", [DRAFT, PAID])
def test_one_that_a_person_has_moved_elsewhere_is_left_alone(
    shop: Workshop, blocked: str, elsewhere: str
) -> None:
    mend(shop)
    shop.partners.severa.set_status(blocked, elsewhere)
    writes = shop.partners.writes()
    shop.look_at("invoice", blocked)
    assert shop.outcome("invoice", blocked) == ("skipped", "not_in_transfer_status")
    shop.partners.severa.set_status(blocked, ERROR)  # by hand: for a reason of their own
    shop.look_at("invoice", blocked)
    assert shop.outcome("invoice", blocked) == ("skipped", "not_in_transfer_status")
    assert status(shop, blocked) == ERROR
    assert shop.partners.writes() == writes
    assert shop.log("invoice", blocked) == ["moved_to_error", "left_error_status"]


def test_one_that_a_person_puts_back_is_carried_or_shown_again(
    shop: Workshop, blocked: str
) -> None:
    shop.partners.severa.set_status(blocked, TRANSFER)
    shop.look_at("invoice", blocked)
    assert (status(shop, blocked), moves(shop, blocked)) == (ERROR, 2)
    mend(shop)
    shop.partners.severa.set_status(blocked, TRANSFER)
    shop.look_at("invoice", blocked)
    assert status(shop, blocked) == RECEIVED


def test_one_that_a_person_put_into_the_error_status_is_not_ours(shop: Workshop) -> None:
    guid = shop.partners.severa.add_simple_invoice(status=ERROR)["guid"]
    writes = shop.partners.writes()
    shop.look_at("invoice", guid)
    assert shop.outcome("invoice", guid) == ("skipped", "not_in_transfer_status")
    assert shop.partners.writes() == writes


def test_one_that_only_waits_is_not_moved(shop: Workshop) -> None:
    guid = order(shop)
    shop.partners.fortnox.chaos.faults.append(Fault("lose", "/3/invoices$", "POST"))
    shop.look_at("invoice", guid)
    assert shop.outcome("invoice", guid)[0] == "waiting"
    assert (status(shop, guid), moves(shop, guid)) == (TRANSFER, 0)
    settle_down(shop)
    assert (status(shop, guid), moves(shop, guid)) == (RECEIVED, 1)


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_one_that_stays_in_use_in_fortnox_for_an_hour_is_shown_too(shop: Workshop) -> None:
    guid, body = order(shop), json.dumps(Refused(2000310, "Posten används").body())
    in_use = Fault("refuse", "/3/invoices$", "POST", status=400, body=body, times=None)
    shop.partners.fortnox.chaos.faults.append(in_use)
    shop.look_at("invoice", guid)
    assert (shop.outcome("invoice", guid)[0], status(shop, guid)) == ("waiting", TRANSFER)
    for _ in range(2):
        shop.clock.move_on(timedelta(minutes=31))
        shop.run()
    assert shop.outcome("invoice", guid) == ("blocked", "fortnox_record_held")
    assert (status(shop, guid), moves(shop, guid)) == (ERROR, 1)
    in_use.times = 0
    shop.retry("invoice", guid)
    assert (status(shop, guid), moves(shop, guid)) == (RECEIVED, 2)


def test_a_connection_that_is_stopped_moves_no_invoice(shop: Workshop) -> None:
    guids = [order(shop) for _ in range(3)]
    access = {"client_id": "demo-client", "client_secret": "wrong", "tenant_id": "654896"}
    shop.connect(fortnox=access, invoice_statuses=STATUSES)
    shop.look_at("invoice", *guids)
    assert shop.connection().stopped is not None
    assert {status(shop, guid) for guid in guids} == {TRANSFER}
    assert sum(moves(shop, guid) for guid in guids) == 0


def test_without_an_error_status_nothing_is_moved(shop: Workshop) -> None:
    shop.connect()
    shop.partners.books.lock_period("2030-12-31")
    guid = order(shop)
    shop.look_at("invoice", guid)
    assert shop.outcome("invoice", guid)[0] == "blocked"
    assert (status(shop, guid), moves(shop, guid)) == (TRANSFER, 0)


def test_an_error_status_that_is_out_of_use_is_tried_once_and_hides_no_reason(
    shop: Workshop,
) -> None:
    shop.partners.severa.change("invoicestatuses", ERROR, isActive=False)
    shop.partners.books.lock_period("2030-12-31")
    guid = order(shop)
    for _ in range(3):
        shop.look_at("invoice", guid)
    assert shop.outcome("invoice", guid) == ("blocked", "fortnox_period_locked")
    assert (status(shop, guid), moves(shop, guid)) == (TRANSFER, 2)  # in either form of its path
    assert shop.log("invoice", guid) == ["error_status_refused"]
    mend(shop)
    shop.look_at("invoice", guid)
    assert status(shop, guid) == RECEIVED


@pytest.mark.parametrize("kind", ["lose", "break"])
def test_a_move_whose_answer_is_lost_is_ours_whether_it_happened_or_not(
    shop: Workshop, kind: str
) -> None:
    shop.partners.books.lock_period("2030-12-31")
    guid = order(shop)
    fault = Fault(kind, f"/invoices/{guid}$", "PATCH")  # type: ignore[arg-type]
    shop.partners.severa.chaos.faults.append(fault)
    shop.look_at("invoice", guid)
    assert shop.outcome("invoice", guid)[0] == "waiting"
    settle_down(shop, rounds=2)
    assert shop.outcome("invoice", guid) == ("blocked", "fortnox_period_locked")
    assert status(shop, guid) == ERROR
    mend(shop)
    shop.look_at("invoice", guid)
    assert status(shop, guid) == RECEIVED


def test_a_booked_invoice_that_is_transferred_again_is_shown_too(shop: Workshop) -> None:
    guid = order(shop)
    shop.look_at("invoice", guid)
    shop.partners.books.book("1")
    shop.partners.severa.set_status(guid, TRANSFER)
    shop.look_at("invoice", guid)
    assert shop.outcome("invoice", guid) == ("blocked", "already_booked")
    assert status(shop, guid) == ERROR
    shop.partners.severa.set_status(guid, RECEIVED)  # as the next step advises
    shop.look_at("invoice", guid)
    assert shop.outcome("invoice", guid) == ("done", None)
    assert status(shop, guid) == RECEIVED


def test_paid_comes_through_from_the_error_status(shop: Workshop) -> None:
    guid = order(shop)
    shop.look_at("invoice", guid)
    shop.partners.books.book("1")
    shop.partners.severa.set_status(guid, TRANSFER)
    shop.look_at("invoice", guid)
    shop.partners.books.pay("1")
    shop.look_at("payment", "1")
    assert status(shop, guid) == PAID
    shop.look_at("invoice", guid)
    assert status(shop, guid) == PAID
