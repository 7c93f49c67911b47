"""What strangers may send, and what vendors may answer: no 5xx, nothing stored, nothing crashed."""

import inspect
import json
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from pydantic import SecretStr
from schemathesis import GenerationMode
from sqlalchemy import func, select

from app import connections
from app.deadline import Deadline
from app.documents import Document
from app.errors import Unclear, VendorError
from app.fortnox.client import Fortnox
from app.fortnox.rest import PAGE
from app.hall import Hall, open_hall
from app.headers import SAFE
from app.line import Line, OneToken
from app.main import build
from app.models import metadata
from app.sandbox.serving import served
from app.settings import Settings
from app.severa.client import Severa
from app.webhooks import Doors
from tests import servers
from tests.installation import document, severa_event, signed

ADMIN_KEY = "adm_of_the_hostile_tests"
GUID = "1a000000-0000-4000-8000-000000000001"
FEW = settings(
    max_examples=3,
    deadline=None,
    derandomize=True,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)


@dataclass
class House:
    hall: Hall
    url: str
    doors: Doors

    def stored(self) -> dict[str, int]:
        with self.hall.db.reading() as tx:
            return {
                table.name: tx.scalar(select(func.count()).select_from(table)) or 0
                for table in metadata.sorted_tables
            }

    def say(self, *parts: bytes, patience: float = 10) -> bytes:
        """Bare bytes over a socket, and what is answered until it hangs up or has said enough."""
        host, port = self.url.removeprefix("http://").split(":")
        with socket.create_connection((host, int(port)), timeout=patience) as line:
            for part in parts:
                line.sendall(part)
            return line.recv(65536)


