"""Admin keys: every call asks for its scope, and what people make happen is written down."""

from collections.abc import Callable
from typing import Any

import pytest
from starlette.testclient import TestClient
from structlog.testing import capture_logs

from app import access, people
from app.api import consent
from app.api.permits import PERMITS
from app.backfills import WAYS
from app.identity import SCOPES, Identity, Scope
from app.invitations import Link
from app.models import admin_keys, audit
from app.scopes import Scopes
from app.worklist import Want
from tests.api.conftest import ADMIN_KEY, BOTH, GUID, SECRETS, Stage, settings_of

AT = "/api/v1/connections/acme"
PASSWORD = "canary of a password"
METHODS = ("get", "put", "patch", "post", "delete")


class Notary:
    """Opens no window."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage

    def invite(self, connection: Any, who: Identity) -> Link:
        return Link("https://fortnox.example/consent", self._stage.now)

    def look_at_severa(self, connection: Any) -> Scopes:
        return Scopes()

    def receive(self, brought: Any) -> Any:
        raise AssertionError("nobody comes back")


@pytest.fixture
def whole(stage: Stage) -> Stage:
    """With every call that the application mounts."""
    consent.mount(stage.client.app, Notary(stage))  # type: ignore[arg-type]
    return stage


def key(stage: Stage, scope: Scope, name: str = "Kim") -> str:
    made = stage.client.post("/api/v1/keys", json={"name": name, "scope": scope})
    assert made.status_code == 201
    return str(made.json()["key"])


def headers(secret: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {secret}"}


def calls(client: TestClient) -> list[tuple[str, str, str]]:
    """Method, path and scope of everything in the OpenAPI document."""
    document = client.get("/api/v1/openapi.json").json()
    return [
        (method, path, call["x-scope"])
        for path, methods in document["paths"].items()
        if path.startswith("/api/v1")
        for method, call in methods.items()
        if method in METHODS
    ]


def test_every_call_asks_for_its_scope(whole: Stage) -> None:
    keys = {scope: key(whole, scope) for scope in SCOPES}
    found = calls(whole.client)
    assert {f"{method.upper()} {path[7:]}" for method, path, _ in found} == set(PERMITS)
    for method, path, needed in found:
        address = path.format(
            connection="acme", transfer="t", backfill="b", event="e", key="k", user="u"
        )
        for scope, secret in keys.items():
            answer = whole.client.request(method, address, headers=headers(secret))
            enough = SCOPES.index(scope) >= SCOPES.index(needed)  # type: ignore[arg-type]
            assert (answer.status_code != 403) == enough, (method, path, scope)
            assert answer.status_code < 500
        for wrong in ("", "Bearer", f"Bearer {access.PREFIX}wrong", f"Basic {keys['view']}"):
            refused = whole.client.request(method, address, headers={"Authorization": wrong})
            assert refused.status_code == 401
    assert [row.action for row in whole.rows(audit)] == ["key.created"] * 3


def test_looking_needs_no_more_than_the_scope_to_view() -> None:
    """What a reader may not read is the keys, the people and who did what."""
    kept_close = {"GET /keys", "GET /users", "GET /audit"}
    for call, scope in PERMITS.items():
        reads = call.startswith("GET ") and call not in kept_close
        assert reads == (scope == "view"), call


@BOTH
def test_a_key_is_shown_once_and_only_its_hash_is_kept(stage: Stage) -> None:
    with capture_logs() as logs:
        secret = key(stage, "view")
    assert len(secret) >= 46
    stored = stage.rows(admin_keys)
    assert secret not in str(stored)
    assert stored[0].hash not in str(logs)
    listed = stage.client.get("/api/v1/keys")
    assert secret not in listed.text + str(logs)
    assert stored[0].hash not in listed.text
    (one,) = listed.json()["keys"]
    assert (one["name"], one["scope"], one["begins"]) == ("Kim", "view", secret[:8])
    assert one["last_used_at"] is None
    stage.later(minutes=1)
    assert stage.client.get("/api/v1/connections", headers=headers(secret)).status_code == 200
    used = stage.client.get("/api/v1/keys").json()["keys"][0]["last_used_at"]
    assert used == "2026-11-24T08:01:00.000Z"


@BOTH
def test_a_revoked_key_opens_nothing_and_neither_does_a_login_made_with_it(stage: Stage) -> None:
    secret = key(stage, "operate")
    (row,) = stage.rows(admin_keys)
    with stage.hall.db.reading() as tx:
        assert access.standing(tx, row.id, stage.now) == Identity("key", row.id, "Kim", "operate")
    assert stage.client.delete(f"/api/v1/keys/{row.id}").status_code == 204
    assert stage.client.get("/api/v1/connections", headers=headers(secret)).status_code == 401
    with stage.hall.db.reading() as tx:
        assert access.standing(tx, row.id, stage.now) is None
        assert access.standing(tx, access.BOOTSTRAP, stage.now) == access.bootstrap()
    assert stage.client.delete(f"/api/v1/keys/{row.id}").status_code == 204
    assert stage.client.delete("/api/v1/keys/key_unknown").status_code == 404
    assert [one.action for one in stage.rows(audit)] == ["key.created", "key.revoked"]


def test_a_key_ends_when_it_was_said_to(stage: Stage) -> None:
    asked = {"name": "Kim", "scope": "view", "expires_at": "2026-11-24T09:00:00Z"}
    secret = stage.client.post("/api/v1/keys", json=asked).json()["key"]
    stage.later(minutes=59)
    assert stage.client.get("/api/v1/connections", headers=headers(secret)).status_code == 200
    stage.later(minutes=1)
    assert stage.client.get("/api/v1/connections", headers=headers(secret)).status_code == 401
    assert stage.client.post("/api/v1/keys", json=asked).status_code == 400


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"scope": "all"}, "scope"),
        ({"name": ""}, "name"),
        ({"name": "a\nb"}, "name"),
        ({"name": "x" * 101}, "name"),
        ({"expires_at": "soon"}, "expires_at"),
        ({"admin": True}, "admin"),
    ],
)
def test_a_key_asked_for_wrongly_is_not_made(
    stage: Stage, change: dict[str, Any], field: str
) -> None:
    answer = stage.client.post("/api/v1/keys", json={"name": "Kim", "scope": "view"} | change)
    assert answer.status_code == 400
    assert [one["field"] for one in answer.json()["errors"]] == [field]
    assert stage.rows(admin_keys) == stage.rows(audit) == []


def retried(stage: Stage) -> Any:
    want = Want("acme", "invoice", GUID.format(7))
    stage.want()
    transfer = stage.end(want, "blocked", "unit_missing")
    return stage.client.post(f"{AT}/transfers/{transfer}/retry")


def retried_together(stage: Stage) -> Any:
    stage.want()
    stage.end(Want("acme", "invoice", GUID.format(7)), "blocked", "unit_missing")
    return stage.client.post(f"{AT}/transfers/retry", json={"state": "blocked"})


def revoked(stage: Stage) -> Any:
    with stage.hall.db.transaction() as tx:
        made = access.create(tx, "Kim", "view", stage.now)
    return stage.client.delete(f"/api/v1/keys/{made.row.id}")


def of_somebody(stage: Stage, method: str, **changes: Any) -> Any:
    with stage.hall.db.transaction() as tx:
        people.add(tx, "asa", PASSWORD, "view", stage.now)
    return stage.client.request(method, "/api/v1/users/asa", json=changes)


# Every call that changes something: how it is made to, and the action it is written down as.
CHANGING: dict[str, tuple[str, Callable[[Stage], Any]]] = {
    "PUT /connections/{connection}": (
        "connection.changed",
        lambda stage: stage.client.put(AT, json=settings_of("acme", label="Nytt namn")),
    ),
    "PATCH /connections/{connection}": (
        "connection.changed",
        lambda stage: stage.client.patch(AT, json={"severa": {"client_secret": "canary-new"}}),
    ),
    "DELETE /connections/{connection}": (
        "connection.deleted",
        lambda stage: stage.client.delete(AT),
    ),
    "POST /connections/{connection}/activate": (
        "connection.activated",
        lambda stage: stage.client.post(f"{AT}/activate"),
    ),
    "POST /connections/{connection}/deactivate": (
        "connection.deactivated",
        lambda stage: stage.client.post(f"{AT}/deactivate"),
    ),
    "POST /connections/{connection}/transfers/{transfer}/retry": ("transfers.retried", retried),
    "POST /connections/{connection}/transfers/retry": ("transfers.retried", retried_together),
    "POST /connections/{connection}/backfill": (
        "backfill.started",
        lambda stage: stage.client.post(
            f"{AT}/backfill", json={"kind": "customer", "direction": WAYS["customer"][0]}
        ),
    ),
    "POST /keys": (
        "key.created",
        lambda stage: stage.client.post("/api/v1/keys", json={"name": "Kim", "scope": "view"}),
    ),
    "DELETE /keys/{key}": ("key.revoked", revoked),
    "POST /users": (
        "person.added",
        lambda stage: stage.client.post(
            "/api/v1/users", json={"name": "asa", "role": "view", "password": PASSWORD}
        ),
    ),
    "PATCH /users/{user}": (
        "person.changed",
        lambda stage: of_somebody(stage, "PATCH", password=PASSWORD, role="operate"),
    ),
    "DELETE /users/{user}": ("person.removed", lambda stage: of_somebody(stage, "DELETE")),
}
WRITTEN_BY_THE_NOTARY = "POST /connections/{connection}/fortnox/consent"  # see test_consent.py
WRITTEN_WHERE_MAILS_ARE_SENT = "POST /connections/{connection}/mail/test"  # see test_mail.py
CANCELS = "POST /connections/{connection}/backfills/{backfill}/cancel"  # see test_cancelling.py
ASKS_ONLY = "POST /connections/{connection}/severa/check"


def test_every_call_that_changes_something_has_an_example_here() -> None:
    changing = {call for call in PERMITS if not call.startswith("GET ")}
    assert changing == {
        *CHANGING,
        WRITTEN_BY_THE_NOTARY,
        WRITTEN_WHERE_MAILS_ARE_SENT,
        CANCELS,
        ASKS_ONLY,
    }


@pytest.mark.parametrize("call", CHANGING)
def test_what_changes_something_is_written_down_with_who_and_from_where(
    stage: Stage, call: str
) -> None:
    stage.connect()
    action, change = CHANGING[call]
    assert change(stage).status_code < 300
    (row,) = stage.rows(audit)
    assert row.action == action
    assert row.at == stage.now
    assert row.connection == ("acme" if "/connections" in call else None)
    assert (row.who_kind, row.who_id, row.who_name) == ("key", "bootstrap", "ADMIN_KEY")
    assert row.origin == "testclient"
    for secret in (*SECRETS.values(), ADMIN_KEY, PASSWORD, "canary-new", access.PREFIX):
        assert secret not in str(row)


def test_a_change_says_what_it_was_and_what_it_became_without_secrets(stage: Stage) -> None:
    assert stage.client.put(AT, json=settings_of("acme")).status_code == 201
    secret = key(stage, "configure", "Robin")
    change = {"label": "Nytt namn", "severa": {"client_secret": "canary-new"}}
    assert stage.client.patch(AT, json=change, headers=headers(secret)).status_code == 200
    newest = stage.client.get("/api/v1/audit").json()["entries"][0]
    assert newest["who"]["name"] == "Robin"
    assert newest["facts"]["changes"] == [
        {"field": "label", "from": "Åkeriet AB", "to": "Nytt namn"},
        {"field": "severa.client_secret", "from": "********", "to": "********"},
    ]


def test_what_changes_nothing_or_is_refused_is_not_written_down(stage: Stage) -> None:
    stage.connect()
    stage.client.put(AT, json=settings_of("acme"))
    stage.client.put(AT, json={"label": 7})
    stage.client.post("/api/v1/connections/other/activate")
    stage.client.post(f"{AT}/transfers/retry?dry_run=true", json={"state": "blocked"})
    assert stage.rows(audit) == []


@BOTH
def test_the_audit_log_is_filtered_and_read_page_by_page(stage: Stage) -> None:
    stage.connect()
    stage.connect("other")
    for name in ("acme", "other", "acme"):
        stage.later(minutes=1)
        stage.client.post(f"/api/v1/connections/{name}/activate")
    key(stage, "view")

    def asked(**query: Any) -> list[tuple[str, str | None]]:
        entries = stage.client.get("/api/v1/audit", params=query).json()["entries"]
        return [(one["action"], one["connection"]) for one in entries]

    newest_first = [
        ("key.created", None),
        ("connection.activated", "acme"),
        ("connection.activated", "other"),
        ("connection.activated", "acme"),
    ]
    assert asked() == newest_first
    assert asked(connection="acme") == [newest_first[1]] * 2
    assert asked(action="key.created,key.revoked") == newest_first[:1]
    assert asked(since="2026-11-24T08:03:00Z") == newest_first[:2]
    assert asked(until="2026-11-24T08:02:00Z") == newest_first[3:]
    assert asked(who="bootstrap") == newest_first
    assert asked(who="key_other") == []
    first = stage.client.get("/api/v1/audit", params={"limit": 3}).json()
    assert len(first["entries"]) == 3
    assert asked(cursor=first["next_cursor"]) == newest_first[3:]
    assert stage.client.get("/api/v1/audit", params={"action": "unknown"}).status_code == 400
