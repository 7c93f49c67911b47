"""Payments in the Fortnox sandbox: what moves a balance, and what takes it back."""

from app.sandbox.fortnox import errors
from tests.sandbox.fortnox_client import company

PAYMENT = {"InvoiceNumber": 1, "Amount": 100, "PaymentDate": "2026-11-20", "ModeOfPayment": "BG"}


def booked(c):
    c.invoice(InvoiceDate="2026-11-03", ExternalInvoiceReference1="severa:1")
    c.tenant.book(1)


def test_a_payment_counts_when_it_is_booked():
    with company() as c:
        booked(c)
        payment = c.post("/3/invoicepayments", {"InvoicePayment": PAYMENT})["InvoicePayment"]
        assert (payment["Number"], payment["Booked"]) == ("1", False)
        assert payment["ModeOfPaymentAccount"] == 1930
        assert payment["ExternalInvoiceReference1"] == "severa:1"
        assert c.tenant.invoices["1"]["Balance"] == 125
        c.put("/3/invoicepayments/1/bookkeep")
        invoice = c.get("/3/invoices/1")["Invoice"]
        assert (invoice["Balance"], invoice["FinalPayDate"]) == (25, None)
        voucher = c.get("/3/vouchers/C/1")["Voucher"]
    assert (voucher["ReferenceType"], voucher["ReferenceNumber"]) == ("INVOICEPAYMENT", "1")
    assert [(row["Account"], row["Debit"], row["Credit"]) for row in voucher["VoucherRows"]] == [
        (1930, 100, 0),
        (1510, 0, 100),
    ]


def test_the_last_payment_gives_the_final_day_and_says_fully_paid():
    with company() as c:
        booked(c)
        c.tenant.pay(1, 100, "2026-11-20")
        c.tenant.pay(1, date="2026-11-22")
        paid = [e for e in c.fortnox.events if e["type"] == "invoicepayment-bookkeep-v1"]
        assert [(e["entityId"], e["invoiceId"], e["fullyPaid"]) for e in paid] == [
            ("1", "1", False),
            ("2", "1", True),
        ]
        assert c.get("/3/invoices/1")["Invoice"]["FinalPayDate"] == "2026-11-22"
        listed = c.get("/3/invoicepayments", invoicenumber=1)["InvoicePayments"]
    assert [each["Number"] for each in listed] == ["1", "2"]


def test_a_write_off_settles_what_the_customer_kept():
    with company() as c:
        booked(c)
        c.tenant.pay(1, 120, WriteOffs=[{"AccountNumber": 6570, "Amount": 5}])
        assert c.tenant.invoices["1"]["Balance"] == 0


def test_a_payment_in_euro_books_the_difference_of_rates():
    with company() as c:
        c.tenant.add_currency("EUR", "11")
        c.invoice(Currency="EUR")
        c.tenant.book(1)
        missing = {"InvoicePayment": PAYMENT | {"PaymentDate": c.tenant.today()}}
        assert c.refused("POST", "/3/invoicepayments", missing) == errors.WRONG_CURRENCY
        c.tenant.pay(1, Amount=1400)
        accounts = [row["Account"] for row in c.tenant.vouchers["3:C:1"]["VoucherRows"]]
        assert accounts == [1930, 1510, 3960]
        assert c.tenant.invoices["1"]["Balance"] == 0


def test_a_payment_taken_back_restores_the_balance_and_tells():
    with company() as c:
        booked(c)
        c.tenant.pay(1)
        c.tenant.unpay(1)
        invoice = c.get("/3/invoices/1")["Invoice"]
        assert (invoice["Balance"], invoice["FinalPayDate"]) == (125, None)
        gone = c.fortnox.events[-1]
        assert (gone["type"], gone["invoiceId"]) == ("invoicepayment-deleted-v1", "1")
        assert c.refused("GET", "/3/invoicepayments/1", status=404) == errors.NO_PAYMENT
        assert len(c.get("/3/vouchers/sublist/C")["Vouchers"]) == 2


def test_only_booked_invoices_can_be_paid_and_not_before_their_date():
    with company() as c:
        c.invoice(InvoiceDate="2026-11-03")
        payload = {"InvoicePayment": PAYMENT}
        assert c.refused("POST", "/3/invoicepayments", payload) == errors.NOT_BOOKED
        c.tenant.book(1)
        early = {"InvoicePayment": PAYMENT | {"PaymentDate": "2026-11-02"}}
        assert c.refused("POST", "/3/invoicepayments", early) == errors.PAID_BEFORE_INVOICED
        lost = {"InvoicePayment": PAYMENT | {"InvoiceNumber": 9}}
        assert c.refused("POST", "/3/invoicepayments", lost) == 2000434


def test_unbooked_payments_can_be_changed_and_deleted_booked_ones_cannot():
    with company() as c:
        booked(c)
        c.post("/3/invoicepayments", {"InvoicePayment": PAYMENT})
        changed = c.put("/3/invoicepayments/1", {"InvoicePayment": {"Amount": 50}})
        assert changed["InvoicePayment"]["AmountCurrency"] == 50
        assert c.http.delete("/3/invoicepayments/1").status_code == 204
        c.tenant.pay(1)
        assert c.refused("DELETE", "/3/invoicepayments/2") == errors.ALREADY_BOOKED
        c.fortnox.options.delete_booked_payment = True
        assert c.http.delete("/3/invoicepayments/2").status_code == 204
        assert c.tenant.invoices["1"]["Balance"] == 125
