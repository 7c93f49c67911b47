"""Tokens, scopes, limits, paging and patches: what every call to Severa goes through."""

import time
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from app.sandbox.severa import DRAFT, RECEIVED, TRANSFER
from tests.sandbox.severa_company import LOGIN, Company, company


@pytest.fixture
def acme() -> Iterator[Company]:
    with company() as made:
        yield made


def kind(response: httpx.Response) -> tuple[int, str]:
    return response.status_code, response.json()["error"]["type"]


def test_the_token_call_ignores_the_case_of_its_keys(acme: Company) -> None:
    body = {"client_Id": LOGIN["client_id"], "Client_Secret": LOGIN["client_secret"]}
    answer = acme.http.post("/token", json={**body, "grant_type": "client_credentials"}).json()
    assert answer["access_token_type"] == "Bearer"
    assert answer["access_token_expires_in"] == 3600
    assert answer["refresh_token_expires_in"] == 86400


@pytest.mark.parametrize("scope", ["invoices:read fees:read", "invoices:read, fees:read"])
def test_scopes_are_asked_for_in_one_text(acme: Company, scope: str) -> None:
    assert acme.log_in(scope=scope).json()["scope"] == "fees:read invoices:read"


def test_a_wrong_secret_and_an_unknown_scope_are_refused(acme: Company) -> None:
    assert kind(acme.log_in(client_secret="wrong")) == (401, "AuthenticationRequired")
    assert kind(acme.log_in(scope="invoices:eat")) == (401, "AuthenticationRequired")


def test_a_scope_that_the_token_lacks_is_403(acme: Company) -> None:
    acme.log_in(scope="invoices:read")
    assert acme.http.get("/invoices").status_code == 200
    assert kind(acme.http.get("/customers")) == (403, "InsufficientApiScope")
    refused = acme.patch(f"/invoices/{acme.invoice()['guid']}", "/notes", "x")
    assert kind(refused) == (403, "InsufficientApiScope")
    assert acme.invoice()["notes"] != "x"


def test_without_a_living_token_nothing_is_shown(acme: Company) -> None:
    assert acme.http.get("/../heartbeat/authorized").status_code == 204
    acme.severa.expire_tokens()
    assert kind(acme.http.get("/invoices")) == (401, "AuthenticationRequired")
    assert acme.http.get("/../heartbeat/authorized").status_code == 401
    assert acme.http.get("/../heartbeat/server").text == "Server is alive."


def test_a_token_lives_as_long_as_it_says() -> None:
    with company(token_lifetime=0) as acme:
        assert acme.http.get("/invoices").status_code == 401


def test_a_refresh_token_works_once_and_not_after_signing_out(acme: Company) -> None:
    first = acme.log_in().json()["refresh_token"]
    second = acme.http.post("/refreshtoken", json=first).json()["refresh_token"]
    assert acme.http.post("/refreshtoken", json=first).status_code == 401
    assert acme.http.post("/signout", json=second).status_code == 200
    assert acme.http.post("/refreshtoken", json=second).status_code == 401


def test_the_client_id_header_may_be_required() -> None:
    with company(require_client_id=True) as acme:
        assert acme.http.get("/invoices").status_code == 401
        headers = {"Client_Id": LOGIN["client_id"]}
        assert acme.http.get("/invoices", headers=headers).status_code == 200


def test_the_eleventh_call_within_a_second_is_refused_in_plain_text() -> None:
    with company(rate=(10, 1.0)) as acme:
        codes = [acme.http.get("/vatrates").status_code for _ in range(9)]
        refused = acme.http.get("/vatrates")
        assert codes == [200] * 9  # the token call was the tenth
        assert refused.status_code == 429
        assert refused.headers["content-type"].startswith("text/plain")
        assert refused.text == "API calls quota exceeded! maximum admitted 10 per 1s."
        assert refused.headers["retry-after"] == "1"
        deadline = time.monotonic() + 5
        while acme.http.get("/vatrates").status_code == 429:
            assert time.monotonic() < deadline


def test_each_client_has_its_own_limit() -> None:
    with company(rate=(3, 60.0), retry_after=False) as acme:
        acme.severa.add_client("other", "secret")
        assert [acme.http.get("/vatrates").status_code for _ in range(3)] == [200, 200, 429]
        assert "retry-after" not in acme.http.get("/vatrates").headers
        assert acme.log_in(client_id="other", client_secret="secret").status_code == 200
        assert acme.http.get("/vatrates").status_code == 200


