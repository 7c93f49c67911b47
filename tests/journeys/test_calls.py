"""How many calls an invoice and its payment take: exact counts, where all they need is known."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from app import models
from app.sandbox.severa import PAID, RECEIVED
from tests.bench.calls import counted, order
from tests.workshop import Workshop

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)

MANY = 50
LATER = timedelta(minutes=3)


@pytest.fixture
def warm(shop: Workshop) -> Workshop:
    """Customer, article and project are known, and one invoice was made some minutes ago."""
    shop.partners.fortnox.options.clock = shop.clock
    shop.look_at("invoice", *order(shop, 1))
    shop.clock.move_on(LATER)
    return shop


def statuses(shop: Workshop, guids: list[str]) -> set[str]:
    return {shop.partners.severa.find("invoices", guid)["status"]["guid"] for guid in guids}


def test_fifty_invoices_take_one_call_each_in_fortnox_and_two_in_severa(warm: Workshop) -> None:
    guids = order(warm, MANY)
    counted(warm)
    warm.look_at("invoice", *guids)
    fortnox, severa = counted(warm)
    assert set(warm.partners.invoices_by_reference().values()) == {1}
    assert statuses(warm, guids) == {RECEIVED}
    assert (fortnox / MANY <= 1.1, severa / MANY <= 2.1) == (True, True), (fortnox, severa)
    with warm.hall.db.reading() as tx:
        assert tx.execute(select(models.looks.c.strangers)).scalar_one() == []


def test_twenty_payments_take_one_call_each_on_either_side(warm: Workshop) -> None:
    guids = order(warm, 20)
    warm.look_at("invoice", *guids)
    books = warm.partners.books
    numbers = [warm.row("invoice", guid).target_id for guid in guids]
    for number in numbers:
        books.book(number)
        books.pay(number)
    counted(warm)
    warm.look_at("payment", *numbers)
    fortnox, severa = counted(warm)
    assert statuses(warm, guids) == {PAID}
    assert (fortnox, severa) == (20, 22)  # the first by itself, the others read in one


def test_what_is_told_of_after_it_was_read_ahead_is_read_anew(warm: Workshop) -> None:
    """A person changes the note of one of them while the others go through."""
    guids = order(warm, 12)
    warm.hear_of("invoice", *guids)
    warm.process.crank.turn(3)
    last = next(guid for guid in guids if warm.row("invoice", guid).state == "queued")
    warm.partners.severa.change_invoice(last, yourReference="Bo Ek")
    warm.hear_of("invoice", last)
    warm.run()
    made = warm.partners.books.invoices[warm.row("invoice", last).target_id]
    assert made["YourReference"] == "Bo Ek"
