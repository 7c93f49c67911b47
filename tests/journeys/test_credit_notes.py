"""Credit notes: one in Fortnox for each in Severa, linked to what it credits where that is safe."""

import json
from itertools import product

import pytest

from app import links
from app.sandbox.chaos import Fault
from app.sandbox.severa import DRAFT, PAID, RECEIVED, TRANSFER, Row
from tests.journeys.crediting import (
    YESTERDAY,
    booked_original,
    carry,
    creating_calls,
    invoice,
    note_on,
    numbers,
)
from tests.journeys.test_invoices import status
from tests.workshop import Workshop

SIGNS = list(product(["quantity", "price"], ["negative", "positive"], ["negative", "positive"]))


@pytest.mark.parametrize(("severa_sign", "quantities", "total"), SIGNS)
def test_a_credit_of_a_whole_booked_invoice_is_linked_to_it_whichever_way_signs_are_shown(
    shop: Workshop, severa_sign: str, quantities: str, total: str
) -> None:
    shop.partners.severa.options.credit_note_sign = severa_sign
    shop.partners.fortnox.options.credit_quantities = quantities
    shop.partners.fortnox.options.credit_total = total
    original = booked_original(shop)
    note = carry(shop, note_on(shop, original, date=YESTERDAY))
    made = invoice(shop, "2")
    assert invoice(shop, "1")["CreditInvoiceReference"] == "2"
    assert (made["InvoiceDate"], abs(made["Net"])) == (YESTERDAY, 11000)
    assert made["ExternalInvoiceReference1"] == f"severa:{note}"
    severa_number = shop.partners.severa.find("invoices", note)["number"]
    assert made["ExternalInvoiceReference2"] == str(severa_number)
    assert made["Remarks"].startswith("Krediterar faktura 1")
    assert shop.outcome("invoice", note) == ("done", None)
    assert status(shop, note) == RECEIVED
    assert shop.log("invoice", note) == ["created_credit_note", "moved_to_received"]
    with shop.hall.db.reading() as tx:
        link = links.of_severa(tx, shop.name, "invoice", note)
    assert link is not None
    assert (link.fortnox_id, link.carried["credits"]) == ("2", "1")
    assert creating_calls(shop) == 2


def test_the_note_and_its_invoice_are_set_off_and_both_become_paid(shop: Workshop) -> None:
    original = booked_original(shop)
    note = carry(shop, note_on(shop, original))
    shop.look_at("payment", "1", "2")
    assert (status(shop, original), status(shop, note)) == (RECEIVED, RECEIVED)
    shop.partners.books.book("2")
    shop.look_at("payment", "1", "2")
    assert [one["Balance"] for one in shop.partners.books.invoices.values()] == [0, 0]
    assert (status(shop, original), status(shop, note)) == (PAID, PAID)


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_note_on_a_partly_paid_invoice_pays_what_remained(shop: Workshop) -> None:
    """What was paid beyond it stands on the note, as owed to the customer."""
    original = booked_original(shop)
    shop.partners.books.pay("1", amount=5000)
    shop.look_at("payment", "1")
    note = carry(shop, note_on(shop, original))
    shop.partners.books.book("2")
    shop.look_at("payment", "1", "2")
    assert [one["Balance"] for one in shop.partners.books.invoices.values()] == [0, -5000]
    assert (status(shop, original), status(shop, note)) == (PAID, RECEIVED)
    assert shop.log("payment", "1") == ["partly_paid", "paid"]


def test_where_fortnox_does_not_set_off_the_invoice_stays_unpaid(shop: Workshop) -> None:
    shop.partners.fortnox.options.credit_sets_off = False
    original = booked_original(shop)
    note = carry(shop, note_on(shop, original))
    shop.partners.books.book("2")
    shop.look_at("payment", "1", "2")
    assert (status(shop, original), status(shop, note)) == (RECEIVED, RECEIVED)


def test_a_note_of_our_own_is_booked_where_invoices_are(shop: Workshop) -> None:
    shop.connect(bookkeep_invoices=True)
    original = carry(shop, shop.partners.severa.add_simple_invoice()["guid"])
    note = carry(shop, note_on(shop, original))
    assert [one["Booked"] for one in shop.partners.books.invoices.values()] == [True, True]
    assert invoice(shop, "1")["Balance"] == 0
    assert status(shop, note) == RECEIVED


