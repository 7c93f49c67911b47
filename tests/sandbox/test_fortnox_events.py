"""The WebSocket of the Fortnox sandbox, spoken to by a real client."""

import json
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from tests.sandbox.fortnox_client import company


def ask(socket, command, **fields):
    socket.send(json.dumps({"command": command, **fields}))
    return hear(socket)


def hear(socket):
    return json.loads(socket.recv(timeout=5))


def silent(socket):
    with pytest.raises(TimeoutError):
        socket.recv(timeout=0.1)


@contextmanager
def listening(c, *topics, token=None):
    token = token or c.fortnox.access_token("app", "654896")
    with connect(c.url.replace("http", "ws") + "/topics-v1") as socket:
        added = ask(
            socket, "add-tenants-v1", clientSecret="secret", accessTokens=[f"Bearer {token}"]
        )
        assert added == {
            "response": "add-tenants-v1",
            "result": "ok",
            "tenantIds": {f"Bearer {token}": 654896},
        }
        assert ask(socket, "add-topics-v1", topics=list(topics))["result"] == "ok"
        assert ask(socket, "subscribe-v1") == {"response": "subscribe-v1", "result": "ok"}
        yield socket


def test_a_change_is_heard_with_ids_and_no_content():
    with company() as c, listening(c, {"topic": "invoices"}) as socket:
        c.invoice()
        event = hear(socket)
        assert event == c.fortnox.events[-1]
        assert list(event) == ["topic", "offset", "type", "tenantId", "entityId", "timestamp"]
        assert (event["type"], event["tenantId"], event["entityId"]) == (
            "invoice-created-v1",
            654896,
            "1",
        )


def test_vouchers_say_year_and_series():
    with company() as c:
        c.invoice()
        with listening(c, {"topic": "vouchers"}) as socket:
            c.tenant.book(1)
            event = hear(socket)
    assert (event["year"], event["series"], event["id"]) == (3, "B", "1")


@pytest.mark.parametrize(("reading", "first"), [("inclusive", "2"), ("exclusive", "3")])
def test_a_listener_resumes_from_its_offset(reading, first):
    with company(websocket_offset=reading) as c:
        for _ in range(3):
            c.invoice()
        offset = c.fortnox.events[1]["offset"]
        with listening(c, {"topic": "invoices", "offset": offset}) as socket:
            assert hear(socket)["entityId"] == first


def test_without_an_offset_the_past_is_past():
    with company() as c:
        c.invoice()
        with listening(c, {"topic": "invoices"}) as socket:
            silent(socket)


def test_an_offset_older_than_two_weeks_starts_at_the_oldest_kept():
    now = [datetime(2026, 11, 1, tzinfo=UTC)]
    with company(clock=lambda: now[0]) as c:
        c.invoice()
        offset = c.fortnox.events[0]["offset"]
        now[0] += timedelta(days=15)
        c.invoice()
        with listening(c, {"topic": "invoices", "offset": offset}) as socket:
            assert hear(socket)["entityId"] == "2"


def test_events_can_come_twice():
    with company(event_copies=2) as c, listening(c, {"topic": "invoices"}) as socket:
        c.invoice()
        assert hear(socket) == hear(socket)


def test_other_companies_and_other_topics_are_not_heard():
    with company() as c, listening(c, {"topic": "invoices"}) as socket:
        c.fortnox.add_tenant("777").add_project("P1")
        c.tenant.add_project("P2")
        silent(socket)


def test_tenants_can_be_listed_and_removed():
    with company() as c, listening(c, {"topic": "projects"}) as socket:
        assert ask(socket, "list-tenants-v1")["tenantIds"] == [654896]
        assert ask(socket, "remove-tenants-v1", tenants=[654896])["result"] == "ok"
        c.tenant.add_project("P2")
        silent(socket)


def test_wrong_tokens_secrets_and_topics_are_named():
    with company() as c, connect(c.url.replace("http", "ws") + "/topics-v1") as socket:
        token = f"Bearer {c.fortnox.access_token('app', '654896')}"
        wrong = ask(socket, "add-tenants-v1", clientSecret="no", accessTokens=[token])
        assert (wrong["result"], wrong["invalidTokens"]) == ("error", [token])
        assert ask(socket, "add-topics-v1", topics=[{"topic": "nonsense"}]) == {
            "response": "add-topics-v1",
            "result": "error",
            "invalidTopics": ["nonsense"],
        }


def test_sockets_can_be_dropped():
    with company() as c, listening(c, {"topic": "invoices"}) as socket:
        c.fortnox.drop_sockets()
        with pytest.raises(ConnectionClosed):
            socket.recv(timeout=5)


def test_every_event_is_also_told_to_whoever_is_named():
    heard = []
    with company() as c:
        c.fortnox.options.notify = heard.append
        c.invoice()
        c.tenant.book(1)
        assert heard == list(c.fortnox.events)
        assert len(heard) == 4
