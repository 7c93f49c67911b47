"""The webhook doors over real HTTP: every answer of the contract, and silence behind a refusal."""

import asyncio
import base64
import hashlib
import json
import os
import signal
import socket
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from threading import Thread
from typing import Any

import httpx
import jsonschema
import pytest
from fastapi import FastAPI
from sqlalchemy import event, select, text

from app import clock, connections, signatures, webhooks
from app.documents import MASK, Document
from app.hall import Hall, open_hall
from app.main import build
from app.models import events, metadata, work
from app.sandbox.serving import served
from app.settings import Rate, Settings
from app.webhooks import LARGEST, Doors
from tests import servers
from tests.halls import emptied

pytestmark = pytest.mark.processes

ROOT = Path(__file__).parent.parent
SECRET = "whsec_" + base64.b64encode(b"the signing key of acme!").decode()
OTHER = "whsec_" + base64.b64encode(b"the signing key of none!").decode()
TOKEN = "canary-of-a-bearer-token"
GUID = "1a000000-0000-4000-8000-000000000001"
KNOCK: dict[str, Any] = {
    "type": "invoice.status_changed",
    "timestamp": "2026-11-24T08:15:30Z",
    "data": {"guid": GUID},
}
VOUCHER: dict[str, Any] = {
    "topic": "vouchers",
    "offset": "q81",
    "type": "voucher-created-v1",
    "tenantId": 654896,
    "entityId": "88",
    "timestamp": "2026-11-24T08:15:30Z",
    "year": 3,
    "series": "C",
    "id": "88",
}
DOCUMENT: dict[str, Any] = {
    "name": "acme",
    "webhooks": {
        "severa": {"secrets": [SECRET], "bearer_tokens": [TOKEN]},
        "fortnox": {"secrets": [SECRET]},
    },
}


@dataclass
class Door:
    """The doors as a sender sees them, and what lies behind them."""

    hall: Hall
    url: str
    client: httpx.Client = field(default_factory=lambda: httpx.Client(timeout=30))

    def sign(
        self, body: bytes, message_id: str = "msg_1", secret: str = SECRET, seconds: int = 0
    ) -> dict[str, str]:
        stamp = int((clock.now() + timedelta(seconds=seconds)).timestamp())
        return {
            "webhook-id": message_id,
            "webhook-timestamp": str(stamp),
            "webhook-signature": signatures.sign(secret, message_id, stamp, body),
        }

    def post(self, content: Any, headers: dict[str, str], to: str = "acme/severa") -> Any:
        return self.client.post(f"{self.url}/webhooks/{to}", content=content, headers=headers)

    def knock(self, said: Any = None, message_id: str = "msg_1", to: str = "acme/severa") -> Any:
        """Signed as it should be."""
        body = said if isinstance(said, bytes) else json.dumps(KNOCK if said is None else said)
        body = body if isinstance(body, bytes) else body.encode()
        return self.post(body, self.sign(body, message_id), to)

    def rows(self, table: Any = events) -> list[Any]:
        with self.hall.db.reading() as tx:
            return list(tx.execute(select(table)))

    @contextmanager
    def silence(self) -> Iterator[None]:
        """Nothing is stored, and nobody is told."""
        before = [self.rows(table) for table in metadata.sorted_tables]
        yield
        assert [self.rows(table) for table in metadata.sorted_tables] == before


@pytest.fixture(scope="module")
def open_door(opened: Hall, shared_redis: servers.RedisServer) -> Iterator[Door]:
    with served(build(opened, shared_redis.url)) as url, httpx.Client(timeout=30) as client:
        yield Door(opened, url, client)


@pytest.fixture
def door(open_door: Door) -> Door:
    empty(open_door.hall)
    return open_door


def empty(hall: Hall) -> None:
    """Nothing in it, but for one connection that takes both proofs."""
    with emptied(hall).db.transaction() as tx:
        connections.put(tx, hall.vault, Document.model_validate(DOCUMENT), clock.now())
    hall.directory.forget()


