"""Customer invoices in the Fortnox sandbox: amounts, changes, booking and sending."""

import pytest

from tests.sandbox.fortnox_client import REFERENCE, company


def test_an_invoice_comes_back_whole_with_rounding_and_a_bank_reference():
    with company() as c:
        rows = [
            {"ArticleNumber": "100", "DeliveredQuantity": "12.50", "Price": 1250, "VAT": 25},
            {"ArticleNumber": "100", "DeliveredQuantity": "3", "Price": 150},
            {"Description": "Enligt avtal"},
        ]
        answer = c.http.post(
            "/3/invoices",
            json={
                "Invoice": {
                    "CustomerNumber": "10",
                    "DocumentNumber": "1027",
                    "InvoiceDate": "2026-11-03",
                    "Project": "P1",
                    "ExternalInvoiceReference1": REFERENCE,
                    "InvoiceRows": rows,
                }
            },
        )
        assert answer.status_code == 201
        assert answer.headers["location"] == "invoices"
        invoice = answer.json()["Invoice"]
    assert (invoice["Net"], invoice["TotalVAT"], invoice["RoundOff"]) == (16075, 4018.75, 0.25)
    assert invoice["Total"] == invoice["Balance"] == invoice["TotalToPay"] == 20094
    assert (invoice["OCR"], invoice["DueDate"]) == ("102764", "2026-12-03")
    assert (invoice["Credit"], invoice["CreditInvoiceReference"]) == ("false", "0")
    assert [row["DeliveredQuantity"] for row in invoice["InvoiceRows"]] == ["12.50", "3", "0"]
    assert [row["VAT"] for row in invoice["InvoiceRows"]] == [25, 25, 0]
    assert [row["Project"] for row in invoice["InvoiceRows"]] == ["P1", "P1", "P1"]
    assert invoice["InvoiceRows"][0]["AccountNumber"] == 3041


def test_text_goes_out_as_ascii_with_escaped_slashes():
    with company() as c:
        c.invoice()
        raw = c.http.get("/3/invoices/1").text
    assert '"@url":"https:\\/\\/api.fortnox.se\\/3\\/invoices\\/1"' in raw
    assert raw.isascii()


@pytest.mark.parametrize(("sent", "kept"), [("1.123", "1.12"), ("1.125", "1.13"), ("3", "3")])
def test_quantities_and_prices_are_rounded_half_up_to_two_decimals(sent, kept):
    with company() as c:
        row = {"ArticleNumber": "100", "DeliveredQuantity": sent, "Price": float(sent)}
        found = c.invoice(InvoiceRows=[row])["InvoiceRows"][0]
    assert (found["DeliveredQuantity"], found["Price"]) == (kept, float(kept))


def test_quantities_lose_trailing_zeros_under_the_other_reading():
    with company(trim_quantities=True) as c:
        row = {"ArticleNumber": "100", "DeliveredQuantity": "12.50", "Price": 1}
        assert c.invoice(InvoiceRows=[row])["InvoiceRows"][0]["DeliveredQuantity"] == "12.5"


def test_without_roundoff_the_total_keeps_its_ore():
    with company(roundoff=False) as c:
        row = {"ArticleNumber": "100", "DeliveredQuantity": "1", "Price": 10.5}
        invoice = c.invoice(InvoiceRows=[row])
    assert (invoice["Total"], invoice["RoundOff"]) == (13.13, 0)


@pytest.mark.parametrize(("rounding", "vat"), [("rate", 0.78), ("row", 0.78 + 0.03)])
def test_vat_is_rounded_per_rate_or_per_row(rounding, vat):
    with company(vat_rounding=rounding, roundoff=False) as c:
        rows = [{"ArticleNumber": "100", "DeliveredQuantity": "1", "Price": 1.05}] * 3
        vat = {"rate": 0.79, "row": 0.78}[rounding]
        assert c.invoice(InvoiceRows=rows)["TotalVAT"] == vat


def test_foreign_currency_takes_its_rate_from_the_register_and_is_not_rounded():
    with company() as c:
        c.tenant.add_currency("EUR", "11.25")
        row = {"ArticleNumber": "100", "DeliveredQuantity": "1", "Price": 10.5, "VAT": 0}
        invoice = c.invoice(Currency="EUR", InvoiceRows=[row])
        assert (invoice["CurrencyRate"], invoice["Total"], invoice["RoundOff"]) == (11.25, 10.5, 0)
        c.put("/3/invoices/1/bookkeep")
        listed = c.get("/3/invoices")["Invoices"][0]
        voucher = c.get("/3/vouchers/B/1")["Voucher"]
    assert listed["CurrencyRate"] == "11.25"
    assert voucher["VoucherRows"][0]["Debit"] == 118.13


def test_reverse_charge_customers_pay_no_vat():
    with company() as c:
        c.tenant.add_customer(CustomerNumber="20", VATType="EUREVERSEDVAT", VATNumber="DE123456789")
        invoice = c.invoice(CustomerNumber="20")
    assert (invoice["TotalVAT"], invoice["InvoiceRows"][0]["VAT"]) == (0, 0)


