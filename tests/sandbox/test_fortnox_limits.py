"""The rate limit of the Fortnox sandbox, its injected faults, and that it stays quick."""

from time import perf_counter

import httpx
import pytest

from app.sandbox.chaos import Fault
from app.sandbox.fortnox import invoice_calls, invoices
from app.sandbox.fortnox.calls import Call
from tests.sandbox.fortnox_client import company


def test_the_twenty_sixth_call_in_five_seconds_is_too_many():
    with company(rate=(25, 5.0)) as c:
        statuses = [c.http.get("/3/me").status_code for _ in range(27)]
        assert statuses == [200] * 25 + [429] * 2
        assert "retry-after" not in c.http.get("/3/me").headers
        c.fortnox.options.retry_after = True
        assert c.http.get("/3/me").headers["retry-after"] == "5"


def test_the_budget_belongs_to_client_and_tenant_not_to_the_token():
    with company(rate=(2, 60.0)) as c:
        c.fortnox.add_tenant("777")
        tokens = [
            c.fortnox.access_token("app", tenant)
            for tenant in ("654896", "654896", "654896", "777")
        ]
        answers = [
            httpx.get(f"{c.url}/3/me", headers={"Authorization": f"Bearer {each}"})
            for each in tokens
        ]
        assert [each.status_code for each in answers] == [200, 200, 429, 200]


def test_a_lost_answer_leaves_the_invoice_behind():
    with company() as c:
        c.fortnox.chaos.faults.append(Fault("lose", path="/3/invoices", method="POST"))
        with pytest.raises(httpx.RemoteProtocolError):
            c.invoice()
        assert len(c.tenant.invoices) == 1
        c.invoice()
        statuses = [(call.method, call.status, call.fault) for call in c.fortnox.chaos.calls]
        assert statuses == [("POST", 0, "lose"), ("POST", 201, "")]


def test_ten_thousand_invoices_do_not_slow_it_down():
    """CPU on one call without HTTP; generous, so that a busy machine does not fail it."""
    with company() as c:
        row = {"ArticleNumber": "100", "DeliveredQuantity": "1", "Price": 100}
        payload = {"CustomerNumber": "10", "InvoiceRows": [row]}
        for number in range(10_000):
            reference = f"severa:6f1c2a52-3a57-4b0e-9d3b-{number:012x}"
            invoices.create(c.tenant, payload | {"ExternalInvoiceReference1": reference})
        query = {"externalinvoicereference1": reference}
        call = Call("GET", ["invoices"], query, {}, b"", c.tenant)
        started = perf_counter()
        for _ in range(100):
            answer = invoice_calls.handle(call)
            invoices.create(c.tenant, payload)
        assert (perf_counter() - started) / 100 < 0.004
        assert answer.body["MetaInformation"]["@TotalResources"] == 1