def problem(answer: Any, status: int) -> Any:
    """The body of a refusal, which is a problem document."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    body = answer.json()
    assert {"type", "title", "status"} <= set(body)
    assert body["status"] == status
    return body


# What is declared.


@pytest.mark.parametrize("source", ["severa", "fortnox"])
def test_every_declared_answer_is_given_and_no_other(
    door: Door, source: str, redis_url: str
) -> None:
    document = door.client.get(f"{door.url}/api/v1/openapi.json").json()
    declared = document["paths"][f"/webhooks/{{connection}}/{source}"]["post"]["responses"]
    given = list(every_answer(door, f"acme/{source}", redis_url))
    assert {str(answer.status_code) for answer in given} == set(declared)
    for answer in given:
        says = declared[str(answer.status_code)]
        [(media, shape)] = says["content"].items()
        assert answer.headers["content-type"] == media
        jsonschema.validate(answer.json(), document | shape["schema"])
        assert ("retry-after" in answer.headers) == ("headers" in says)
    examples = {"severa": "SeveraEvent", "fortnox": "FortnoxEvent"}
    for said, one in ((KNOCK, "severa"), (VOUCHER, "fortnox")):
        jsonschema.validate(said, document | document["components"]["schemas"][examples[one]])
        assert document["components"]["schemas"][examples[one]]["example"].keys() == said.keys()
    page = door.client.get(f"{door.url}/api/v1/docs").text
    assert f"/webhooks/{{connection}}/{source}" in page


def every_answer(door: Door, to: str, redis_url: str) -> Iterator[Any]:
    said = KNOCK if to.endswith("severa") else VOUCHER
    nothing = {"type": "party.held", "topic": "offers", "entityId": "1"}
    yield door.knock(said, to=to)
    yield door.knock(said, to=to)
    yield door.knock(said | nothing, "msg_2", to=to)
    yield door.knock(said | {"more": 1}, to=to)
    yield door.knock({"type": 1}, "msg_3", to=to)
    yield door.knock(said, to="nobody/severa")
    yield door.knock(padded(LARGEST + 1), to=to)
    with away(door, "events"):
        yield door.knock(said, "msg_4", to=to)
    limit = door.hall.settings.model_copy(update={"ingest_rate": Rate(1, 60)})
    with served(build(replace(door.hall, settings=limit), redis_url)) as url:
        limited = replace(door, url=url)
        yield limited.knock(said, to=to)
        yield limited.knock(said, to=to)


# 202, 200, 409.


def test_a_signing_secret_is_changed_without_a_refused_event(door: Door) -> None:
    body, key = json.dumps(KNOCK).encode(), door.hall.keys.admin

    def active(*secrets: str) -> None:
        answer = door.client.patch(
            f"{door.url}/api/v1/connections/acme",
            json={"webhooks": {"severa": {"secrets": secrets}}},
            headers={"Authorization": f"Bearer {key}"},
        )
        assert answer.status_code == 200, answer.text

    def knock(secret: str, number: int) -> int:
        signed = door.sign(body, f"msg_{number}", secret)
        return int(door.post(body, signed).status_code)

    assert (knock(SECRET, 1), knock(OTHER, 2)) == (202, 401)
    active(MASK, OTHER)
    assert (knock(SECRET, 3), knock(OTHER, 4)) == (202, 202)
    active(OTHER)
    assert (knock(SECRET, 5), knock(OTHER, 6)) == (401, 202)
    assert {row.identity for row in door.rows()} == {"msg_1", "msg_3", "msg_4", "msg_6"}


def test_an_event_is_accepted_stored_and_to_be_looked_at(door: Door) -> None:
    body = json.dumps(KNOCK).encode()
    answer = door.knock(body)
    [row], [todo] = door.rows(), door.rows(work)
    assert (answer.status_code, answer.json()) == (202, {"id": row.id, "status": "accepted"})
    assert row.id.startswith("evt_")
    assert (row.body, row.identity, row.door, row.source) == (body, "msg_1", "webhook", "severa")
    assert (row.type, row.work_id) == ("invoice.status_changed", todo.id)
    assert (todo.kind, todo.key, todo.state) == ("invoice", GUID, "queued")


def test_a_bearer_token_is_enough_for_who_cannot_sign(door: Door) -> None:
    body = json.dumps(KNOCK).encode()
    answer = door.post(body, {"Authorization": f"Bearer {TOKEN}"})
    assert answer.status_code == 202
    [row] = door.rows()
    assert row.identity == f"sha256:{hashlib.sha256(body).hexdigest()}"


def test_a_fortnox_event_is_known_by_its_topic_and_offset(door: Door) -> None:
    headers = {"Authorization": "Bearer fortnox-token"}
    doors = {"fortnox": {"bearer_tokens": ["fortnox-token"]}}
    with door.hall.db.transaction() as tx:
        document = Document.model_validate(DOCUMENT | {"webhooks": doors})
        connections.put(tx, door.hall.vault, document, clock.now())
    door.hall.directory.forget()
    body = json.dumps(VOUCHER).encode()
    assert door.post(body, headers, "acme/fortnox").status_code == 202
    [row], [todo] = door.rows(), door.rows(work)
    assert (row.source, row.identity, row.type) == ("fortnox", "vouchers:q81", "voucher-created")
    assert (todo.kind, todo.key) == ("voucher", "3/C/88")
    assert door.post(body, headers, "acme/fortnox").json()["status"] == "duplicate"
    other = json.dumps(VOUCHER | {"id": "89"}).encode()
    problem(door.post(other, headers, "acme/fortnox"), 409)


def test_an_inactive_connection_still_keeps_what_it_hears(door: Door) -> None:
    assert door.knock().status_code == 202


def test_the_same_event_again_is_a_duplicate(door: Door) -> None:
    first, again = door.knock(), door.knock()
    assert (again.status_code, again.json()) == (
        200,
        {"id": first.json()["id"], "status": "duplicate"},
    )
    assert (len(door.rows()), door.rows(work)[0].wanted) == (1, 1)


def test_the_same_identity_with_another_body_is_a_conflict(door: Door) -> None:
    first = door.knock()
    with door.silence():
        answer = door.knock(KNOCK | {"timestamp": "2026-11-24T09:00:00Z"})
        assert problem(answer, 409)["id"] == first.json()["id"]


@pytest.mark.parametrize(
    ("said", "to", "reason"),
    [
        (KNOCK | {"type": "user.updated"}, "acme/severa", "unknown_event_type"),
        (KNOCK | {"type": "invoice.exploded"}, "acme/severa", "unknown_event_type"),
        (VOUCHER | {"type": "voucher-deleted-v1"}, "acme/fortnox", "nothing_follows"),
        (VOUCHER | {"topic": "orders"}, "acme/fortnox", "nothing_follows"),
        (VOUCHER | {"type": "voucher-exploded-v1"}, "acme/fortnox", "unknown_event_type"),
    ],
)
def test_what_leads_to_nothing_is_stored_and_ignored(
    door: Door, said: Any, to: str, reason: str
) -> None:
    answer = door.knock(said, to=to)
    [row] = door.rows()
    assert (answer.status_code, answer.json()) == (
        202,
        {"id": row.id, "status": "ignored", "reason": reason},
    )
    assert (row.status, row.reason, door.rows(work)) == ("ignored", reason, [])
    assert door.knock(said, to=to).json() == {"id": row.id, "status": "duplicate"}


def test_what_else_an_event_says_does_not_matter(door: Door) -> None:
    said = KNOCK | {"extra": [1.5, None, {"NUL": "\u0000"}], "Å": "\ud800"}
    assert door.knock(said).status_code == 202
    assert door.rows()[0].body == json.dumps(said).encode()


# 400.


def without(said: dict[str, Any], field: str) -> dict[str, Any]:
    return {name: value for name, value in said.items() if name != field}


SEVERA_SHAPES: list[tuple[Any, str]] = [
    (b"", "body"),
    (b"{", "body"),
    (b"[]", "body"),
    (b'"text"', "body"),
    (b'{"a": "\xff"}', "body"),
    (b"[" * 50_000, "body"),
    (b'{"a": NaN}', "body"),
    (b"9" * 5000, "body"),
    (b'{"type": "a.b", "type": "a.b"}', "type"),
    (b'{"\\ud800": 1, "\\ud800": 2}', "?"),
    (without(KNOCK, "type"), "type"),
    (KNOCK | {"type": ""}, "type"),
    (KNOCK | {"type": "invoice"}, "type"),
    (KNOCK | {"type": "Invoice.Updated"}, "type"),
    (KNOCK | {"type": ["invoice.updated"]}, "type"),
    (KNOCK | {"type": "invoice.updated\n"}, "type"),
    (KNOCK | {"timestamp": "yesterday"}, "timestamp"),
    (KNOCK | {"timestamp": {}}, "timestamp"),
    (without(KNOCK, "data"), "data"),
    (KNOCK | {"data": GUID}, "data"),
    (KNOCK | {"data": None}, "data"),
    (KNOCK | {"data": {}}, "data.guid"),
    (KNOCK | {"data": {"guid": "../../invoices"}}, "data.guid"),
    (KNOCK | {"data": {"guid": "a" * 65}}, "data.guid"),
    (KNOCK | {"data": {"guid": True}}, "data.guid"),
]
FORTNOX_SHAPES: list[tuple[Any, str]] = [
    (without(VOUCHER, "topic"), "topic"),
    (without(VOUCHER, "type"), "type"),
    (without(VOUCHER, "year"), "year"),
    (without(VOUCHER, "series"), "series"),
    (without(VOUCHER, "id"), "id"),
    (VOUCHER | {"offset": "q" * 201}, "offset"),
    (VOUCHER | {"tenantId": []}, "tenantId"),
    (VOUCHER | {"series": "C" * 100}, "series"),
    (VOUCHER | {"id": "8" * 101}, "id"),
    ({"topic": "invoices", "type": "invoice-bookkeep-v1", "offset": "q1"}, "entityId"),
]


@pytest.mark.parametrize(
    ("said", "field", "to"),
    [(said, field, "acme/severa") for said, field in SEVERA_SHAPES]
    + [(said, field, "acme/fortnox") for said, field in FORTNOX_SHAPES],
)
def test_another_shape_is_refused_by_its_field(door: Door, said: Any, field: str, to: str) -> None:
    with door.silence():
        body = problem(door.knock(said, to=to), 400)
    assert [error["field"] for error in body["errors"]] == [field]
    assert field in body["detail"]


# 401.


def wrong_proofs(door: Door) -> dict[str, tuple[dict[str, str], str]]:
    body = json.dumps(KNOCK).encode()
    good, bearer = door.sign(body), {"Authorization": f"Bearer {TOKEN}"}
    return {
        "no proof": ({}, "acme/severa"),
        "another secret": (door.sign(body, secret=OTHER), "acme/severa"),
        "another body": (door.sign(b"{}"), "acme/severa"),
        "stale": (door.sign(body, seconds=-310), "acme/severa"),
        "from the future": (door.sign(body, seconds=310), "acme/severa"),
        "another token": ({"Authorization": "Bearer canary"}, "acme/severa"),
        "the admin key": (
            {"Authorization": f"Bearer {door.hall.keys.admin}"},
            "acme/severa",
        ),
        "the token of the other door": (bearer, "acme/fortnox"),
        "a closed source": (good, "closed/severa"),
        "an unknown connection": (good, "nobody/severa"),
        "a connection that cannot be": (good, "%C3%85%00ACME/severa"),
        "a deleted connection": (good, "deleted/severa"),
    }


def test_every_wrong_proof_gets_the_same_words_and_leaves_no_trace(door: Door) -> None:
    with door.hall.db.transaction() as tx:
        connections.put(tx, door.hall.vault, Document(name="closed"), clock.now())
        deleted = Document.model_validate(DOCUMENT | {"name": "deleted"})
        connections.put(tx, door.hall.vault, deleted, clock.now())
        connections.delete(tx, door.hall.vault, "deleted", clock.now())
    door.hall.directory.forget()
    body = json.dumps(KNOCK).encode()
    with door.silence():
        answers = {
            name: door.post(body, headers, to) for name, (headers, to) in wrong_proofs(door).items()
        }
    for answer in answers.values():
        problem(answer, 401)
    assert len({answer.content for answer in answers.values()}) == 1
    seen = {
        frozenset((name, value) for name, value in answer.headers.items() if name != "date")
        for answer in answers.values()
    }
    assert len(seen) == 1
    assert "www-authenticate" in answers["no proof"].headers


def test_nobody_learns_the_shape_without_a_proof(door: Door) -> None:
    with door.silence():
        problem(door.post(b"not json", {}), 401)


@pytest.mark.parametrize(
    ("method", "to", "status"),
    [("GET", "acme/severa", 405), ("PUT", "acme/severa", 405), ("POST", "acme/other", 404)],
)
def test_there_is_no_other_way_in(door: Door, method: str, to: str, status: int) -> None:
    with door.silence():
        problem(door.client.request(method, f"{door.url}/webhooks/{to}"), status)


# 413.


def padded(size: int) -> bytes:
    body = json.dumps(KNOCK).encode()
    return body + b" " * (size - len(body))


def test_a_body_of_just_the_largest_size_is_taken(door: Door) -> None:
    assert door.knock(padded(LARGEST)).status_code == 202
    assert len(door.rows()[0].body) == LARGEST == 256 * 1024


@pytest.mark.parametrize("size", [LARGEST + 1, 8 * 1024 * 1024])
def test_a_body_that_says_it_is_too_large_is_refused(door: Door, size: int) -> None:
    with door.silence():
        problem(door.knock(padded(size)), 413)


def test_a_body_in_chunks_is_counted_while_it_comes(door: Door) -> None:
    def chunks(size: int) -> Iterable[bytes]:
        body = padded(size)
        return (body[start : start + 10_000] for start in range(0, size, 10_000))

    body = padded(LARGEST)
    assert door.post(chunks(LARGEST), door.sign(body)).status_code == 202
    with door.silence():
        problem(door.post(chunks(LARGEST + 1), door.sign(padded(LARGEST + 1), "msg_2")), 413)


def test_a_body_without_end_is_refused_before_its_end(door: Door) -> None:
    """The sender goes on only after it has heard the answer."""
    address = (door.url.split("//")[1].split(":")[0], int(door.url.rsplit(":", 1)[1]))
    with socket.create_connection(address, timeout=10) as line, door.silence():
        line.sendall(
            b"POST /webhooks/acme/severa HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
        )
        chunk = b"4000\r\n" + b"x" * 0x4000 + b"\r\n"
        for _ in range(LARGEST // 0x4000 + 1):
            line.sendall(chunk)
        assert line.recv(100).startswith(b"HTTP/1.1 413 ")


def test_a_sender_that_hangs_up_in_the_middle_leaves_no_trace(door: Door) -> None:
    address = (door.url.split("//")[1].split(":")[0], int(door.url.rsplit(":", 1)[1]))
    body = json.dumps(KNOCK).encode()
    headers = "".join(f"{name}: {value}\r\n" for name, value in door.sign(body).items())
    with door.silence():
        with socket.create_connection(address, timeout=10) as line:
            head = f"POST /webhooks/acme/severa HTTP/1.1\r\nHost: x\r\n{headers}"
            line.sendall(f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body[:-1])
        assert door.client.get(f"{door.url}/health").status_code == 200


# 429.


def test_over_its_limit_a_connection_is_told_when_to_come_back(door: Door, redis_url: str) -> None:
    hall = replace(
        door.hall, settings=door.hall.settings.model_copy(update={"ingest_rate": Rate(3, 60)})
    )
    with hall.db.transaction() as tx:
        other = Document.model_validate(DOCUMENT | {"name": "other"})
        connections.put(tx, hall.vault, other, clock.now())
    hall.directory.forget()
    with served(build(hall, redis_url)) as url:
        limited = replace(door, url=url)
        problem(limited.post(b"{}", {}), 401)
        taken = [limited.knock(message_id=f"msg_{number}").status_code for number in range(3)]
        with door.silence():
            answer = limited.knock(message_id="msg_3")
            problem(answer, 429)
        theirs = limited.knock(to="other/severa").status_code
    assert (taken, theirs) == ([202, 202, 202], 202)
    assert 1 <= int(answer.headers["retry-after"]) <= 60


# 503.


@contextmanager
def away(door: Door, table: str) -> Iterator[None]:
    """The database does not have what it should; so it is while somebody restores it.

    A name of its own for each table: SQLite refuses one that a connection remembers from before.
    """
    moved = f"moved_{table}"
    with door.hall.db.transaction() as tx:
        tx.execute(text(f"ALTER TABLE {table} RENAME TO {moved}"))
    door.hall.directory.forget()
    try:
        yield
    finally:
        with door.hall.db.transaction() as tx:
            tx.execute(text(f"ALTER TABLE {moved} RENAME TO {table}"))
        door.hall.directory.forget()


@pytest.mark.parametrize("table", ["events", "work", "connections"])
def test_what_cannot_be_stored_is_not_accepted(door: Door, table: str) -> None:
    with away(door, table):
        answer = door.knock()
        problem(answer, 503)
        assert int(answer.headers["retry-after"]) >= 1
    assert (door.rows(), door.rows(work)) == ([], [])
    assert door.knock().status_code == 202


def test_a_database_that_is_locked_by_somebody_else_is_not_waited_for_too_long(
    tmp_path: Path,
) -> None:
    hall = open_hall(Settings(database_url=f"sqlite:///{tmp_path}/bridge.db", var_dir=tmp_path))
    empty(hall)
    app, rung = FastAPI(), []
    doors = Doors(hall, rung.append, patience=0.5)
    webhooks.mount(app, doors)
    with served(app) as url, httpx.Client(timeout=30) as client:
        door = Door(hall, url, client)
        thief = sqlite3.connect(tmp_path / "bridge.db", isolation_level=None)
        thief.execute("BEGIN IMMEDIATE")
        began = time.monotonic()
        answers = [door.knock(), door.knock()]
        took = time.monotonic() - began
        assert rung == []
        thief.execute("ROLLBACK")
        thief.close()
        for answer in answers:
            problem(answer, 503)
            assert int(answer.headers["retry-after"]) >= 1
        assert 1 <= took < 5
        assert door.knock().status_code in (200, 202)  # what was waiting may be in by now
        assert len(door.rows()) == 1
    asyncio.run(doors.commit.close())
    hall.db.close()


def test_postgres_that_is_stopped_is_a_503_at_once_and_comes_back_by_itself(
    postgres: servers.PostgresServer, redis_url: str, tmp_path: Path
) -> None:
    hall = open_hall(Settings(database_url=postgres.new_database(), var_dir=tmp_path))
    empty(hall)
    with served(build(hall, redis_url)) as url, httpx.Client(timeout=30) as client:
        door = Door(hall, url, client)
        assert door.knock(message_id="before").status_code == 202
        postgres.stop(immediate=True)
        began = time.monotonic()
        answers = [door.knock(message_id=f"msg_{number}") for number in range(3)]
        hall.directory.forget()
        answers += [door.knock(message_id=f"msg_{number}") for number in range(3)]
        took = time.monotonic() - began
        postgres.start()
        for answer in answers:
            problem(answer, 503)
            assert int(answer.headers["retry-after"]) >= 1
        assert took < 5
        after = [door.knock(message_id=f"msg_{number}").status_code for number in range(3)]
        assert after == [202] * 3
        assert sorted(row.identity for row in door.rows()) == ["before", "msg_0", "msg_1", "msg_2"]
    hall.db.close()


# Behind the answer.


def test_the_workers_are_told_after_the_commit_and_of_what_is_to_be_done_only(
    opened: Hall,
) -> None:
    empty(opened)
    app, rung = FastAPI(), []

    def ring(rows: int) -> None:
        with opened.db.reading() as tx:
            rung.append((rows, len(tx.execute(select(work)).all())))

    webhooks.mount(app, Doors(opened, ring))
    with served(app) as url, httpx.Client(timeout=30) as client:
        door = Door(opened, url, client)
        assert door.knock(message_id="first").status_code == 202
        assert [rows for rows in rung if rows[0]] == [(1, 1)]
        rung.clear()
        answers = [
            door.knock(message_id="first"),
            door.knock(KNOCK | {"type": "user.updated"}, "ignored"),
            door.knock(KNOCK | {"timestamp": "2026-11-24T09:00:00Z"}, "first"),
            door.knock(b"{}", "shape"),
            door.knock(padded(LARGEST + 1), "large"),
            door.post(b"{}", {}),
        ]
        with away(door, "events"):
            answers.append(door.knock(message_id="away"))
    assert [answer.status_code for answer in answers] == [200, 202, 409, 400, 413, 401, 503]
    assert sum(rows for rows, _ in rung) == 0


def test_redis_away_changes_neither_the_answer_nor_its_speed(opened: Hall) -> None:
    empty(opened)
    with (
        servers.redis_server() as redis,
        served(build(opened, redis.url)) as url,
        httpx.Client(timeout=30) as client,
    ):
        door = Door(opened, url, client)
        assert door.knock(message_id="before").status_code == 202
        for harm, name in ((redis.pause, "paused"), (redis.kill, "killed")):
            harm()
            for number in range(3):
                began = time.monotonic()
                answer = door.knock(message_id=f"{name}_{number}")
                took = time.monotonic() - began
                assert (answer.status_code, answer.json()["status"]) == (202, "accepted")
                assert took < 1
            if harm == redis.pause:
                redis.resume()
    assert (len(door.rows()), door.rows(work)[0].wanted) == (7, 7)


def test_concurrent_events_share_commits(door: Door) -> None:
    door.knock(message_id="warm")
    commits = 0

    def count(_connection: Any) -> None:
        nonlocal commits
        commits += 1

    bodies = [
        json.dumps(KNOCK | {"data": {"guid": f"{number:032x}"}}).encode() for number in range(200)
    ]
    event.listen(door.hall.db.engine, "commit", count)
    try:
        with ThreadPoolExecutor(32) as threads:
            answers = list(
                threads.map(door.knock, bodies, [f"msg_{number}" for number in range(200)])
            )
    finally:
        event.remove(door.hall.db.engine, "commit", count)
    assert [answer.status_code for answer in answers] == [202] * 200
    assert len({answer.json()["id"] for answer in answers}) == 200
    assert len(door.rows()) == 201
    assert commits < 150


def test_the_same_event_from_many_senders_at_once_is_accepted_once(door: Door) -> None:
    with ThreadPoolExecutor(16) as threads:
        answers = list(threads.map(lambda _: door.knock(), range(48)))
    told = [answer.json()["status"] for answer in answers]
    assert (told.count("accepted"), told.count("duplicate")) == (1, 47)
    assert len({answer.json()["id"] for answer in answers}) == 1
    assert (len(door.rows()), door.rows(work)[0].wanted) == (1, 1)


@contextmanager
def api_process(hall: Hall, redis_url: str) -> Iterator[tuple[subprocess.Popen[bytes], str]]:
    """The doors as they run in production."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    env = os.environ | {
        "DATABASE_URL": hall.db.url.render_as_string(hide_password=False),
        "REDIS_URL": redis_url,
        "VAR_DIR": str(hall.settings.var_dir),
        "ENCRYPTION_KEYS": ",".join(hall.keys.encryption),
    }
    command = ["-m", "uvicorn", "--factory", "app.main:from_environment", "--port", str(port)]
    with subprocess.Popen(
        [sys.executable, *command, "--log-level", "warning"], cwd=ROOT, env=env
    ) as process:
        try:
            url = f"http://127.0.0.1:{port}"
            deadline = time.monotonic() + 90
            while time.monotonic() < deadline and process.poll() is None:
                try:
                    httpx.get(f"{url}/health")
                    break
                except httpx.TransportError:
                    time.sleep(0.02)
            yield process, url
        finally:
            process.kill()


def test_a_process_killed_right_after_its_answer_has_stored_the_event(
    opened: Hall, redis_url: str
) -> None:
    """And one killed in the midst of many has stored every event that it answered."""
    empty(opened)
    with api_process(opened, redis_url) as (process, url), httpx.Client(timeout=30) as client:
        door = Door(opened, url, client)
        answered: list[str] = []

        def knock_until_it_is_gone(number: int) -> None:
            for count in range(10_000):
                try:
                    answer = door.knock(message_id=f"msg_{number}_{count}")
                except httpx.TransportError:
                    return
                assert answer.status_code == 202
                answered.append(answer.json()["id"])

        senders = [Thread(target=knock_until_it_is_gone, args=(number,)) for number in range(8)]
        for sender in senders:
            sender.start()
        while len(answered) < 100:
            time.sleep(0.001)
        os.kill(process.pid, signal.SIGKILL)
        for sender in senders:
            sender.join()
    stored = {row.id for row in door.rows()}
    assert len(answered) >= 100
    assert set(answered) <= stored
