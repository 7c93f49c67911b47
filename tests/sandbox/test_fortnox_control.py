"""The control plane of the Fortnox sandbox, and the page on which one is the Fortnox user."""

import httpx

from app.sandbox.fortnox import Fortnox, seed_demo
from app.sandbox.serving import served
from tests.sandbox.fortnox_client import company


def test_the_books_are_shown_and_calls_of_the_control_plane_are_not_counted():
    with company() as c:
        c.invoice(ExternalInvoiceReference1="severa:1")
        state = c.get("/_sandbox/state")["tenants"][0]
        assert (state["tenant_id"], state["counts"]["invoices"]) == ("654896", 1)
        invoice = state["invoices"][0]
        assert (invoice["ExternalInvoiceReference1"], invoice["Balance"]) == ("severa:1", 125)
        calls = c.get("/_sandbox/calls")["calls"]
        assert [(each["method"], each["path"]) for each in calls] == [("POST", "/3/invoices")]


def test_one_acts_as_a_user_over_http():
    with company() as c:
        c.invoice()
        url = "/_sandbox/invoices/1"
        assert c.post(f"{url}/book", {}, 200)["Booked"] is True
        assert c.post(f"{url}/pay", {"amount": "25"}, 200)["Amount"] == 25
        c.post(f"{url}/pay", {}, 200)
        assert c.tenant.invoices["1"]["Balance"] == 0
        c.post(f"{url}/unpay", {}, 204)
        assert c.tenant.invoices["1"]["Balance"] == 100
        assert c.http.post(f"{url}/cancel").status_code == 400
        assert c.http.post("/_sandbox/invoices/9/book").status_code == 404


def test_faults_options_and_tokens_are_set_from_outside():
    with company() as c:
        fault = {"kind": "refuse", "path": "^/3/", "status": 503, "times": 1}
        c.post("/_sandbox/faults", [fault], 200)
        assert c.http.get("/3/me").status_code == 503
        assert c.http.get("/3/me").status_code == 200
        c.http.delete("/_sandbox/faults")
        assert c.fortnox.chaos.faults == []
        assert c.http.post("/_sandbox/faults", json=[{"kinds": 1}]).status_code == 422
        c.http.patch("/_sandbox/options", json={"rate": [1, 60.0], "roundoff": False})
        assert (c.fortnox.options.rate, c.fortnox.options.roundoff) == ((1, 60.0), False)
        assert c.http.patch("/_sandbox/options", json={"nonsense": 1}).status_code == 422
        c.http.post("/_sandbox/expire-tokens")
        assert c.http.get("/3/me").status_code == 401


def test_a_new_company_comes_with_its_consent():
    with company() as c:
        wanted = {"tenant_id": 777, "name": "Nya AB", "client_id": "app"}
        assert c.post("/_sandbox/tenants", wanted)["tenant_id"] == "777"
        assert ("app", "777") in c.fortnox.tokens.consents


def test_the_demo_company_can_be_used_from_the_page():
    fortnox = Fortnox()
    tenant = seed_demo(fortnox)
    tenant.add_customer(CustomerNumber="10", Name="Kund <b> AB".replace("<b>", "&"))
    tenant.add_invoice(
        CustomerNumber="10",
        InvoiceRows=[
            {
                "AccountNumber": 3041,
                "Description": "Konsultarbete",
                "DeliveredQuantity": 1,
                "Price": 16075.2,
            }
        ],
    )
    with served(fortnox.app) as url:
        page = httpx.get(f"{url}/_sandbox/").text
        assert "20\u00a0094,00 SEK" in page
        assert "Kund &amp; AB" in page
        forms = {"tenant": "654896"}
        httpx.post(f"{url}/_sandbox/invoices/1/book", data=forms)
        page = httpx.post(
            f"{url}/_sandbox/invoices/1/pay",
            data=forms | {"amount": "94,00"},
            follow_redirects=True,
        ).text
        assert "20\u00a0000,00" in page
        refused = httpx.post(
            f"{url}/_sandbox/invoices/1/cancel", data=forms, follow_redirects=True
        ).text
        assert "bokförd och kan inte ändras" in refused
        httpx.post(f"{url}/_sandbox/supplierinvoices", data={"amount": "500", "book": "true"})
        assert tenant.supplier_invoices["1"]["Booked"] is True
