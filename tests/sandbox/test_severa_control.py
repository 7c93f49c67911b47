"""The control plane, faults on the way, announcements, and changes that are seen late."""

import time
from collections.abc import Iterator

import httpx
import pytest

from app.sandbox.chaos import Fault
from app.sandbox.severa import DRAFT, PAID, TRANSFER
from tests.sandbox.severa_company import Company, company


@pytest.fixture
def acme() -> Iterator[Company]:
    with company() as made:
        made.http.base_url = httpx.URL(f"{made.url}")
        yield made


def test_the_books_are_short_and_uncounted(acme: Company) -> None:
    before = len(acme.severa.chaos.calls)
    invoices = acme.get("/_sandbox/state")["invoices"]
    assert [(i["customer"], i["status"], i["total"]) for i in invoices] == [
        ("Nordbygg AB", "Utkast", 17187.5),
        ("Kustens Energi AB", "Utkast", 19921.88),
        ("Hafen Logistik GmbH", "Utkast", 1960.0),
    ]
    assert len(acme.severa.chaos.calls) == before


def test_an_invoice_is_made_and_moved_over_http(acme: Company) -> None:
    made = acme.http.post("/_sandbox/invoices").json()
    assert made["totalExcludingTax"]["amount"] == 11000.0
    path = f"/_sandbox/invoices/{made['guid']}"
    moved = acme.http.post(f"{path}/status", json={"status": "Klar för Fortnox"})
    assert moved.json()["status"]["guid"] == TRANSFER
    note = acme.http.post(f"{path}/credit", json={}).json()
    assert note["totalExcludingTax"]["amount"] == -11000.0
    rows = [{"kind": "fee", "article": "200", "quantity": 2, "price": 5}]
    body = {"rows": rows, "project": 3002, "status": "Utkast", "notes": "Hej"}
    other = acme.http.post("/_sandbox/invoices", json=body).json()
    assert (other["totalExcludingTax"]["amount"], other["notes"]) == (10.0, "Hej")
    assert acme.http.delete(f"/_sandbox/invoices/{other['guid']}").status_code == 204


def test_mistakes_in_control_calls_are_told(acme: Company) -> None:
    path = f"/_sandbox/invoices/{acme.invoice()['guid']}/status"
    assert acme.http.post(path, json={"status": "Nej"}).status_code == 404
    assert acme.http.post("/_sandbox/invoices", json={"nothing": 1}).status_code == 404
    assert acme.http.post("/_sandbox/faults", json=[{"sort": "x"}]).status_code == 400
    assert acme.http.patch("/_sandbox/options", json={"colour": "red"}).status_code == 404


def test_customers_are_made_and_changed_over_http(acme: Company) -> None:
    made = acme.http.post("/_sandbox/records/customers", json={"name": "Ny AB"}).json()
    path = f"/_sandbox/records/customers/{made['guid']}"
    changed = acme.http.patch(path, json={"vatNumber": "SE556000000001", "language": "sv"})
    assert changed.json()["language"]["code"] == "sv"
    address = f"/_sandbox/customers/{made['guid']}/addresses"
    assert acme.http.post(address, json={"city": "Umeå"}).json()["country"]["name"] == "Sverige"
    assert acme.http.delete(path).status_code == 204


def test_faults_are_laid_and_lifted_over_http(acme: Company) -> None:
    fault = {"kind": "refuse", "path": "/vatrates", "times": None, "status": 503}
    assert acme.http.post("/_sandbox/faults", json=[fault]).status_code == 201
    assert acme.http.get("/rest-api/v1/vatrates").status_code == 503
    assert acme.http.delete("/_sandbox/faults").status_code == 204
    assert acme.http.get("/rest-api/v1/vatrates").status_code == 200
    calls = acme.get("/_sandbox/calls")
    assert [(c["status"], c["fault"]) for c in calls[-2:]] == [(503, "refuse"), (200, "")]


def test_a_lost_answer_leaves_the_work_done(acme: Company) -> None:
    acme.severa.chaos.faults.append(Fault("lose", path="/invoices/", method="PATCH"))
    acme.http.base_url = httpx.URL(f"{acme.url}/rest-api/v1")
    with pytest.raises(httpx.TransportError):
        acme.patch(f"/invoices/{acme.invoice()['guid']}", "/status/guid", TRANSFER)
    assert acme.invoice()["status"]["guid"] == TRANSFER


