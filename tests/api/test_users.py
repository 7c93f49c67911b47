"""People are added, changed and shut out by the admin API; a password goes in and never out."""

from typing import Any

import pytest
from structlog.testing import capture_logs

from app import people, sessions
from app.models import audit
from app.models import people as rows
from tests.api.conftest import Stage

USERS, PASSWORD = "/api/v1/users", "canary of a password"
ASA = {"name": "asa@acme.example", "role": "view", "password": PASSWORD}


def put_in(stage: Stage) -> dict[str, Any]:
    answer = stage.client.post(USERS, json=ASA)
    assert answer.status_code == 201, answer.text
    return dict(answer.json())


def can_log_in(stage: Stage, password: str = PASSWORD) -> bool:
    with stage.hall.db.reading() as tx:
        return people.known(tx, ASA["name"], password) is not None


def test_a_person_is_added_changed_shut_out_let_in_again_and_forgotten(stage: Stage) -> None:
    assert put_in(stage) == {
        "name": "asa@acme.example",
        "label": "asa@acme.example",
        "kind": "local",
        "role": "view",
        "created_at": "2026-11-24T08:00:00.000Z",
        "seen_at": None,
        "disabled_at": None,
    }
    at, another = f"{USERS}/{ASA['name']}", "canary of another one"
    with stage.hall.db.transaction() as tx:
        known = people.known(tx, ASA["name"], PASSWORD)
        assert known is not None
        cookie = sessions.begin(tx, known, stage.now)
    changed = stage.client.patch(at, json={"role": "operate", "password": another}).json()
    assert (changed["role"], can_log_in(stage), can_log_in(stage, another)) == (
        "operate",
        False,
        True,
    )
    with stage.hall.db.reading() as tx:
        assert sessions.find(tx, cookie, stage.now) is None
    assert stage.client.patch(at, json={"disabled": True}).json()["disabled_at"] is not None
    assert not can_log_in(stage, another)
    assert stage.client.patch(at, json={"disabled": False}).json()["disabled_at"] is None
    assert can_log_in(stage, another)
    assert stage.client.delete(at).status_code == 204
    assert stage.client.get(USERS).json() == {"users": []}
    assert [(row.action, row.facts) for row in stage.rows(audit)] == [
        ("person.added", {"person": ASA["name"], "scope": "view"}),
        ("person.changed", {"person": ASA["name"], "scope": "operate", "password": "changed"}),
        ("person.changed", {"person": ASA["name"], "disabled": True}),
        ("person.changed", {"person": ASA["name"], "disabled": False}),
        ("person.removed", {"person": ASA["name"]}),
    ]


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"name": "admin"}, "name"),
        ({"name": "oidc-0123"}, "name"),
        ({"name": "å"}, "name"),
        ({"name": "x" * 41}, "name"),
        ({"password": "canary"}, "password"),
        ({"role": "owner"}, "role"),
        ({"admin": True}, "admin"),
    ],
)
def test_who_cannot_be_added_is_named_by_the_field_and_nothing_is_kept(
    stage: Stage, change: dict[str, Any], field: str
) -> None:
    with capture_logs() as logs:
        answer = stage.client.post(USERS, json=ASA | change)
    assert answer.status_code == 400
    assert [one["field"] for one in answer.json()["errors"]] == [field]
    assert "canary" not in answer.text + str(logs)
    assert stage.rows(rows) == stage.rows(audit) == []


def test_what_changes_nothing_is_not_written_down(stage: Stage) -> None:
    put_in(stage)
    at = f"{USERS}/{ASA['name']}"
    same = stage.client.patch(at, json={"role": "view", "disabled": False})
    assert same.status_code == 200
    assert stage.client.post(USERS, json=ASA).status_code == 400
    assert stage.client.patch(f"{USERS}/nobody", json={"disabled": True}).status_code == 404
    assert stage.client.delete(f"{USERS}/%00").status_code == 404
    assert [row.action for row in stage.rows(audit)] == ["person.added"]