def walk(acme: Company, path: str, size: int) -> list[str]:
    """Guids by following NextPageToken to its end."""
    guids: list[str] = []
    query: dict[str, Any] = {"rowCount": size}
    while True:
        response = acme.http.get(path, params=query)
        guids += [record["guid"] for record in response.json()]
        if "NextPageToken" not in response.headers:
            return guids
        query["pageToken"] = response.headers["NextPageToken"]


@pytest.mark.parametrize("size", [1, 7, 25, 100])
def test_a_cursor_walks_to_the_end_without_gaps_or_repeats(acme: Company, size: int) -> None:
    for number in range(21):
        acme.severa.add_customer(name=f"Kund {number}")
    assert walk(acme, "/customers", size) == [c["guid"] for c in acme.severa.records("customers")]


def test_a_cursor_misses_nothing_when_records_vanish_meanwhile(acme: Company) -> None:
    made = [acme.severa.add_customer(name=f"Kund {n}")["guid"] for n in range(10)]
    first = acme.http.get("/customers", params={"rowCount": 8})
    acme.severa.delete("customers", made[0])
    token = first.headers["NextPageToken"]
    rest = acme.get("/customers", rowCount=100, pageToken=token)
    seen = {c["guid"] for c in [*first.json(), *rest]}
    assert set(made) <= seen


def test_an_offset_walks_to_the_first_short_page(acme: Company) -> None:
    for number in range(21):
        acme.severa.add_work_type(name=f"Arbete {number}", code=str(500 + number))
    codes: list[str] = []
    while True:
        rows = acme.get("/worktypes", firstRow=len(codes), rowCount=10)
        codes += [row["code"] for row in rows]
        if len(rows) < 10:
            break
    assert codes == [w["code"] for w in acme.severa.records("worktypes")]


def test_twenty_rows_come_unasked_and_never_more_than_the_most() -> None:
    with company(max_row_count=100) as acme:
        for number in range(120):
            acme.severa.add_customer(name=f"Kund {number}")
        assert len(acme.get("/customers")) == 20
        assert len(acme.get("/customers", rowCount=1000)) == 100


def test_changed_since_includes_the_moment_itself(acme: Company) -> None:
    acme.severa.change("customers", 1002, notes="ny")
    moment = acme.severa.find("customers", 1002)["lastUpdatedDateTime"]
    numbers = [c["number"] for c in acme.get("/customers", changedSince=moment)]
    assert 1002 in numbers
    assert acme.get("/customers", changedSince="2999-01-01T00:00:00Z") == []
    wrong = acme.http.get("/customers", params={"changedSince": "yesterday"})
    assert kind(wrong) == (400, "InvalidParameter")


def test_filters_take_several_values(acme: Company) -> None:
    acme.severa.set_status(acme.invoice(), TRANSFER)
    acme.severa.set_status(acme.invoice(1), RECEIVED)

    def standing(*statuses: str) -> int:
        return len(acme.get("/invoices", invoiceStatusGuids=list(statuses)))

    assert (standing(TRANSFER), standing(TRANSFER, RECEIVED), standing(DRAFT)) == (1, 2, 1)
    owner = acme.severa.find("projects", 3001)["projectOwner"]["guid"]
    unit = acme.severa.find("projects", 3001)["businessUnit"]["guid"]
    assert len(acme.get("/invoices", projectOwnerGuids=owner)) == 3
    assert len(acme.get("/invoices", projectBusinessUnitGuids=unit)) == 1
    assert len(acme.get("/invoices", minimumTotalExcludingTax=20000)) == 1  # 1960 EUR
    assert len(acme.get("/invoices", numbers=[2077, 2078])) == 2


@pytest.mark.parametrize("path", ["/status/guid", "/Status/Guid", "status/guid"])
@pytest.mark.parametrize("op", ["replace", "Replace", "REPLACE"])
def test_a_status_is_patched_by_its_guid(acme: Company, path: str, op: str) -> None:
    change = [{"op": op, "path": path, "value": TRANSFER}]
    answer = acme.http.patch(f"/invoices/{acme.invoice()['guid']}", json=change)
    assert [invoice["status"]["guid"] for invoice in answer.json()] == [TRANSFER]


