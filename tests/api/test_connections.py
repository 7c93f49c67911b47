"""The settings of a connection over the admin API: written once, never read back in full."""

import json
from dataclasses import asdict
from typing import Any

import pytest
from structlog.testing import capture_logs

from app import connections as stored
from app.errors import because
from app.models import connections
from app.reasons import explain
from tests.api.conftest import BOTH, GUID, SECRETS, Stage, settings_of

MASK = "********"
AT = "/api/v1/connections/acme"


def secret_of(stage: Stage) -> str:
    with stage.hall.db.reading() as tx:
        found = stored.find(tx, stage.hall.vault, "acme")
    assert found is not None
    return found.document.severa.client_secret.get_secret_value()


@BOTH
def test_a_new_connection_is_created_masked_and_works_at_once(stage: Stage) -> None:
    answer = stage.client.put(AT, json=settings_of("acme"))
    assert answer.status_code == 201
    document = answer.json()
    assert document["severa"] == {"client_id": "s-id", "client_secret": MASK}
    assert document["webhooks"]["severa"] == {"secrets": [MASK], "bearer_tokens": [MASK]}
    assert document["active"] is True
    assert document["stopped"] is None
    assert document["updated_at"] == "2026-11-24T08:00:00.000Z"
    assert document["webhook_urls"] == {
        "severa": "https://bridge.example/webhooks/acme/severa",
        "fortnox": "https://bridge.example/webhooks/acme/fortnox",
    }
    assert stage.client.get(AT).json() == document
    assert stage.client.get("/api/v1/connections").json() == {"connections": [document]}


def test_the_name_may_be_left_out_of_the_document(stage: Stage) -> None:
    document = settings_of("acme")
    del document["name"]
    assert stage.client.put(AT, json=document).status_code == 201
    assert [row.name for row in stage.rows(connections)] == ["acme"]


@BOTH
def test_the_same_document_again_changes_nothing_and_says_nothing(stage: Stage) -> None:
    first = stage.client.put(AT, json=settings_of("acme")).json()
    before = stage.rows(connections)
    stage.later(minutes=1)
    with capture_logs() as logs:
        again = stage.client.put(AT, json=settings_of("acme"))
        read_back = stage.client.put(AT, json=first)
    assert (again.status_code, read_back.status_code) == (200, 200)
    assert again.json() == read_back.json() == first
    assert stage.rows(connections) == before
    assert logs == []


def test_a_mask_keeps_the_secret_that_is_stored(stage: Stage) -> None:
    document = stage.client.put(AT, json=settings_of("acme")).json()
    changed = stage.client.put(AT, json=document | {"label": "Nytt namn"})
    assert changed.status_code == 200
    assert changed.json()["label"] == "Nytt namn"
    assert secret_of(stage) == SECRETS["severa"]


def test_a_mask_that_keeps_nothing_never_becomes_a_secret(stage: Stage) -> None:
    door = {"secrets": [], "bearer_tokens": [MASK]}
    answer = stage.client.put(AT, json={"webhooks": {"severa": door}})
    assert answer.status_code == 400
    assert answer.json()["errors"][0]["field"] == "webhooks.severa.bearer_tokens"
    assert stage.rows(connections) == []


def test_a_shorter_list_has_to_say_which_secret_stays(stage: Stage) -> None:
    door = {"secrets": [SECRETS["signing"], "whsec_bmV3"], "bearer_tokens": []}
    stage.connect(webhooks={"severa": door})
    before = stage.rows(connections)
    headers = {"Content-Type": "application/merge-patch+json"}
    patch = json.dumps({"webhooks": {"severa": {"secrets": [MASK]}}})
    answer = stage.client.patch(AT, content=patch, headers=headers)
    assert answer.status_code == 400
    assert answer.json()["errors"][0]["field"] == "webhooks.severa.secrets"
    assert stage.rows(connections) == before