@pytest.mark.parametrize("severa_sign", ["quantity", "price"])
@pytest.mark.parametrize("total", ["negative", "positive"])
def test_a_credit_in_part_is_an_invoice_with_negative_quantities_that_names_the_other(
    shop: Workshop, severa_sign: str, total: str
) -> None:
    shop.partners.severa.options.credit_note_sign = severa_sign
    shop.partners.fortnox.options.credit_total = total
    original = booked_original(shop)
    note = carry(shop, note_on(shop, original, 4, date=YESTERDAY))
    made = invoice(shop, "2")
    (row,) = made["InvoiceRows"]
    assert (row["DeliveredQuantity"], row["Price"]) == ("-4", 1100)
    assert (made["InvoiceDate"], abs(made["Net"])) == (YESTERDAY, 4400)
    assert made["Remarks"].startswith("Krediterar faktura 1")
    assert invoice(shop, "1")["CreditInvoiceReference"] == "0"
    assert status(shop, note) == RECEIVED
    assert shop.log("invoice", note) == [
        "created_credit_note",
        "credit_not_linked",
        "moved_to_received",
    ]


def test_a_note_that_fortnox_has_turned_into_an_invoice_is_blocked(shop: Workshop) -> None:
    original = booked_original(shop)
    note = note_on(shop, original, 4)
    wrong = {
        "DocumentNumber": "2",
        "CustomerNumber": "1001",
        "Currency": "SEK",
        "Net": 4400,
        "TotalVAT": 1100,
        "Total": 5500,
        "InvoiceRows": [{"DeliveredQuantity": "4", "Total": 4400}],
    }
    body = json.dumps({"Invoice": wrong})
    fault = Fault("mask", "/3/invoices$", "POST", status=201, body=body)
    shop.partners.fortnox.chaos.faults.append(fault)
    carry(shop, note)
    assert shop.outcome("invoice", note) == ("blocked", "read_back_differs")
    assert status(shop, note) == TRANSFER


def test_several_notes_on_one_invoice_are_one_each(shop: Workshop) -> None:
    original = booked_original(shop)
    notes = [note_on(shop, original, quantity) for quantity in (1, 2, 3)]
    for note in notes:
        shop.partners.severa.set_status(note, TRANSFER)
    shop.look_at("invoice", *notes)
    expected = {f"severa:{guid}": 1 for guid in (original, *notes)}
    assert shop.partners.invoices_by_reference() == expected
    nets = sorted(one["Net"] for one in shop.partners.books.invoices.values())
    assert nets == [-3300, -2200, -1100, 11000]
    assert {status(shop, note) for note in notes} == {RECEIVED}


def test_a_note_on_an_invoice_that_is_not_booked_stands_for_itself_and_says_so(
    shop: Workshop,
) -> None:
    original = carry(shop, shop.partners.severa.add_simple_invoice()["guid"])
    note = carry(shop, note_on(shop, original))
    assert invoice(shop, "2")["Net"] == -11000
    assert status(shop, note) == RECEIVED
    assert "credit_not_linked" in shop.log("invoice", note)


def test_a_note_on_an_invoice_that_was_never_carried_over_is_carried_with_a_warning(
    shop: Workshop,
) -> None:
    original = shop.partners.severa.add_simple_invoice(status=RECEIVED)["guid"]
    note = carry(shop, note_on(shop, original))
    (made,) = shop.partners.books.invoices.values()
    assert (made["Net"], made["ExternalInvoiceReference1"]) == (-11000, f"severa:{note}")
    assert status(shop, note) == RECEIVED
    assert shop.log("invoice", note)[:2] == ["created_credit_note", "credit_original_missing"]


def test_an_invoice_that_waits_to_be_carried_goes_before_its_note(shop: Workshop) -> None:
    original = shop.partners.severa.add_simple_invoice()["guid"]
    shop.partners.severa.set_status(original, TRANSFER)
    note = carry(shop, note_on(shop, original))
    assert [one["Net"] for one in shop.partners.books.invoices.values()] == [11000, -11000]
    assert (status(shop, original), status(shop, note)) == (RECEIVED, RECEIVED)
    assert "credit_original_missing" not in shop.log("invoice", note)


def test_a_note_waits_for_an_invoice_that_is_blocked(shop: Workshop) -> None:
    severa = shop.partners.severa
    shop.partners.books.lock_period("2030-12-31")
    original = carry(shop, severa.add_simple_invoice()["guid"])
    note = carry(shop, note_on(shop, original))
    assert shop.outcome("invoice", note) == ("blocked", "other_record_blocked")
    assert numbers(shop) == []
    shop.partners.books.lock_period(None)
    shop.look_at("invoice", original)
    assert (status(shop, original), status(shop, note)) == (RECEIVED, RECEIVED)


def test_a_note_on_an_invoice_that_was_cancelled_in_fortnox_is_blocked(shop: Workshop) -> None:
    original = carry(shop, shop.partners.severa.add_simple_invoice()["guid"])
    shop.partners.books.cancel("1")
    writes = shop.partners.writes()
    note = carry(shop, note_on(shop, original))
    assert shop.outcome("invoice", note) == ("blocked", "credit_original_cancelled")
    assert shop.partners.writes() == writes
    assert status(shop, note) == TRANSFER


