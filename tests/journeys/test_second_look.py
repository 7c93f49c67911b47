"""An event that comes before the state it tells of: looked at again, and only where needed."""

import json
from datetime import timedelta

import pytest

from app import inbox
from app.fortnox import webhook
from app.inbox import Heard
from app.sandbox.severa import PAID, RECEIVED, TRANSFER
from app.sync import wants
from app.worklist import Want
from tests.installation import until
from tests.workshop import Workshop

SQLITE = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


def hear_of_fortnox(shop: Workshop, since: int) -> None:
    """Everything that happened there from this event on, as the listener would keep it."""
    heard = []
    for event in list(shop.partners.fortnox.events)[since:]:
        told = webhook.read(event)
        follows = wants.of_fortnox(shop.name, told)
        if event["topic"] in wants.topics():
            body = json.dumps(event).encode()
            heard.append(
                Heard(
                    shop.name, "fortnox", "listener", told.identity, body, told.type, follows.want
                )
            )
    with shop.hall.db.transaction() as tx:
        inbox.receive(tx, heard, shop.clock())


def hear_of_severa(shop: Workshop, guid: str, identity: str = "1") -> None:
    want = Want(shop.name, "invoice", guid)
    heard = Heard(shop.name, "severa", "webhook", identity, b"{}", "invoice.status_changed", want)
    with shop.hall.db.transaction() as tx:
        inbox.receive(tx, [heard], shop.clock())


def so_far(shop: Workshop) -> int:
    return len(shop.partners.fortnox.events)


def calls(shop: Workshop) -> int:
    return len(shop.partners.fortnox.chaos.calls) + len(shop.partners.severa.chaos.calls)


def later(shop: Workshop, seconds: float) -> int:
    """How many runs there are once so many seconds have passed."""
    shop.clock.move_on(timedelta(seconds=seconds))
    return shop.run()


@pytest.fixture
def booked(shop: Workshop) -> tuple[str, str]:
    """The GUID and number of an invoice that was carried over a minute ago; the clocks are one."""
    shop.partners.fortnox.options.clock = shop.clock
    guid = shop.partners.severa.add_simple_invoice()["guid"]
    shop.partners.severa.set_status(guid, TRANSFER)
    shop.look_at("invoice", guid)
    number = shop.row("invoice", guid).target_id
    shop.partners.books.book(number)
    shop.clock.move_on(timedelta(minutes=1))
    return guid, number


def status(shop: Workshop, guid: str) -> str:
    return str(shop.partners.severa.find("invoices", guid)["status"]["guid"])


@pytest.mark.parametrize(("delay", "looks"), [(1.5, 1), (8.0, 2)])
def test_a_payment_that_shows_after_its_event_is_seen_at_the_next_look(
    shop: Workshop, booked: tuple[str, str], delay: float, looks: int
) -> None:
    guid, number = booked
    shop.partners.fortnox.options.show_delay = delay
    since = so_far(shop)
    shop.partners.books.pay(number)
    hear_of_fortnox(shop, since)
    shop.run()
    seen = [status(shop, guid)]
    for wait in (2.1, 8.1):
        later(shop, wait)
        seen.append(status(shop, guid))
    assert seen == [RECEIVED] * looks + [PAID] * (3 - looks)
    assert shop.outcome("payment", number) == ("done", None)
    assert later(shop, 60) == 0


@SQLITE
def test_a_payment_that_was_seen_is_not_looked_at_again(
    shop: Workshop, booked: tuple[str, str]
) -> None:
    guid, number = booked
    since = so_far(shop)
    shop.partners.books.pay(number)
    hear_of_fortnox(shop, since)
    shop.run()
    assert status(shop, guid) == PAID
    before = calls(shop)
    assert (later(shop, 2.1), later(shop, 8.1)) == (0, 0)
    assert calls(shop) == before