@BOTH
def test_a_patch_changes_what_it_names_and_null_means_the_default(stage: Stage) -> None:
    stage.connect(invoice_statuses={"transfer": GUID.format(1), "paid": GUID.format(3)})
    patch = {"invoice_statuses": {"paid": None}, "cost_centers": {"map": {"10": "STH"}}}
    headers = {"Content-Type": "application/merge-patch+json"}
    answer = stage.client.patch(AT, content=json.dumps(patch), headers=headers)
    assert answer.status_code == 200
    document = answer.json()
    assert document["invoice_statuses"]["paid"] is None
    assert document["invoice_statuses"]["transfer"] == GUID.format(1)
    assert document["cost_centers"] == {"from": "row", "map": {"10": "STH"}}
    assert secret_of(stage) == SECRETS["severa"]


def test_a_patch_of_nothing_is_not_a_change(stage: Stage) -> None:
    stage.connect()
    before = stage.rows(connections)
    stage.later(minutes=1)
    assert stage.client.patch(AT, json={"active": False, "label": "Åkeriet AB"}).status_code == 200
    assert stage.rows(connections) == before


@pytest.mark.parametrize(
    ("method", "given", "lost"),
    [
        ("PUT", {"fortnox": {"client_id": "f", "client_secret": MASK}}, ["fortnox.tenant_id"]),
        ("PUT", {"severa": {}}, ["severa.client_id", "severa.client_secret"]),
        ("PATCH", {"fortnox": {"tenant_id": None}}, ["fortnox.tenant_id"]),
        ("PATCH", {"invoice_statuses": {"received": ""}}, ["invoice_statuses.received"]),
    ],
)
def test_an_active_connection_keeps_every_setting_that_it_needs(
    stage: Stage, method: str, given: dict[str, Any], lost: list[str]
) -> None:
    stage.connect()
    before = stage.rows(connections)
    stage.later(minutes=1)
    body = settings_of("acme") | given if method == "PUT" else given
    answer = stage.client.request(method, AT, json=body)
    assert (answer.status_code, answer.json()["missing"]) == (409, lost)
    assert stage.rows(connections) == before
    stage.client.post(f"{AT}/deactivate")
    assert stage.client.request(method, AT, json=body).status_code == 200
    refused = stage.client.post(f"{AT}/activate")
    assert (refused.status_code, refused.json()["missing"]) == (409, lost)


def test_an_unknown_connection_cannot_be_patched(stage: Stage) -> None:
    assert stage.client.patch(AT, json={"label": "x"}).status_code == 404
    assert stage.rows(connections) == []


@pytest.mark.parametrize(
    ("part", "field"),
    [
        ({"severa": {"client_secret": 4711}}, "severa.client_secret"),
        ({"webhooks": {"severa": {"secrets": ["not-a-secret"]}}}, "webhooks.severa.secrets[0]"),
        ({"invoice_statuses": {"transfer": "no guid"}}, "invoice_statuses.transfer"),
        ({"bookkeep_invoices": "perhaps"}, "bookkeep_invoices"),
        ({"language": "fi"}, "language"),
        ({"colour": "red"}, "colour"),
        ({"name": "other"}, "name"),
        ({"label": "\ud800"}, "body"),
        ({"cost_centers": {"map": {"\ud800": "x"}}}, "body"),
    ],
)
def test_a_bad_setting_is_named_and_nothing_is_stored(
    stage: Stage, part: dict[str, Any], field: str
) -> None:
    body = json.dumps(settings_of("acme") | part)
    answer = stage.client.put(AT, content=body, headers={"Content-Type": "application/json"})
    assert answer.status_code == 400
    assert answer.headers["content-type"] == "application/problem+json"
    assert [one["field"] for one in answer.json()["errors"]] == [field]
    for value in ("4711", "not-a-secret", "no guid"):
        assert value not in answer.text
    assert stage.rows(connections) == []


@pytest.mark.parametrize("body", [b"", b"[]", b"null", b"{", b'"text"', b"\xff", b"[" * 100_000])
def test_what_is_no_json_object_is_refused(stage: Stage, body: bytes) -> None:
    answer = stage.client.put(AT, content=body, headers={"Content-Type": "application/json"})
    assert (answer.status_code, answer.json()["status"]) == (400, 400)
    assert stage.rows(connections) == []