def test_a_note_that_a_person_made_in_fortnox_for_the_whole_invoice_is_the_one(
    shop: Workshop,
) -> None:
    original = booked_original(shop)
    shop.partners.books.credit("1")
    note = carry(shop, note_on(shop, original))
    assert numbers(shop) == ["1", "2"]
    assert invoice(shop, "2")["ExternalInvoiceReference1"] == f"severa:{note}"
    assert status(shop, note) == RECEIVED


def test_a_note_that_a_person_made_and_booked_is_left_alone_and_said_to_be_there(
    shop: Workshop,
) -> None:
    original = booked_original(shop)
    shop.partners.books.credit("1")
    shop.partners.books.book("2")
    note = carry(shop, note_on(shop, original))
    assert shop.outcome("invoice", note) == ("blocked", "already_booked")
    assert numbers(shop) == ["1", "2"]
    assert status(shop, note) == TRANSFER


def test_credits_that_together_exceed_the_invoice_are_blocked(shop: Workshop) -> None:
    original = booked_original(shop)
    shop.partners.books.credit("1")
    writes = shop.partners.writes()
    note = carry(shop, note_on(shop, original, 4))
    assert shop.outcome("invoice", note) == ("blocked", "credited_by_hand")
    assert shop.row("invoice", note).reason["facts"] == {"number": "1", "note": "2"}
    assert shop.partners.writes() == writes
    assert numbers(shop) == ["1", "2"]


def test_a_note_that_severa_numbers_keeps_its_number(shop: Workshop) -> None:
    shop.connect(invoice_numbering="severa")
    original = carry(shop, shop.partners.severa.add_simple_invoice()["guid"])
    number = str(shop.partners.severa.find("invoices", original)["number"])
    shop.partners.books.book(number)
    note = carry(shop, note_on(shop, original))
    assert numbers(shop) == [number, str(shop.partners.severa.find("invoices", note)["number"])]
    assert status(shop, note) == RECEIVED


def test_seeing_a_note_again_writes_nothing(shop: Workshop) -> None:
    original = booked_original(shop)
    notes = [carry(shop, note_on(shop, original)), carry(shop, note_on(shop, original, 1))]
    writes = shop.partners.writes()
    for _ in range(3):
        shop.look_at("invoice", *notes)
    assert shop.partners.writes() == writes


@pytest.mark.parametrize("quantities", ["negative", "positive"])
def test_an_unbooked_note_that_is_transferred_again_is_updated_in_place(
    shop: Workshop, quantities: str
) -> None:
    shop.partners.fortnox.options.credit_quantities = quantities
    original = booked_original(shop)
    note = carry(shop, note_on(shop, original))
    severa = shop.partners.severa
    severa.set_status(note, DRAFT)
    severa.change_row(severa.rows(note)[0]["guid"], quantity=-7.5)
    carry(shop, note)
    assert numbers(shop) == ["1", "2"]
    assert invoice(shop, "2")["Net"] == -8250
    assert status(shop, note) == RECEIVED


def test_a_note_cancelled_in_fortnox_is_made_anew_when_transferred_again(shop: Workshop) -> None:
    original = booked_original(shop)
    note = carry(shop, note_on(shop, original))
    shop.partners.books.cancel("2")
    carry(shop, note)
    assert numbers(shop) == ["1", "2", "3"]
    assert shop.partners.invoices_by_reference()[f"severa:{note}"] == 1
    assert status(shop, note) == RECEIVED


@pytest.mark.parametrize("severa_sign", ["quantity", "price"])
def test_credited_work_of_several_codes_is_split_by_the_codes_of_the_registers(
    shop: Workshop, severa_sign: str
) -> None:
    severa = shop.partners.severa
    severa.options.credit_note_sign = severa_sign
    rows = [Row("hours", 6, 1100, article="100"), Row("hours", 4, 1100, article="110")]
    original = severa.add_invoice(1001, [3001], rows)["guid"]
    carry(shop, original)
    note = note_on(shop, original)
    first, second = severa.rows(note)
    grouped = {"quantity": first["quantity"] + second["quantity"]}
    if severa_sign == "price":
        grouped = {"quantity": 10}
    first["code"] = ["100", "110"]
    severa.change_row(first["guid"], **grouped)
    severa.change_row(second["guid"], quantity=0)
    for item in severa.world.all("reimbursedworkhours", note):
        item["invoiceRowGuid"] = first["guid"]
    carry(shop, note)
    made = invoice(shop, "2")
    split = [
        (row["ArticleNumber"], row["DeliveredQuantity"])
        for row in made["InvoiceRows"]
        if row["DeliveredQuantity"] not in ("0", "-0")
    ]
    assert split == [("100", "-6"), ("110", "-4")]
    assert "codes_not_split" not in shop.log("invoice", note)
