"""Credit notes in the Fortnox sandbox, under both readings of what the documents leave open."""

import pytest

from app.sandbox.fortnox import errors
from tests.sandbox.fortnox_client import company


def credited(c):
    c.invoice(ExternalInvoiceReference1="severa:1")
    c.tenant.book(1)
    original = c.put("/3/invoices/1/credit")["Invoice"]
    return original, c.get(f"/3/invoices/{original['CreditInvoiceReference']}")["Invoice"]


def test_crediting_answers_the_original_which_names_an_unbooked_note():
    with company() as c:
        original, note = credited(c)
    assert (original["DocumentNumber"], original["CreditInvoiceReference"]) == ("1", "2")
    assert (note["Credit"], note["Total"], note["Booked"]) == ("true", -125, False)
    assert note["CreditInvoiceReference"] == "1"
    assert note["InvoiceRows"][0]["DeliveredQuantity"] == "-1"
    assert note["ExternalInvoiceReference1"] == ""


def test_booking_the_note_settles_both():
    with company() as c:
        credited(c)
        note = c.put("/3/invoices/2/bookkeep")["Invoice"]
        original = c.get("/3/invoices/1")["Invoice"]
    assert (note["Balance"], original["Balance"]) == (0, 0)
    assert original["FinalPayDate"] == note["InvoiceDate"] == note["FinalPayDate"]


def test_a_partial_credit_leaves_the_rest_to_be_paid():
    with company() as c:
        _, note = credited(c)
        row = {"RowId": note["InvoiceRows"][0]["RowId"], "Price": 40}
        changed = c.put("/3/invoices/2", {"Invoice": {"InvoiceRows": [row]}})["Invoice"]
        assert changed["Total"] == -50
        c.put("/3/invoices/2/bookkeep")
        original = c.get("/3/invoices/1")["Invoice"]
    assert (original["Balance"], original["FinalPayDate"]) == (75, None)


def test_an_invoice_is_credited_once_and_only_when_booked():
    with company() as c:
        c.invoice()
        assert c.refused("PUT", "/3/invoices/1/credit") == errors.NOT_BOOKED
        c.tenant.book(1)
        c.put("/3/invoices/1/credit")
        assert c.refused("PUT", "/3/invoices/1/credit") == errors.ALREADY_CREDITED
        assert len(c.tenant.invoices) == 2


def test_further_credits_are_invoices_with_negative_quantities():
    with company() as c:
        row = {"ArticleNumber": "100", "DeliveredQuantity": "-1", "Price": 100}
        note = c.invoice(InvoiceRows=[row])
        assert (note["Total"], note["Credit"]) == (-125, "true")
        c.tenant.book(1)
        assert c.tenant.invoices["1"]["Balance"] == -125


@pytest.mark.parametrize(
    ("options", "total", "quantity"),
    [
        ({"credit_total": "positive"}, 125, "-1"),
        ({"credit_quantities": "positive"}, -125, "1"),
        ({"credit_total": "positive", "credit_quantities": "positive"}, 125, "1"),
    ],
)
def test_signs_under_the_other_readings_book_the_same(options, total, quantity):
    with company(**options) as c:
        _, note = credited(c)
        assert (note["Total"], note["Credit"]) == (total, "true")
        assert note["InvoiceRows"][0]["DeliveredQuantity"] == quantity
        c.put("/3/invoices/2/bookkeep")
        voucher = c.tenant.vouchers["3:B:2"]
        assert c.tenant.invoices["1"]["Balance"] == c.tenant.invoices["2"]["Balance"] == 0
    assert (voucher["VoucherRows"][0]["Account"], voucher["VoucherRows"][0]["Credit"]) == (
        1510,
        125,
    )


def test_a_note_may_be_silent_about_its_origin_and_leave_balances_alone():
    options = {
        "credit_marks_note": False,
        "credit_refers_back": False,
        "credit_sets_off": False,
        "credit_copies_references": True,
    }
    with company(**options) as c:
        _, note = credited(c)
        assert (note["Credit"], note["CreditInvoiceReference"]) == ("false", "0")
        assert note["ExternalInvoiceReference1"] == "severa:1"
        c.tenant.book(2)
        assert [each["Balance"] for each in c.tenant.invoices.values()] == [125, -125]