def test_activating_needs_every_required_setting(stage: Stage) -> None:
    stage.client.put(AT, json={"severa": {"client_id": "s", "client_secret": "x"}})
    answer = stage.client.post(f"{AT}/activate")
    assert answer.status_code == 409
    assert answer.json()["missing"] == [
        "fortnox.client_id",
        "fortnox.client_secret",
        "fortnox.tenant_id",
        "invoice_statuses.transfer",
        "invoice_statuses.received",
    ]
    assert [row.active for row in stage.rows(connections)] == [False]


@BOTH
def test_a_connection_is_switched_on_and_off(stage: Stage) -> None:
    stage.connect(active=False)
    assert stage.client.post(f"{AT}/activate").json()["active"] is True
    assert [row.active for row in stage.rows(connections)] == [True]
    assert stage.client.post(f"{AT}/deactivate").json()["active"] is False
    assert [row.active for row in stage.rows(connections)] == [False]


def test_the_directory_knows_a_change_at_once(stage: Stage) -> None:
    stage.hall.directory.refresh()
    stage.client.put(AT, json=settings_of("acme"))
    assert not stage.hall.directory.is_fresh
    stage.hall.directory.refresh()
    assert stage.hall.directory.get("acme") is not None


def test_why_a_connection_is_stopped_is_told_in_the_language_asked_for(stage: Stage) -> None:
    stage.connect()
    reason = because("not_in_transfer_status", status="Utkast")
    with stage.hall.db.transaction() as tx:
        stored.stop(tx, "acme", reason, stage.now)
    assert stage.client.get(AT).json()["stopped"] == asdict(explain(reason, "sv"))
    in_english = stage.client.get(AT, headers={"Accept-Language": "en"}).json()["stopped"]
    assert in_english == asdict(explain(reason, "en"))


@BOTH
def test_a_deleted_connection_is_gone_with_its_secrets(stage: Stage) -> None:
    stage.connect()
    answer = stage.client.delete(AT)
    assert (answer.status_code, answer.content) == (204, b"")
    assert stage.client.get(AT).status_code == 404
    assert stage.client.delete(AT).status_code == 404
    assert [row.document for row in stage.rows(connections)] == [{"name": "acme"}]


def test_a_change_is_logged_by_field_names_alone(stage: Stage) -> None:
    with capture_logs() as logs:
        stage.client.put(AT, json=settings_of("acme"))
        stage.client.patch(AT, json={"severa": {"client_secret": "another-canary"}})
        stage.client.post(f"{AT}/activate")
        stage.client.delete(AT)
    assert [(one["event"], one.get("fields")) for one in logs] == [
        (
            "connection.changed",
            [
                *("label", "severa.client_id", "severa.client_secret"),
                *("fortnox.client_id", "fortnox.client_secret", "fortnox.tenant_id"),
                *("webhooks.severa.secrets", "webhooks.severa.bearer_tokens"),
                *("webhooks.fortnox.secrets", "webhooks.fortnox.bearer_tokens"),
                *("invoice_statuses.transfer", "invoice_statuses.received"),
            ],
        ),
        ("connection.changed", ["severa.client_secret"]),
        ("connection.changed", ["active"]),
        ("connection.deleted", None),
    ]
    assert "canary" not in str(logs)


def test_no_answer_holds_a_secret(stage: Stage) -> None:
    bad = settings_of("acme") | {"colour": SECRETS["token"], "error_emails": ["nobody"]}
    answers = [
        stage.client.put(AT, json=bad),
        stage.client.put(AT, json=settings_of("acme")),
        stage.client.get(AT),
        stage.client.get("/api/v1/connections"),
        stage.client.patch(AT, json={"severa": {"client_secret": [SECRETS["severa"]]}}),
        stage.client.post(f"{AT}/activate"),
        stage.client.get("/api/v1/openapi.json"),
    ]
    assert [one.status_code for one in answers] == [400, 201, 200, 200, 400, 200, 200]
    assert [one for one in answers if "canary" in one.text or "Y2FuYXJ5" in one.text] == []