def test_prices_with_vat_included_and_a_discount():
    with company() as c:
        row = {"ArticleNumber": "100", "DeliveredQuantity": "2", "Price": 125, "Discount": 10}
        invoice = c.invoice(VATIncluded=True, InvoiceRows=[row])
    assert (invoice["Net"], invoice["TotalVAT"], invoice["Total"]) == (180, 45, 225)
    assert invoice["InvoiceRows"][0]["PriceExcludingVAT"] == 100


def test_an_update_is_a_patch_where_nothing_clears_but_the_magic_word():
    with company() as c:
        c.invoice(Comments="ett", YourReference="Per", Remarks="kvar")
        c.put("/3/invoices/1", {"Invoice": {"Comments": "", "YourReference": "API_BLANK"}})
        invoice = c.get("/3/invoices/1")["Invoice"]
    assert (invoice["Comments"], invoice["YourReference"]) == ("ett", "")
    assert invoice["Remarks"] == "kvar"


def rows_of(c):
    return [
        (row["RowId"], row["Price"]) for row in c.get("/3/invoices/1")["Invoice"]["InvoiceRows"]
    ]


def test_rows_without_ids_are_matched_by_position_and_get_new_ids():
    with company() as c:
        row = {"ArticleNumber": "100", "DeliveredQuantity": "1"}
        c.invoice(InvoiceRows=[row | {"Price": 1, "Discount": 5}, row | {"Price": 2}])
        before = rows_of(c)
        found = c.put("/3/invoices/1", {"Invoice": {"InvoiceRows": [{"Price": 7}]}})["Invoice"]
        assert [row["Price"] for row in found["InvoiceRows"]] == [7]
        assert found["InvoiceRows"][0]["Discount"] == 5
        assert {each for each, _ in rows_of(c)}.isdisjoint(each for each, _ in before)


def test_rows_with_ids_are_kept_changed_added_and_removed():
    with company() as c:
        row = {"ArticleNumber": "100", "DeliveredQuantity": "1"}
        c.invoice(InvoiceRows=[row | {"Price": price} for price in (1, 2, 3)])
        first, second, _ = (each for each, _ in rows_of(c))
        asked = [{"RowId": first}, {"RowId": second, "Price": 20}, row | {"Price": 4}]
        c.put("/3/invoices/1", {"Invoice": {"InvoiceRows": asked}})
        assert [price for _, price in rows_of(c)] == [1, 20, 4]


def test_booking_writes_a_balanced_voucher_in_series_b_and_tells_twice():
    with company() as c:
        c.invoice(Project="P1", CostCenter="STH", InvoiceDate="2026-11-03")
        invoice = c.put("/3/invoices/1/bookkeep")["Invoice"]
        assert (invoice["Booked"], invoice["VoucherSeries"], invoice["VoucherNumber"]) == (
            True,
            "B",
            1,
        )
        year = invoice["VoucherYear"]
        voucher = c.get("/3/vouchers/B/1", financialyear=year)["Voucher"]
        rows = voucher["VoucherRows"]
        assert sum(row["Debit"] for row in rows) == sum(row["Credit"] for row in rows) == 125
        assert (voucher["ReferenceType"], voucher["ReferenceNumber"]) == ("INVOICE", "1")
        assert [(row["Account"], row["Project"], row["CostCenter"]) for row in rows][:2] == [
            (1510, "", ""),
            (3041, "P1", "STH"),
        ]
        assert c.kinds("invoices")[-2:] == ["invoice-updated-v1", "invoice-bookkeep-v1"]
        assert c.kinds("vouchers") == ["voucher-created-v1"]


def test_an_invoice_of_nothing_is_paid_when_booked():
    with company() as c:
        c.invoice(InvoiceRows=[], InvoiceDate="2026-11-03")
        assert c.put("/3/invoices/1/bookkeep")["Invoice"]["FinalPayDate"] == "2026-11-03"


def test_cancelling_zeroes_the_balance_and_keeps_the_invoice():
    with company() as c:
        c.invoice()
        invoice = c.put("/3/invoices/1/cancel")["Invoice"]
        assert (invoice["Cancelled"], invoice["Balance"], invoice["Total"]) == (True, 0, 125)
        assert c.kinds("invoices")[-1] == "invoice-cancelled-v1"


def test_sending_works_after_booking_and_a_preview_changes_nothing():
    with company() as c:
        c.invoice()
        c.tenant.book(1)
        assert c.http.get("/3/invoices/1/preview").content.startswith(b"%PDF")
        assert c.get("/3/invoices/1")["Invoice"]["Sent"] is False
        assert c.put("/3/invoices/1/externalprint")["Invoice"]["Sent"] is True
        wrong = c.http.get("/3/invoices/1/preview", headers={"Accept": "application/pdf"})
        assert wrong.json()["ErrorInformation"]["code"] == 1000030