@pytest.fixture(scope="module")
def house(
    shared_redis: servers.RedisServer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[House]:
    folder = Path(tmp_path_factory.mktemp("hostile"))
    given_settings = Settings(
        database_url=f"sqlite:///{folder}/bridge.db",
        var_dir=folder,
        admin_key=SecretStr(ADMIN_KEY),
        public_url="https://bridge.example",
        severa_url="http://127.0.0.1:9/rest-api",
        fortnox_url="http://127.0.0.1:9",
    )
    hall = open_hall(given_settings)
    with hall.db.transaction() as tx:
        given_document = Document.model_validate(document())
        connections.put(tx, hall.vault, given_document, hall.clock())
    app = build(hall, shared_redis.url)
    with served(app) as url:
        yield House(hall, url, app.state.doors)
    hall.db.close()


# The admin API, by its own description.


@pytest.mark.parametrize(
    ("key", "mode"),
    [
        (ADMIN_KEY, GenerationMode.POSITIVE),
        (ADMIN_KEY, GenerationMode.NEGATIVE),
        ("", GenerationMode.POSITIVE),
        ("brk_wrong", GenerationMode.POSITIVE),
    ],
    ids=["admin", "admin asking wrongly", "nobody", "wrong key"],
)
def test_whatever_its_description_allows_or_forbids_is_never_a_server_error(
    house: House, key: str, mode: GenerationMode
) -> None:
    openapi = httpx.get(f"{house.url}/api/v1/openapi.json").json()
    headers = {"Authorization": f"Bearer {key}"} if key else {}
    before, asked = house.stored(), 0
    with requests.Session() as session:
        for operation in operations(openapi, mode):

            @FEW
            @given(case=operation.as_strategy(generation_mode=mode))
            def ask(case: Any) -> None:
                nonlocal asked
                asked += 1
                answer = case.call(base_url=house.url, session=session, headers=headers, timeout=30)
                assert answer.status_code < 500 or is_about_a_vendor(case), answer.text
                if key != ADMIN_KEY and case.path.startswith("/api/v1/"):
                    assert answer.status_code in (401, 404, 405), answer.text

            ask()
    assert asked > (60 if mode == GenerationMode.POSITIVE else 30)
    if key != ADMIN_KEY:
        assert house.stored() == before


def operations(openapi: dict[str, Any], mode: GenerationMode) -> Iterator[Any]:
    """All but readiness, which is 503 where no worker runs; those that may be asked wrongly."""
    for found in schemathesis.openapi.from_dict(openapi).get_all_operations():
        operation = found.ok()
        may_be_wrong = bool(operation.query or operation.path_parameters or operation.body)
        if operation.path != "/ready" and (mode == GenerationMode.POSITIVE or may_be_wrong):
            yield operation


def is_about_a_vendor(case: Any) -> bool:
    """There is no vendor behind this house; that is said as 502 or 503."""
    return any(word in case.path for word in ("preflight", "reconciliation", "severa/check"))


# Bare bytes.


def head(path: str = "/webhooks/acme/severa", *more: str, method: str = "POST") -> bytes:
    return "\r\n".join((f"{method} {path} HTTP/1.1", "Host: x", *more, "", "")).encode("latin-1")


def proof(body: bytes) -> tuple[str, ...]:
    return tuple(f"{name}: {value}" for name, value in signed(body, "msg_hostile").items())


BODY = severa_event(GUID)
TRICKS: dict[str, tuple[bytes, ...]] = {
    "two lengths": (
        head("/webhooks/acme/severa", *proof(BODY), "Content-Length: 3", "Content-Length: 300"),
        BODY,
    ),
    "a length and chunks": (
        head(
            "/webhooks/acme/severa",
            *(*proof(BODY), f"Content-Length: {len(BODY)}", "Transfer-Encoding: chunked"),
        ),
        b"0\r\n\r\nGET /health HTTP/1.1\r\nHost: x\r\n\r\n",
    ),
    "chunks that are none": (
        head("/webhooks/acme/severa", *proof(BODY), "Transfer-Encoding: chunked"),
        b"zz\r\n" + BODY,
    ),
    "a header without measure": (head()[:-2] + b"X: ", b"x" * 200_000, b"\r\n\r\n"),
    "a header of another time": (
        head("/webhooks/acme/severa", *proof(BODY), "X: a\r\n b", f"Content-Length: {len(BODY)}x"),
        BODY,
    ),
    "two identities": (
        head(
            "/webhooks/acme/severa",
            *("webhook-id: another", *proof(BODY), f"Content-Length: {len(BODY)}"),
        ),
        BODY,
    ),
    "a proof in Latin-1": (
        head("/webhooks/acme/severa", "Authorization: Bearer \xe5\xe4", "Content-Length: 2"),
        b"{}",
    ),
    "a path of NUL": (head("/webhooks/%00/severa", "Content-Length: 2"), b"{}"),
    "a path out of here": (head("/webhooks/../../etc/passwd", "Content-Length: 2"), b"{}"),
    "another protocol": (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",) * 2,
}


@pytest.mark.parametrize("trick", TRICKS)
def test_a_trick_with_the_protocol_stores_nothing(house: House, trick: str) -> None:
    before = house.stored()
    try:
        answer = house.say(*TRICKS[trick])
    except (ConnectionError, TimeoutError):
        answer = b""
    assert not answer or answer.startswith(b"HTTP/1.1 4"), answer[:200]
    assert house.stored() == before
    assert httpx.get(f"{house.url}/health").status_code == 200


def test_a_sender_that_dawdles_is_let_go_and_holds_nobody_up(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(house.doors, "reading", Deadline(0.3))
    before, began = house.stored(), time.monotonic()
    answer = house.say(
        head("/webhooks/acme/severa", *proof(BODY), f"Content-Length: {len(BODY)}"), BODY[:10]
    )
    assert time.monotonic() - began < 5
    assert answer.startswith(b"HTTP/1.1 4")
    assert house.stored() == before


STRANGE: list[bytes] = [
    b'{"label": "\x00"}',
    b'{"label": "a\\u0000b"}',
    b'{"label": 1e400}',
    b'{"label": ' + b"9" * 5000 + b"}",
    b'{"label": "' + "hejsan".encode("utf-16") + b'"}',
    b'{"cost_centers": ' + b'{"map": ' * 20_000,
    b"[" * 200_000,
    b'{"error_emails": ' + b"[" * 900 + b"]" * 900 + b"}",
    b'{"label": "x", "label": 7}',
    b'{"error_emails": ["' + b"x" * 900_000 + b'@x"]}',
    b"x" * 10_000_000,
]


@pytest.mark.parametrize("body", STRANGE, ids=range(len(STRANGE)))
@pytest.mark.parametrize("method", ["PUT", "PATCH"])
def test_strange_settings_are_refused_and_change_nothing(
    house: House, method: str, body: bytes
) -> None:
    def now() -> Any:
        return httpx.get(f"{house.url}/api/v1/connections/acme", headers=headers).json()

    headers = {"Authorization": f"Bearer {ADMIN_KEY}"}
    before, stored = now(), house.stored()
    try:
        answer = httpx.request(
            method,
            f"{house.url}/api/v1/connections/acme",
            content=body,
            headers=headers | {"Content-Type": "application/json"},
        )
    except httpx.TransportError:  # it was still sending when it was told that this is too much
        assert len(body) > 1_000_000
    else:
        assert 400 <= answer.status_code < 500
        assert answer.headers["content-type"] == "application/problem+json"
        assert len(answer.content) < 2000
    assert (now(), house.stored()) == (before, stored)


ANSWERS = [
    *("/health", "/ready", "/metrics", "/api/v1/openapi.json", "/api/v1/docs", "/nowhere"),
    *("/api/v1/connections", "/webhooks/acme/severa", "/oauth/fortnox/callback", "/log-in", "/"),
]


@pytest.mark.parametrize("path", ANSWERS)
def test_every_answer_carries_the_safe_headers(house: House, path: str) -> None:
    for method in ("GET", "POST", "OPTIONS"):
        answer = httpx.request(method, f"{house.url}{path}")
        for name in SAFE:
            assert answer.headers.get(name), (method, name)
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert "default-src 'none'" in answer.headers["content-security-policy"]
        assert answer.headers["x-frame-options"] == "DENY"
        assert answer.headers["strict-transport-security"].startswith("max-age=")
        assert "server" not in answer.headers or answer.headers["server"] == "uvicorn"
        assert "access-control-allow-origin" not in answer.headers


# What vendors answer.

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.sampled_from(["Invoice", "guid", "number", "Customers"]), inner)
    ),
    max_leaves=8,
)
WRAPPERS = ["Invoice", "Invoices", "Customer", "Customers", "Article", "MetaInformation"]
BODIES = st.one_of(
    st.binary(max_size=60),
    st.sampled_from([b"<html><body>Sorry</body></html>", b"", b"[", b"[" * 50_000, b'{"Invoice":']),
    st.sampled_from(["ä".encode("latin-1"), "{}".encode("utf-16"), b"9" * 5000, b'{"a": 1e999}']),
    JSON.map(lambda data: json.dumps(data).encode()),
    st.tuples(st.sampled_from(WRAPPERS), JSON).map(lambda pair: json.dumps(dict([pair])).encode()),
)
STATUSES = st.sampled_from([200, 200, 200, 201, 204, 302, 307, 400, 401, 403, 404, 429, 500, 503])
TYPES = st.sampled_from(["application/json", "text/html; charset=nonsense", "", "image/png"])


