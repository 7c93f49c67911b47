"""Whatever happens to the call that credits: one credit note, or a person who decides."""

from datetime import timedelta

import pytest

from app.sandbox.chaos import Fault, Kind
from app.sandbox.fortnox.options import utc_now
from app.sandbox.severa import RECEIVED, TRANSFER
from tests.journeys.crediting import (
    YESTERDAY,
    booked_original,
    carry,
    creating_calls,
    fail_once,
    invoice,
    note_on,
    numbers,
    planned,
)
from tests.journeys.test_doubt import LATER, settle_down
from tests.journeys.test_invoices import status
from tests.workshop import Workshop


@pytest.mark.parametrize("copies", [False, True])
@pytest.mark.parametrize("kind", ["lose", "break", "mask"])
def test_a_credit_whose_answer_is_lost_is_looked_for_before_anything_is_sent_again(
    shop: Workshop, kind: Kind, copies: bool
) -> None:
    shop.partners.fortnox.options.credit_copies_references = copies
    original = booked_original(shop)
    note = note_on(shop, original, date=YESTERDAY)
    fail_once(shop, kind, status=502, body="<html>")
    carry(shop, note)
    assert shop.outcome("invoice", note)[0] == "waiting"
    calls = creating_calls(shop)
    shop.run()
    assert creating_calls(shop) == calls
    settle_down(shop)
    assert numbers(shop) == ["1", "2"]
    assert shop.partners.invoices_by_reference()[f"severa:{note}"] == 1
    assert invoice(shop, "2")["InvoiceDate"] == YESTERDAY
    assert status(shop, note) == RECEIVED


def test_a_credit_that_comes_late_is_found_and_not_made_again(shop: Workshop) -> None:
    original = booked_original(shop)
    note = note_on(shop, original)
    fail_once(shop, "late", delay=0.5)
    carry(shop, note)
    assert shop.outcome("invoice", note)[0] == "waiting"
    shop.wait_for_books(2)
    settle_down(shop)
    assert numbers(shop) == ["1", "2"]
    assert "found_by_reference" in shop.log("invoice", note)
    assert status(shop, note) == RECEIVED


def test_a_credit_that_reads_do_not_show_yet_is_not_made_again(shop: Workshop) -> None:
    original = booked_original(shop)
    note = note_on(shop, original)
    options = shop.partners.fortnox.options
    options.clock = lambda: utc_now() + timedelta(hours=2)  # the invoice has long been there
    options.show_delay = 3600
    fail_once(shop, "lose")
    carry(shop, note)
    settle_down(shop, rounds=1)
    assert shop.outcome("invoice", note) == ("waiting", "outcome_unknown")
    options.show_delay = 0
    settle_down(shop)
    assert numbers(shop) == ["1", "2"]
    assert status(shop, note) == RECEIVED


def test_a_note_on_an_invoice_that_reads_do_not_show_yet_waits(shop: Workshop) -> None:
    original = booked_original(shop)
    note = note_on(shop, original)
    shop.partners.fortnox.options.show_delay = 3600
    carry(shop, note)
    assert shop.outcome("invoice", note) == ("waiting", "invoice_not_shown_yet")
    assert numbers(shop) == ["1"]
    shop.partners.fortnox.options.show_delay = 0
    settle_down(shop)
    assert numbers(shop) == ["1", "2"]


def test_a_credit_that_was_begun_is_never_tried_the_other_way(shop: Workshop) -> None:
    original = booked_original(shop)
    note = note_on(shop, original)
    fail_once(shop, "lose")
    carry(shop, note)
    row = shop.partners.severa.rows(note)[0]["guid"]
    shop.partners.severa.change_row(row, quantity=-7)  # no longer the whole invoice
    settle_down(shop)
    assert numbers(shop) == ["1", "2"]
    assert creating_calls(shop) == 2


def test_after_two_unknown_outcomes_of_a_credit_a_person_decides(shop: Workshop) -> None:
    original = booked_original(shop)
    note = note_on(shop, original)
    fail_once(shop, "break", times=2)
    carry(shop, note)
    settle_down(shop)
    assert shop.outcome("invoice", note) == ("blocked", "outcome_unknown_twice")
    assert numbers(shop) == ["1"]
    shop.retry("invoice", note)
    settle_down(shop)
    assert numbers(shop) == ["1", "2"]
    assert status(shop, note) == RECEIVED


@pytest.mark.parametrize("status_code", [429, 401])
def test_a_definite_no_to_a_credit_is_tried_again_without_quarantine(
    shop: Workshop, status_code: int
) -> None:
    original = booked_original(shop)
    note = note_on(shop, original)
    fail_once(shop, "refuse", status=status_code)
    carry(shop, note)
    shop.clock.move_on(timedelta(seconds=10))
    shop.run()
    assert status(shop, note) == RECEIVED
    assert numbers(shop) == ["1", "2"]


@pytest.mark.parametrize("kind", ["lose", "break"])
def test_what_follows_the_credit_is_repeated_when_its_answer_is_lost(
    shop: Workshop, kind: Kind
) -> None:
    original = booked_original(shop)
    note = note_on(shop, original, date=YESTERDAY)
    shop.partners.fortnox.chaos.faults.append(Fault(kind, r"/3/invoices/2$", "PUT"))
    carry(shop, note)
    assert shop.outcome("invoice", note)[0] == "waiting"
    settle_down(shop, rounds=2)
    assert numbers(shop) == ["1", "2"]
    assert invoice(shop, "2")["InvoiceDate"] == YESTERDAY
    assert status(shop, note) == RECEIVED


@pytest.mark.parametrize("is_finished", [True, False])
def test_a_restored_database_finds_the_credit_note_it_has_forgotten(
    shop: Workshop, is_finished: bool
) -> None:
    original = booked_original(shop)
    note = note_on(shop, original)
    if not is_finished:
        faults = shop.partners.fortnox.chaos.faults
        faults.append(Fault("break", r"/3/invoices/2$", "PUT"))
    carry(shop, note)
    shop.forget_everything_about("invoice", note)
    shop.clock.move_on(LATER)
    shop.run()
    carry(shop, note)
    assert numbers(shop) == ["1", "2"]
    assert shop.partners.invoices_by_reference()[f"severa:{note}"] == 1
    assert status(shop, note) == RECEIVED


@pytest.mark.parametrize("kind", ["lose", "break", "mask", "late"])
def test_a_note_of_its_own_is_made_once_too(shop: Workshop, kind: Kind) -> None:
    original = booked_original(shop)
    note = note_on(shop, original, 4)
    fault = Fault(kind, "/3/invoices$", "POST", status=502, delay=0.3)
    shop.partners.fortnox.chaos.faults.append(fault)
    carry(shop, note)
    assert shop.outcome("invoice", note)[0] == "waiting"
    if kind == "late":
        shop.wait_for_books(2)
    settle_down(shop)
    assert shop.partners.invoices_by_reference()[f"severa:{note}"] == 1
    assert invoice(shop, "1")["CreditInvoiceReference"] == "0"
    assert status(shop, note) == RECEIVED


def test_a_dry_run_of_a_note_tells_its_writes_and_sends_none(shop: Workshop) -> None:
    original = booked_original(shop)
    note = note_on(shop, original)
    shop.partners.severa.set_status(note, TRANSFER)
    writes = shop.partners.writes()
    assert planned(shop, note) == ["create_invoice", "update_invoice", "move_invoice"]
    assert shop.partners.writes() == writes
