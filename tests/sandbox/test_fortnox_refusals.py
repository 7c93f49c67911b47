"""What the Fortnox sandbox refuses, with Fortnox's own codes, and that a refusal leaves nothing."""

import pytest

from app.sandbox.fortnox import errors
from tests.sandbox.fortnox_client import company

ROW = {"ArticleNumber": "100", "DeliveredQuantity": "1", "Price": 100}
INVOICE = {"CustomerNumber": "10", "InvoiceRows": [ROW]}


def row(**fields):
    return INVOICE | {"InvoiceRows": [ROW | fields]}


REFUSED = {
    "unknown customer": (INVOICE | {"CustomerNumber": "99"}, 2000433),
    "no customer": ({"InvoiceRows": []}, 2001795),
    "unknown article": (row(ArticleNumber="999"), 2001302),
    "neither article nor account": (row(ArticleNumber="API_BLANK"), 2001304),
    "unknown account": (row(AccountNumber=3999), 2001304),
    "unknown project": (INVOICE | {"Project": "P9"}, 2001161),
    "unknown project on a row": (row(Project="P9"), 2001161),
    "unknown cost centre": (row(CostCenter="XXX"), errors.NO_COST_CENTER),
    "unknown terms": (INVOICE | {"TermsOfPayment": "31"}, 2000429),
    "unknown currency": (INVOICE | {"Currency": "EUR"}, 2000427),
    "unknown unit": (row(Unit="dag"), 2000432),
    "unknown field": (INVOICE | {"Nonsense": "1"}, 2001399),
    "unknown field on a row": (row(Nonsense="1"), 2001399),
    "text too long": (row(Description="x" * 256), 2000107),
    "reference too long": (INVOICE | {"YourOrderNumber": "x" * 76}, 2000107),
    "quotation mark": (row(Description='En "bra" sak'), 2000359),
    "apostrophe": (INVOICE | {"Remarks": "it's"}, 2000359),
    "emoji": (row(Description="Klart 🎉"), 2000359),
    "tab": (INVOICE | {"Comments": "a\tb"}, 2000359),
    "VAT rate of another country": (row(VAT=24), errors.BAD_VAT_RATE),
    "price in words": (row(Price="hundra"), 2000108),
    "maybe": (INVOICE | {"VATIncluded": "maybe"}, 2000134),
    "day that is not": (INVOICE | {"InvoiceDate": "2026-02-30"}, errors.BAD_DATE),
    "year without books": (INVOICE | {"InvoiceDate": "2001-01-01"}, errors.NO_FINANCIAL_YEAR),
}


@pytest.fixture(scope="module")
def c():
    with company() as found:
        yield found


@pytest.mark.parametrize("case", REFUSED)
def test_an_invoice_is_refused_for(c, case):
    payload, code = REFUSED[case]
    events = len(c.fortnox.events)
    assert c.refused("POST", "/3/invoices", {"Invoice": payload}) == code
    assert not c.tenant.invoices
    assert len(c.fortnox.events) == events


def test_allowed_signs_and_line_breaks_pass():
    with company() as c:
        text = "X + Y && Z – 5 % à 10 €/st;\n(se bilaga) #1 @ §2 ´½’"
        assert c.invoice(Remarks=text)["Remarks"] == text


@pytest.mark.parametrize(
    ("path", "code"),
    [
        ("invoices/9", 2000434),
        ("customers/99", 2000433),
        ("articles/99", 2000428),
        ("units/dag", 2000432),
        ("projects/P9", 2001161),
        ("termsofpayments/31", 2000429),
        ("currencies/EUR", 2000427),
        ("accounts/9999", 2000423),
    ],
)
def test_a_failed_look_up_is_a_404_in_capitals(c, path, code):
    assert c.refused("GET", f"/3/{path}", status=404) == code


def test_a_body_that_is_not_json_and_one_without_its_wrapper():
    with company() as c:
        headers = {"Content-Type": "application/json"}
        broken = c.http.post("/3/invoices", content=b"{", headers=headers)
        assert broken.json()["ErrorInformation"]["code"] == 2002115
        assert c.refused("POST", "/3/invoices", {"CustomerNumber": "10"}) == 2001392
        xml = c.http.post("/3/invoices", content=b"<a/>", headers={"Content-Type": "text/xml"})
        assert xml.json()["ErrorInformation"]["code"] == 1000031


def test_a_locked_period_refuses_new_invoices_and_booking():
    with company() as c:
        c.invoice(InvoiceDate="2026-03-01")
        c.tenant.lock_period("2026-03-31")
        assert c.get("/3/settings/lockedperiod") == {"LockedPeriod": {"EndDate": "2026-03-31"}}
        assert c.refused("PUT", "/3/invoices/1/bookkeep") == 2000401
        late = {"Invoice": INVOICE | {"InvoiceDate": "2026-03-31"}}
        assert c.refused("POST", "/3/invoices", late) == 2000401
        c.tenant.lock_period(None)
        c.put("/3/invoices/1/bookkeep")


def test_a_removed_financial_year_refuses_booking():
    with company() as c:
        c.invoice(InvoiceDate="2026-03-01")
        c.tenant.remove_financial_year(2026)
        assert c.get("/3/financialyears", date="2026-03-01")["FinancialYears"] == []
        assert c.refused("PUT", "/3/invoices/1/bookkeep") == errors.NO_FINANCIAL_YEAR
        assert c.tenant.invoices["1"]["Booked"] is False


def test_booked_and_cancelled_invoices_stand_as_they_are():
    with company() as c:
        c.invoice()
        c.invoice()
        c.tenant.book(1)
        c.tenant.cancel(2)
        change = {"Invoice": {"Comments": "nytt"}}
        for action in ("bookkeep", "cancel"):
            assert c.refused("PUT", f"/3/invoices/1/{action}") == errors.ALREADY_BOOKED
            assert c.refused("PUT", f"/3/invoices/2/{action}") == errors.ALREADY_CANCELLED
        assert c.refused("PUT", "/3/invoices/1", change) == errors.ALREADY_BOOKED
        assert c.refused("PUT", "/3/invoices/2", change) == errors.ALREADY_CANCELLED


def test_a_row_with_a_quantity_needs_a_text_before_it_is_booked():
    with company() as c:
        c.invoice(InvoiceRows=[{"AccountNumber": 3041, "DeliveredQuantity": "1", "Price": 5}])
        assert c.refused("PUT", "/3/invoices/1/bookkeep") == 2003977


def test_a_refused_update_changes_nothing():
    with company() as c:
        c.invoice(Comments="ett")
        change = {"Invoice": {"Comments": "två", "Project": "P9"}}
        assert c.refused("PUT", "/3/invoices/1", change) == 2001161
        assert c.get("/3/invoices/1")["Invoice"]["Comments"] == "ett"


def test_a_number_already_used_is_refused_or_replaced():
    with company() as c:
        c.invoice(DocumentNumber="7")
        payload = {"Invoice": INVOICE | {"DocumentNumber": "7"}}
        assert c.refused("POST", "/3/invoices", payload) == errors.NUMBER_TAKEN
        c.fortnox.options.duplicate_document_number = "renumber"
        assert c.invoice(DocumentNumber="7")["DocumentNumber"] == "1"


def test_read_only_fields_are_ignored_or_refused():
    with company() as c:
        assert c.invoice(Total=5)["Total"] == 125
        c.fortnox.options.read_only_fields = "refuse"
        payload = {"Invoice": INVOICE | {"Total": 5}}
        assert c.refused("POST", "/3/invoices", payload) == errors.READ_ONLY