def line(answer: Callable[[httpx.Request], httpx.Response]) -> Line:
    client = httpx.Client(transport=httpx.MockTransport(answer), follow_redirects=False)
    return Line(client, OneToken("fortnox", "token"))


WINDOWS: dict[str, Callable[[Line], Any]] = {
    "fortnox": lambda wire: Fortnox(wire, "http://x"),
    "severa": lambda wire: Severa(wire, "http://x", "id"),
}
KINDS: dict[str, type[Any]] = {"fortnox": Fortnox, "severa": Severa}
NO_CALL = {"prepay"}
# What a call is given, by the name of its parameter; texts are a GUID else.
GIVEN: dict[str, Any] = {
    "content": b"%PDF-",
    "credit_note": False,
    "day": date(2026, 11, 24),
    "first": date(2026, 11, 1),
    "largest": 1000,
    "last": date(2026, 11, 30),
    "numbers": ["1"],
    "payload": {"a": 1},
    "payment_date": None,
    "values": {"a": 1},
    "wanted": [{"a": 1}],
}
SPECIAL: dict[str, dict[str, Any]] = {
    "fortnox fingerprint": {"register": "units"},
    "fortnox modified": {"register": "customers"},
    "severa all_articles": {"register": "product"},
    "severa article": {"register": "product"},
    "severa change_article": {"register": "product"},
    "severa changed": {"register": "customers", "since": datetime(2026, 11, 24, tzinfo=UTC)},
    "severa customers_by_number": {"number": 1001},
    "severa project_by_number": {"number": "3001"},
}
CALLS = [
    f"{window} {name}"
    for window, kind in KINDS.items()
    for name, _ in inspect.getmembers(kind, inspect.isfunction)
    if not name.startswith("_") and name not in NO_CALL
]