@SQLITE
def test_what_does_not_show_within_ten_seconds_is_left_to_the_polls(
    shop: Workshop, booked: tuple[str, str]
) -> None:
    guid, number = booked
    shop.partners.fortnox.options.show_delay = 40
    since = so_far(shop)
    shop.partners.books.pay(number)
    hear_of_fortnox(shop, since)
    shop.run()
    runs = shop.row("payment", number).attempts
    later(shop, 2.1)
    later(shop, 8.1)
    assert shop.row("payment", number).attempts == runs + 2
    assert shop.row("payment", number).due_at is None
    assert later(shop, 600) == 0
    assert status(shop, guid) == RECEIVED


@SQLITE
def test_a_row_that_waits_for_another_look_is_settled_all_the_same(
    shop: Workshop, booked: tuple[str, str]
) -> None:
    _, number = booked
    shop.partners.fortnox.options.show_delay = 40
    since = so_far(shop)
    shop.partners.books.pay(number)
    hear_of_fortnox(shop, since)
    shop.run()
    row = shop.row("payment", number)
    assert (row.state, row.settled_at is None, row.due_at is None) == ("skipped", False, False)


@SQLITE
def test_what_nobody_told_of_is_looked_at_once(shop: Workshop, booked: tuple[str, str]) -> None:
    _, number = booked
    shop.look_at("payment", number)
    assert shop.row("payment", number).due_at is None


@SQLITE
def test_the_echo_of_our_own_write_costs_one_look(shop: Workshop) -> None:
    shop.connect(bookkeep_invoices=True)
    shop.partners.fortnox.options.clock = shop.clock
    guid = shop.partners.severa.add_simple_invoice()["guid"]
    shop.partners.severa.set_status(guid, TRANSFER)
    since = so_far(shop)
    shop.look_at("invoice", guid)
    number = shop.row("invoice", guid).target_id
    hear_of_fortnox(shop, since)
    shop.run()
    assert shop.outcome("payment", number) == ("skipped", "not_paid_yet")
    before = calls(shop)
    later(shop, 2.1)
    later(shop, 8.1)
    assert calls(shop) == before


@SQLITE
def test_a_voucher_that_cannot_be_read_yet_is_read_again(
    shop: Workshop, booked: tuple[str, str]
) -> None:
    guid, number = booked
    shop.partners.fortnox.options.show_delay = 1.5
    since = so_far(shop)
    shop.partners.books.pay(number)
    vouchers = [one for one in shop.partners.fortnox.events[since:] if one["topic"] == "vouchers"]
    shop.partners.fortnox.events[since:] = vouchers
    hear_of_fortnox(shop, since)
    shop.run()
    assert status(shop, guid) == RECEIVED
    later(shop, 2.1)
    assert status(shop, guid) == PAID


@SQLITE
def test_a_status_that_severa_shows_late_is_seen_at_the_next_look(shop: Workshop) -> None:
    guid = shop.partners.severa.add_simple_invoice()["guid"]
    shop.partners.severa.options.show_delay = 3.0
    shop.partners.severa.set_status(guid, TRANSFER)
    hear_of_severa(shop, guid)
    shop.run()
    assert shop.outcome("invoice", guid) == ("skipped", "not_in_transfer_status")
    veil = shop.partners.severa.world.veil
    until("Severa shows the new status", lambda: veil.seen(guid, None) is None)
    shop.partners.severa.options.show_delay = 0
    later(shop, 2.1)
    assert status(shop, guid) == RECEIVED
    hear_of_severa(shop, guid, "2")
    writes = shop.partners.writes()
    shop.run()
    later(shop, 2.1)
    later(shop, 8.1)
    assert shop.partners.writes() == writes


@SQLITE
def test_a_record_that_is_not_there_yet_is_asked_for_again(
    shop: Workshop, booked: tuple[str, str]
) -> None:
    guid, number = booked
    shop.partners.fortnox.options.show_delay = 62
    since = so_far(shop)
    shop.partners.books.pay(number)
    hear_of_fortnox(shop, since)
    shop.run()
    assert shop.outcome("payment", number) == ("waiting", "invoice_not_shown_yet")
    shop.partners.fortnox.options.show_delay = 1
    due = shop.row("payment", number).due_at
    assert due - shop.clock() < timedelta(minutes=1)
    later(shop, (due - shop.clock()).total_seconds() + 0.1)
    assert status(shop, guid) == PAID