def test_options_are_switched_over_http(acme: Company) -> None:
    shown = acme.http.patch("/_sandbox/options", json={"rate": [1, 60], "max_row_count": 2})
    assert (shown.json()["rate"], acme.severa.options.rate) == ([1, 60], (1, 60))
    assert len(acme.get("/rest-api/v1/customers", rowCount=9)) == 2
    assert acme.http.get("/rest-api/v1/customers").status_code == 429


def test_each_change_by_a_user_is_announced_and_a_clients_is_not(acme: Company) -> None:
    heard: list[tuple[str, str]] = []
    acme.severa.options.notify = lambda event, guid: heard.append((event, guid))
    guid = acme.invoice()["guid"]
    acme.http.post(f"/_sandbox/invoices/{guid}/status", json={"status": TRANSFER})
    customer = acme.severa.change("customers", 1001, notes="ny")["guid"]
    acme.severa.delete_invoice(guid)
    expected = [("invoice.status_changed", guid), ("customer.updated", customer)]
    assert heard == [*expected, ("invoice.deleted", guid)]
    acme.http.base_url = httpx.URL(f"{acme.url}/rest-api/v1")
    acme.patch(f"/customers/{customer}", "/notes", "igen")
    assert len(heard) == 3
    acme.severa.options.notify_api_writes = True
    acme.patch(f"/customers/{customer}", "/notes", "åter")
    assert heard[3:] == [("customer.updated", customer)]


def test_whoever_is_notified_may_ask_the_sandbox_at_once(acme: Company) -> None:
    seen: list[str] = []

    def ask(_: str, guid: str) -> None:
        seen.append(acme.get(f"/rest-api/v1/invoices/{guid}")["status"]["guid"])

    acme.severa.options.notify = ask
    path = f"/_sandbox/invoices/{acme.invoice()['guid']}/status"
    with httpx.Client(base_url=acme.url, trust_env=False) as other:
        assert other.post(path, json={"status": TRANSFER}).status_code == 200
    assert seen == [TRANSFER]


def test_a_change_may_be_seen_late_while_it_is_announced_at_once(acme: Company) -> None:
    acme.severa.options.show_delay = 0.3
    guid = acme.invoice()["guid"]
    made = acme.severa.add_simple_invoice()["guid"]
    acme.severa.set_status(guid, PAID)
    acme.http.base_url = httpx.URL(f"{acme.url}/rest-api/v1")
    assert acme.get(f"/invoices/{guid}")["status"]["guid"] == DRAFT
    assert acme.http.get(f"/invoices/{made}").status_code == 404
    assert len(acme.get("/invoices")) == 3
    deadline = time.monotonic() + 5
    while acme.get(f"/invoices/{guid}")["status"]["guid"] == DRAFT:
        assert time.monotonic() < deadline
    assert len(acme.get("/invoices")) == 4
    acme.severa.delete_invoice(made)
    assert len(acme.get("/invoices")) == 4
    while len(acme.get("/invoices")) == 4:
        assert time.monotonic() < deadline


def test_the_page_lets_a_newcomer_act(acme: Company) -> None:
    page = acme.http.get("/_sandbox/").text
    assert "Nordbygg AB" in page
    assert "17\N{NO-BREAK SPACE}187,50\N{NO-BREAK SPACE}SEK" in page
    path = f"/_sandbox/invoices/{acme.invoice()['guid']}/status"
    answer = acme.http.post(path, data={"status": TRANSFER})
    assert (answer.status_code, answer.headers["location"]) == (303, "/_sandbox/")
    form = {"project": "9d000000-0000-4000-8000-000000003002", "quantity": "2.5", "price": "100"}
    acme.http.post("/_sandbox/invoices", data=form)
    assert acme.get("/_sandbox/state")["invoices"][-1]["totalExcludingTax"] == 250.0


def test_a_name_with_markup_stays_text_on_the_page(acme: Company) -> None:
    acme.severa.change("customers", 1001, name="<script>alert(1)</script>")
    assert "<script>" not in acme.http.get("/_sandbox/").text


def test_a_changed_part_announces_the_whole_it_belongs_to(acme: Company) -> None:
    heard: list[tuple[str, str]] = []
    acme.severa.options.notify = lambda event, guid: heard.append((event, guid))
    customer = acme.severa.find("customers", 1001)["guid"]
    address = acme.severa.add_address(customer, city="Umeå")
    acme.severa.change("addresses", address, city="Luleå")
    acme.severa.delete("addresses", address)
    assert heard == [("customer.updated", customer)] * 3
    acme.severa.change_row(acme.severa.rows(acme.invoice())[0], quantity=2)
    assert heard[3:] == [("invoice.updated", acme.invoice()["guid"])]