def test_a_status_is_patched_as_an_object_together_with_the_payment_date(acme: Company) -> None:
    change = [
        {"op": "replace", "path": "/status", "value": {"guid": RECEIVED}},
        {"op": "replace", "path": "/paymentDate", "value": "2026-04-02"},
    ]
    answer = acme.http.patch(f"/invoices/{acme.invoice()['guid']}", json=change).json()[0]
    assert (answer["status"]["name"], answer["paymentDate"]) == ("Mottagen i Fortnox", "2026-04-02")


def test_a_patch_changes_all_or_nothing(acme: Company) -> None:
    before = acme.invoice()["lastUpdatedDateTime"]
    path = f"/invoices/{acme.invoice()['guid']}"
    good = {"op": "replace", "path": "/notes", "value": "nytt"}
    for bad, expected in [
        ({"op": "add", "path": "/notes", "value": "x"}, (400, "InvalidOperation")),
        ({"op": "replace", "path": "/nothing", "value": "x"}, (400, "InvalidParameter")),
        ({"op": "replace", "path": "/status/guid", "value": "none"}, (400, "InvalidParameter")),
        ({"op": "replace", "path": "/dueDate", "value": "soon"}, (400, "InvalidParameter")),
    ]:
        assert kind(acme.http.patch(path, json=[good, bad])) == expected
    assert kind(acme.http.patch(path, json=good)) == (400, "InvalidRequest")
    assert acme.invoice()["notes"] != "nytt"
    assert acme.invoice()["lastUpdatedDateTime"] == before


def test_a_read_only_status_lets_only_status_and_payment_date_through(acme: Company) -> None:
    acme.severa.set_status(acme.invoice(), TRANSFER)
    path = f"/invoices/{acme.invoice()['guid']}"
    assert kind(acme.patch(path, "/notes", "x")) == (400, "InvalidOperation")
    assert acme.patch(path, "/paymentDate", "2026-04-02").status_code == 200
    assert acme.patch(path, "/status/guid", RECEIVED).status_code == 200
    acme.severa.options.status_patch_when_read_only = False
    assert kind(acme.patch(path, "/status/guid", TRANSFER)) == (400, "InvalidOperation")


def test_an_unknown_guid_is_404_without_a_body(acme: Company) -> None:
    for method, path in [("GET", "/invoices/x"), ("PATCH", "/customers/x"), ("GET", "/nothing")]:
        answer = acme.http.request(method, path, json=[])
        assert (answer.status_code, answer.text) == (404, "")


def test_both_versions_of_the_path_are_the_same(acme: Company) -> None:
    headers = dict(acme.http.headers)
    other = httpx.get(f"{acme.url}/rest-api/v1.0/vatrates", headers=headers, trust_env=False)
    assert other.json() == acme.get("/vatrates")


def test_a_post_says_what_is_missing(acme: Company) -> None:
    answer = acme.http.post("/customers", json={"vatNumber": "SE1"})
    detail = answer.json()["error"]["details"][0]
    assert kind(answer) == (400, "InvalidParameter")
    assert detail["message"] == "Name is required."
    assert detail["location"] == {"type": "RequestBody", "name": "name", "identifier": None}


def test_a_post_ignores_case_and_unknown_fields_and_numbers_the_customer(acme: Company) -> None:
    sent = {"Name": "Ny AB", "VATNUMBER": "SE556000000001", "organisationsnummer": "x"}
    answer = acme.http.post("/customers", json=sent)
    made = answer.json()
    assert (answer.status_code, made["vatNumber"]) == (201, "SE556000000001")
    assert made["number"] == 1042
    taken = acme.http.post("/customers", json={"name": "Kopia", "number": 1042})
    assert kind(taken) == (400, "InvalidParameter")


def test_what_is_in_use_is_not_deleted(acme: Company) -> None:
    customer = acme.severa.find("customers", 1001)["guid"]
    assert kind(acme.http.delete(f"/customers/{customer}")) == (400, "InvalidOperation")
    assert kind(acme.http.delete(f"/invoicestatuses/{DRAFT}")) == (400, "InvalidOperation")
