"""Whatever goes wrong is a problem document, and says nothing it should not."""

import pytest
from sqlalchemy import text
from sqlalchemy.exc import OperationalError

from app.errors import Blocked, CannotStore, Unclear, because
from app.models import connections
from tests.api.conftest import ADMIN_KEY, BOTH, Stage, settings_of

PATHS = ("/connections", "/connections/acme", "/connections/acme/transfers", "/events/evt_1")


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize(
    "given", ["", "Bearer", "Bearer wrong", f"Basic {ADMIN_KEY}", ADMIN_KEY, "Bearer \xe5"]
)
def test_without_the_admin_key_nothing_is_answered(stage: Stage, path: str, given: str) -> None:
    stage.connect()
    headers = {"Authorization": given.encode("latin-1")}
    answer = stage.client.get(f"/api/v1{path}", headers=headers)
    assert (answer.status_code, answer.headers["www-authenticate"]) == (401, "Bearer")
    assert answer.headers["content-type"] == "application/problem+json"
    assert "acme" not in answer.text


def test_the_key_is_asked_for_before_the_body_is_looked_at(stage: Stage) -> None:
    answer = stage.client.put(
        "/api/v1/connections/acme", content=b"{", headers={"Authorization": "Bearer no"}
    )
    assert answer.status_code == 401
    assert stage.rows(connections) == []


@pytest.mark.parametrize("path", ["/nowhere", "/api/v1/nowhere", "/api/v1/connections/nobody"])
def test_what_is_not_there_is_a_problem(stage: Stage, path: str) -> None:
    answer = stage.client.get(path)
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json() | {"detail": ""} == {
        "type": "about:blank",
        "title": "Not found",
        "status": 404,
        "detail": "",
    }


@BOTH
@pytest.mark.parametrize("name", ["Acme", "%00", "a%0Ab", "å", "a" * 64, "..%2f"])
def test_a_name_that_cannot_be_one_is_not_found(stage: Stage, name: str) -> None:
    assert stage.client.get(f"/api/v1/connections/{name}").status_code == 404
    assert stage.client.put(f"/api/v1/connections/{name}", json={}).status_code in (400, 404)
    assert stage.rows(connections) == []


def test_a_wrong_method_says_which_is_right(stage: Stage) -> None:
    answer = stage.client.post("/api/v1/connections")
    assert (answer.status_code, answer.headers["allow"]) == (405, "GET")
    assert answer.json()["title"] == "Method not allowed"


def test_a_body_is_read_up_to_the_limit_only(stage: Stage) -> None:
    body = settings_of("acme", label="x" * 1024 * 1024)
    answer = stage.client.put("/api/v1/connections/acme", json=body)
    assert (answer.status_code, answer.json()["title"]) == (413, "Too large")
    assert stage.rows(connections) == []


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (CannotStore("OperationalError"), 503),
        (OperationalError("SELECT canary", {}, Exception("canary")), 503),
        (Unclear("fortnox", "did not answer"), 502),
        (Blocked(because("customer_number_missing")), 409),
        (ZeroDivisionError("canary"), 500),
    ],
)
def test_an_error_tells_what_to_do_and_no_more(stage: Stage, error: Exception, status: int) -> None:
    def fail() -> None:
        raise error

    stage.client.app.add_api_route("/fails", fail)  # type: ignore[attr-defined]
    answer = stage.client.get("/fails")
    assert (answer.status_code, answer.json()["status"]) == (status, status)
    assert answer.headers["content-type"] == "application/problem+json"
    assert "canary" not in answer.text


def test_a_database_without_its_tables_is_not_available(stage: Stage) -> None:
    with stage.hall.db.transaction() as tx:
        tx.execute(text("DROP TABLE connections"))
    answer = stage.client.get("/api/v1/connections")
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")


def test_the_docs_ask_nobody_else_for_anything(stage: Stage) -> None:
    del stage.client.headers["Authorization"]
    answer = stage.client.get("/api/v1/docs")
    assert answer.status_code == 200
    assert "http" not in answer.text.replace("https://bridge.example", "").replace("http_", "")
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    for path in stage.client.get("/api/v1/openapi.json").json()["paths"]:
        assert path in answer.text


def test_the_openapi_document_promises_no_answer_that_is_never_given(stage: Stage) -> None:
    document = stage.client.get("/api/v1/openapi.json").json()
    calls = [call for path in document["paths"].values() for call in path.values()]
    assert calls
    assert [call for call in calls if "422" in call["responses"]] == []
    assert [call for call in calls if "security" not in call] == []
