"""An invoice cancelled in Fortnox is made anew when somebody wants that, and never by itself."""

import pytest

from app.sandbox.chaos import Fault
from app.sandbox.severa import DRAFT, ERROR, RECEIVED, TRANSFER
from tests.journeys.crediting import planned
from tests.journeys.test_doubt import LATER, fail_once, settle_down
from tests.journeys.test_error_status import STATUSES
from tests.journeys.test_invoices import order, status
from tests.workshop import Workshop

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
CANCELLED = ("blocked", "cancelled_by_person")


def numbers(shop: Workshop) -> list[str]:
    return list(shop.partners.books.invoices)


def lose_sight_and_cancel(shop: Workshop, guid: str) -> None:
    """The answer is lost; before the invoice is found, a person has cancelled it."""
    fail_once(shop, "lose")
    shop.look_at("invoice", guid)
    shop.partners.books.cancel(numbers(shop)[-1])
    settle_down(shop, rounds=1)


def test_one_cancelled_before_it_was_found_is_made_anew_at_a_persons_word_each_time(
    shop: Workshop,
) -> None:
    guid = order(shop)
    lose_sight_and_cancel(shop, guid)
    for _ in range(2):  # events are nobody's word
        assert (shop.outcome("invoice", guid), status(shop, guid)) == (CANCELLED, TRANSFER)
        shop.look_at("invoice", guid)
    assert (planned(shop, guid), numbers(shop)) == (["create_invoice", "move_invoice"], ["1"])
    shop.retry("invoice", guid)
    assert (numbers(shop), status(shop, guid)) == (["1", "2"], RECEIVED)
    assert shop.partners.invoices_by_reference() == {f"severa:{guid}": 1}
    shop.partners.books.cancel("2")
    shop.partners.severa.set_status(guid, TRANSFER)
    lose_sight_and_cancel(shop, guid)  # the third, which is made because of the second
    shop.look_at("invoice", guid)
    assert (shop.outcome("invoice", guid), numbers(shop)) == (CANCELLED, ["1", "2", "3"])
    shop.retry("invoice", guid)
    assert (numbers(shop), status(shop, guid)) == (["1", "2", "3", "4"], RECEIVED)


def test_one_cancelled_before_it_was_moved_is_made_anew_when_it_is_moved_away_and_back(
    shop: Workshop,
) -> None:
    guid = order(shop)
    shop.partners.severa.chaos.faults.append(Fault("refuse", "/invoices", "PATCH", status=503))
    shop.look_at("invoice", guid)
    shop.partners.books.cancel("1")
    settle_down(shop, rounds=1)
    assert (shop.outcome("invoice", guid), numbers(shop)) == (CANCELLED, ["1"])
    shop.partners.severa.set_status(guid, DRAFT)
    shop.look_at("invoice", guid)
    shop.partners.severa.set_status(guid, TRANSFER)
    shop.look_at("invoice", guid)
    assert (numbers(shop), status(shop, guid)) == (["1", "2"], RECEIVED)
    assert "left_transfer_status" in shop.log("invoice", guid)


def test_one_shown_in_the_error_status_is_made_anew_when_it_is_put_back_from_there(
    shop: Workshop,
) -> None:
    shop.connect(invoice_statuses=STATUSES)
    guid = order(shop)
    lose_sight_and_cancel(shop, guid)
    assert (shop.outcome("invoice", guid), status(shop, guid)) == (CANCELLED, ERROR)
    shop.partners.severa.set_status(guid, TRANSFER)
    shop.look_at("invoice", guid)  # within a minute it may be an old look of ours
    assert (numbers(shop), status(shop, guid)) == (["1"], ERROR)
    shop.clock.move_on(LATER)
    shop.partners.severa.set_status(guid, TRANSFER)
    shop.look_at("invoice", guid)
    assert (numbers(shop), status(shop, guid)) == (["1", "2"], RECEIVED)
