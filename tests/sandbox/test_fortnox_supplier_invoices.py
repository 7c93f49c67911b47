"""Supplier invoices of the Fortnox sandbox: added rows, balance, booking, correction."""

from decimal import Decimal

import pytest

from app.sandbox.fortnox import errors
from tests.sandbox.fortnox_client import company

COST = {"Account": 4600, "Debit": 5000, "Project": "P1", "CostCenter": "STH"}
VAT = {"Account": 2641, "Debit": 1250}


@pytest.fixture
def c():
    with company() as found:
        found.tenant.add_supplier(SupplierNumber="7", Name="Konsult & Co AB")
        yield found


def received(c, **fields):
    payload = {
        "SupplierNumber": "7",
        "InvoiceNumber": "UK-310",
        "InvoiceDate": "2026-10-31",
        "SupplierInvoiceRows": [COST, VAT],
        **fields,
    }
    return c.post("/3/supplierinvoices", {"SupplierInvoice": payload})["SupplierInvoice"]


def test_the_debt_row_is_added_and_header_money_is_text(c):
    invoice = received(c)
    rows = invoice["SupplierInvoiceRows"]
    assert [(row["Code"], row["Account"]) for row in rows] == [
        ("TOT", 2440),
        ("PRE", 4600),
        ("VAT", 2641),
    ]
    assert (rows[0]["Credit"], rows[0]["Total"]) == (6250, -6250)
    assert (invoice["Total"], invoice["VAT"], invoice["Balance"]) == (
        "6250.00",
        "1250.00",
        "6250.00",
    )
    assert (invoice["Booked"], invoice["Vouchers"]) == (False, [])


def test_rows_that_do_not_add_up_are_refused(c):
    payload = {"SupplierNumber": "7", "Total": "6000", "SupplierInvoiceRows": [COST, VAT]}
    assert c.refused("POST", "/3/supplierinvoices", {"SupplierInvoice": payload}) == 2000755
    assert not c.tenant.supplier_invoices


def test_booking_gives_a_voucher_with_the_rows_coding(c):
    received(c)
    invoice = c.put("/3/supplierinvoices/1/bookkeep")["SupplierInvoice"]
    assert invoice["Vouchers"] == [
        {"Number": 1, "ReferenceType": "SUPPLIERINVOICE", "Series": "D", "Year": 3}
    ]
    voucher = c.get("/3/vouchers/D/1", financialyear=3)["Voucher"]
    assert (voucher["ReferenceType"], voucher["ReferenceNumber"]) == ("SUPPLIERINVOICE", "1")
    rows = [(r["Account"], r["Debit"] - r["Credit"], r["Project"]) for r in voucher["VoucherRows"]]
    assert rows == [(2440, -6250, ""), (4600, 5000, "P1"), (2641, 1250, "")]
    assert c.kinds("supplier-invoices") == [
        "supplier-invoice-created-v1",
        "supplier-invoice-updated-v1",
        "supplier-invoice-bookkeep-v1",
    ]
    listed = c.get("/3/supplierinvoices")["SupplierInvoices"][0]
    assert (listed["Cancel"], listed["Booked"]) == (False, True)
    assert "SupplierInvoiceRows" not in listed


def test_a_booked_one_stands_in_the_api_but_a_person_can_correct_it(c):
    received(c)
    c.tenant.book_supplier_invoice(1)
    change = {"SupplierInvoice": {"Comments": "nytt"}}
    assert c.refused("PUT", "/3/supplierinvoices/1", change) == errors.ALREADY_BOOKED
    assert c.refused("PUT", "/3/supplierinvoices/1/cancel") == errors.ALREADY_BOOKED
    c.tenant.change_supplier_invoice(1, SupplierInvoiceRows=[COST | {"Debit": 4000}])
    invoice = c.get("/3/supplierinvoices/1")["SupplierInvoice"]
    assert (invoice["Total"], len(invoice["Vouchers"])) == ("4000.00", 3)
    sums = [row for each in c.tenant.vouchers.values() for row in each["VoucherRows"]]
    cost = sum(row["Debit"] - row["Credit"] for row in sums if row["Account"] == 4600)
    assert cost == 4000


def test_cancelled_and_credited(c):
    received(c)
    received(c)
    c.tenant.book_supplier_invoice(1)
    note = c.tenant.credit_supplier_invoice(1)
    assert (note["Credit"], note["CreditReference"], note["Total"]) == (True, 1, "-6250.00")
    assert c.refused("PUT", "/3/supplierinvoices/1/credit") == errors.ALREADY_CREDITED
    assert c.put("/3/supplierinvoices/2/cancel")["SupplierInvoice"]["Cancelled"] is True
    assert c.kinds("supplier-invoices")[-1] == "supplier-invoice-cancelled-v1"


def test_foreign_invoices_keep_both_amounts(c):
    c.tenant.add_currency("EUR", "11.25")
    row = {"Account": 4600, "DebitCurrency": "99.99", "Project": "P1"}
    invoice = received(c, Currency="EUR", SupplierInvoiceRows=[row])
    cost = invoice["SupplierInvoiceRows"][1]
    assert (cost["DebitCurrency"], cost["Debit"]) == (99.99, 1124.89)
    assert (invoice["Total"], invoice["CurrencyRate"]) == ("99.99", "11.25")
    c.tenant.book_supplier_invoice(1)


def test_reverse_charge_adds_its_two_vat_rows(c):
    invoice = received(c, VATType="EUINTERNAL", SalesType="SERVICE", SupplierInvoiceRows=[COST])
    codes = {row["Code"]: row["Total"] for row in invoice["SupplierInvoiceRows"]}
    assert codes == {"TOT": -5000, "PRE": 5000, "SRD": 1250, "SRC": -1250}


def test_paying_lowers_the_balance(c):
    received(c)
    c.tenant.book_supplier_invoice(1)
    c.tenant.pay_supplier_invoice(1, Decimal(250))
    assert c.tenant.supplier_invoices["1"]["Balance"] == "6000.00"
    c.tenant.pay_supplier_invoice(1)
    listed = c.get("/3/supplierinvoices", filter="fullypaid")["SupplierInvoices"]
    assert [each["GivenNumber"] for each in listed] == ["1"]


@pytest.mark.parametrize(
    ("row", "code"),
    [
        (COST | {"Account": 4999}, 2000423),
        (COST | {"Project": "P9"}, 2001161),
        (COST | {"ArticleNumber": "999"}, 2001302),
        (COST | {"TransactionInformation": "x" * 101}, 2000107),
        (COST | {"Description": "x"}, 2001399),
    ],
)
def test_a_row_is_refused(c, row, code):
    payload = {"SupplierNumber": "7", "SupplierInvoiceRows": [row]}
    assert c.refused("POST", "/3/supplierinvoices", {"SupplierInvoice": payload}) == code
