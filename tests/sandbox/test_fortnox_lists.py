"""Lists of the Fortnox sandbox: filters, pages, stale indexes and late states."""

from datetime import UTC, datetime, timedelta

import pytest

from tests.sandbox.fortnox_client import REFERENCE, company


class Clock:
    def __init__(self):
        self.now = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)

    def __call__(self):
        return self.now

    def advance(self, seconds):
        self.now += timedelta(seconds=seconds)


def numbers(c, **query):
    return [each["DocumentNumber"] for each in c.get("/3/invoices", **query)["Invoices"]]


def test_meta_information_comes_first_and_an_empty_list_has_no_pages():
    with company() as c:
        found = c.get("/3/invoices")
    assert list(found) == ["MetaInformation", "Invoices"]
    assert found["MetaInformation"] == {
        "@TotalResources": 0,
        "@TotalPages": 0,
        "@CurrentPage": 1,
    }


def test_pages_of_a_hundred_and_at_most_five_hundred():
    with company() as c:
        for number in range(1, 506):
            c.tenant.add_project(f"N{number:04}")
        assert len(c.get("/3/projects")["Projects"]) == 100
        assert len(c.get("/3/projects", limit=900)["Projects"]) == 500
        last = c.get("/3/projects", limit=500, page=2)
        assert last["MetaInformation"]["@TotalResources"] == 506
        assert len(last["Projects"]) == 6
        assert c.get("/3/projects", offset=700)["MetaInformation"]["@TotalResources"] == 0
        c.fortnox.options.limit_over_500 = "refuse"
        assert c.refused("GET", "/3/projects?limit=501") == 2000588


def test_text_is_found_anywhere_whatever_its_case():
    with company() as c:
        for reference in ("12", "112", "ABC", "x"):
            c.invoice(ExternalInvoiceReference1=reference)
        assert numbers(c, externalinvoicereference1="12") == ["1", "2"]
        assert numbers(c, externalinvoicereference1="abc") == ["3"]
        c.fortnox.options.search = "exact"
        assert numbers(c, externalinvoicereference1="12") == ["1"]
        c.fortnox.options.search = "prefix"
        assert numbers(c, externalinvoicereference1="1") == ["1", "2"]


def test_a_full_reference_finds_every_invoice_that_contains_it():
    with company() as c:
        c.invoice(ExternalInvoiceReference1=REFERENCE)
        c.invoice(ExternalInvoiceReference1=f"{REFERENCE}:2")
        c.invoice(ExternalInvoiceReference1=REFERENCE[:-1] + "9")
        c.invoice()
        c.put("/3/invoices/4", {"Invoice": {"ExternalInvoiceReference1": REFERENCE.upper()}})
        assert numbers(c, externalinvoicereference1=REFERENCE) == ["1", "2", "4"]
        c.put("/3/invoices/1", {"Invoice": {"ExternalInvoiceReference1": "API_BLANK"}})
        assert numbers(c, externalinvoicereference1=REFERENCE) == ["2", "4"]


def test_named_filters_and_the_one_that_is_not():
    with company() as c:
        for _ in range(4):
            c.invoice(InvoiceDate="2026-01-05")
        c.tenant.book(2)
        c.tenant.book(3)
        c.tenant.pay(3)
        c.tenant.cancel(4)
        assert numbers(c, filter="unbooked") == ["1"]
        assert numbers(c, filter="unpaid") == numbers(c, filter="unpaidoverdue") == ["2"]
        assert numbers(c, filter="fullypaid") == ["3"]
        assert numbers(c, filter="cancelled") == ["4"]
        assert c.refused("GET", "/3/invoices?filter=nonsense") == 2000587
        assert c.refused("GET", "/3/invoices?customername=%3Cb%3E") == 2000588


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({"fromdate": "2026-02-01"}, ["2", "3"]),
        ({"todate": "2026-02-01"}, ["1", "2"]),
        ({"project": "p1"}, ["2"]),
        ({"yourordernumber": "po"}, ["3"]),
        ({"articlenumber": "100", "costcenter": "sth"}, ["3"]),
        ({"accountnumberfrom": "3041", "accountnumberto": "3041"}, ["1", "2", "3"]),
        ({"credit": "true"}, []),
        ({"sent": "false"}, ["1", "2", "3"]),
        ({"sortby": "invoicedate", "sortorder": "descending"}, ["3", "2", "1"]),
        ({"sortby": "total"}, ["2", "1", "3"]),
        ({"unheard": "of"}, ["1", "2", "3"]),
    ],
)
def test_invoices_are_found_and_sorted_by(query, found):
    with company() as c:
        row = {"ArticleNumber": "100", "DeliveredQuantity": "1"}
        c.invoice(InvoiceDate="2026-01-01")
        c.invoice(InvoiceDate="2026-02-01", Project="P1", InvoiceRows=[row | {"Price": 5}])
        c.invoice(
            InvoiceDate="2026-03-01",
            YourOrderNumber="PO-1",
            CostCenter="STH",
            InvoiceRows=[row | {"Price": 500}],
        )
        assert numbers(c, **query) == found


def test_lastmodified_is_swedish_time_and_moves_with_payments_if_so_set():
    clock = Clock()
    with company(clock=clock) as c:
        c.invoice()
        c.tenant.book(1)
        clock.advance(3600)
        assert numbers(c, lastmodified="2026-11-24 13:00") == ["1"]
        assert numbers(c, lastmodified="2026-11-24 13:00:01") == []
        c.fortnox.options.payments_touch_invoices = False
        c.tenant.pay(1, 5)
        assert numbers(c, lastmodified="2026-11-24 13:30") == []
        c.fortnox.options.payments_touch_invoices = True
        c.tenant.pay(1, 5)
        assert numbers(c, lastmodified="2026-11-24 13:30") == ["1"]


def test_a_stale_index_hides_a_new_invoice_from_lists_only():
    clock = Clock()
    with company(clock=clock, search_delay=5) as c:
        c.invoice(ExternalInvoiceReference1=REFERENCE)
        assert numbers(c, externalinvoicereference1=REFERENCE) == numbers(c) == []
        assert c.get("/3/invoices/1")["Invoice"]["DocumentNumber"] == "1"
        clock.advance(5)
        assert numbers(c, externalinvoicereference1=REFERENCE) == ["1"]


def test_an_event_may_come_before_the_state_it_tells_of():
    clock = Clock()
    with company(clock=clock) as c:
        c.invoice()
        clock.advance(60)
        c.fortnox.options.show_delay = 2
        c.tenant.book(1)
        assert c.kinds()[-1] == "invoice-bookkeep-v1"
        assert c.get("/3/invoices/1")["Invoice"]["Booked"] is False
        c.tenant.add_project("P2")
        assert c.refused("GET", "/3/projects/P2", status=404) == 2001161
        clock.advance(2)
        assert c.get("/3/invoices/1")["Invoice"]["Booked"] is True
        assert c.get("/3/projects/P2")["Project"]["ProjectNumber"] == "P2"
