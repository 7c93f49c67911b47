"""What was heard, shown without what the letter says."""

import json

import pytest
from sqlalchemy import update

from app.models import events
from app.worklist import Want
from tests.api.conftest import BOTH, GUID, Stage

WANT = Want("acme", "invoice", GUID.format(7))
BODY = {
    "type": "invoice.updated",
    "timestamp": "2026-11-24T08:15:30Z",
    "data": {"guid": GUID.format(7), "customer": "Anna Andersson", "amounts": [1, "2 kr", None]},
    "note": {"guid": {"name": "hidden"}, "paid": True},
}


def test_an_event_is_shown_with_its_letter_masked(stage: Stage) -> None:
    stage.connect()
    event = stage.hear("one", json.dumps(BODY).encode(), WANT)
    work_id = stage.want()
    answer = stage.client.get(f"/api/v1/events/{event}")
    assert answer.json() == {
        "id": event,
        "connection": "acme",
        "source": "severa",
        "door": "webhook",
        "type": "invoice.updated",
        "status": "accepted",
        "reason": None,
        "received_at": "2026-11-24T08:00:00.000Z",
        "transfer_id": work_id,
        "payload": {
            "type": "invoice.updated",
            "timestamp": "2026-11-24T08:15:30Z",
            "data": {
                "guid": GUID.format(7),
                "customer": "********",
                "amounts": [1, "********", None],
            },
            "note": {"guid": {"name": "********"}, "paid": True},
        },
    }


def test_an_expired_payload_is_null(stage: Stage) -> None:
    stage.connect()
    event = stage.hear("one", b"{}", WANT)
    with stage.hall.db.transaction() as tx:
        tx.execute(update(events).values(body=None))
    assert stage.client.get(f"/api/v1/events/{event}").json()["payload"] is None


@pytest.mark.parametrize("body", [b"not json", b"\xff\xfe", b"[" * 100_000, b'"\\ud800"'])
def test_a_payload_that_cannot_be_shown_does_no_harm(stage: Stage, body: bytes) -> None:
    stage.connect()
    event = stage.hear("one", body, WANT)
    answer = stage.client.get(f"/api/v1/events/{event}")
    assert (answer.status_code, answer.json()["payload"] in (None, "********")) == (200, True)


@BOTH
@pytest.mark.parametrize("name", ["evt_unknown", "%00", "å"])
def test_an_unknown_event_is_not_found(stage: Stage, name: str) -> None:
    assert stage.client.get(f"/api/v1/events/{name}").status_code == 404


@BOTH
def test_the_events_of_a_connection_newest_first(stage: Stage) -> None:
    stage.connect()
    stage.connect("other")
    mine = [stage.hear(f"{number}", b"{}", WANT) for number in range(3)]
    ignored = stage.hear("ignored", b"{}", None, reason="nothing_follows")
    stage.hear("foreign", b"{}", Want("other", "invoice", "1"))
    at = "/api/v1/connections/acme/events"
    first = stage.client.get(at, params={"limit": 3}).json()
    rest = stage.client.get(at, params={"limit": 3, "cursor": first["next_cursor"]}).json()
    shown = first["events"] + rest["events"]
    assert sorted(one["id"] for one in shown) == sorted([*mine, ignored])
    assert [one["id"] for one in shown] == sorted((one["id"] for one in shown), reverse=True)
    assert rest["next_cursor"] is None
    only = stage.client.get(at, params={"status": "ignored"}).json()["events"]
    assert [(one["id"], one["reason"]["code"]) for one in only] == [(ignored, "nothing_follows")]
    assert stage.client.get(at, params={"cursor": "?"}).status_code == 400
    assert stage.client.get(at, params={"status": "lost"}).status_code == 400