def make(call: str, wire: Line) -> Any:
    """Whatever the window can ask; what it lists is read to its end."""
    window, _, name = call.partition(" ")
    parameters = list(inspect.signature(getattr(KINDS[window], name)).parameters.values())[1:]
    known = GIVEN | SPECIAL.get(call, {})
    placed = [known.get(one.name, GUID) for one in parameters if one.kind != one.KEYWORD_ONLY]
    named = {
        one.name: known.get(one.name, GUID) for one in parameters if one.kind == one.KEYWORD_ONLY
    }
    found = getattr(WINDOWS[window](wire), name)(*placed, **named)
    return list(found) if isinstance(found, Iterator) else found


@pytest.mark.parametrize("call", CALLS)
def test_whatever_a_vendor_answers_is_data_or_one_of_our_errors(call: str) -> None:
    @settings(max_examples=12, deadline=None, derandomize=True, phases=[Phase.generate])
    @given(BODIES, STATUSES, TYPES)
    def answered(body: bytes, status: int, kind: str) -> None:
        asked: list[str] = []

        def answer(request: httpx.Request) -> httpx.Response:
            asked.append(request.url.host)
            headers = {"content-type": kind, "location": "http://elsewhere/"}
            return httpx.Response(status, content=body, headers=headers)

        with suppress(VendorError):
            make(call, line(answer))
        assert set(asked) == {"x"}

    answered()


FULL = [{"CustomerNumber": str(one)} for one in range(PAGE)]
HALF_LISTS: dict[str, tuple[str, Any, dict[str, str]]] = {
    "a full page of who knows how many": ("fortnox modified", {"Customers": FULL}, {}),
    "pages that are no number": (
        "fortnox modified",
        {"Customers": FULL, "MetaInformation": {"@TotalPages": None}},
        {},
    ),
    "pages in a word": ("fortnox modified", {"Customers": [], "MetaInformation": "2"}, {}),
    "a row without its number": ("fortnox modified", {"Customers": [{"Name": "Hamn"}]}, {}),
    "a number that is an object": ("fortnox modified", {"Customers": [{"CustomerNumber": {}}]}, {}),
    "no list of what is attached": ("fortnox attachments", {}, {}),
    "a page that is followed by itself": ("severa all_customers", [], {"NextPageToken": "again"}),
}


@pytest.mark.parametrize("which", HALF_LISTS)
def test_a_list_that_may_not_be_all_is_not_taken_for_all(which: str) -> None:
    call, body, headers = HALF_LISTS[which]
    with pytest.raises(Unclear):
        make(call, line(lambda _: httpx.Response(200, json=body, headers=headers)))
