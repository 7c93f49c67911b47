"""Two companies whose records have the same guids and the same numbers, in one installation.

Whatever one does, is refused, loses or is asked for: the other neither sees nor feels it.
"""

import json
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from sqlalchemy import select
from starlette.testclient import TestClient
from structlog.testing import capture_logs

from app import api, backfills, connections, effects, inbox, links, outages, overview, worklist
from app.api import consent
from app.documents import Document
from app.effects import Intent
from app.hall import Hall
from app.inbox import Heard
from app.models import metadata, work
from app.notary import Notary
from app.sandbox.chaos import Fault
from app.sandbox.fortnox import Fortnox, FortnoxOptions, Tenant
from app.sandbox.fortnox import seed_demo as seed_fortnox
from app.sandbox.serving import served
from app.sandbox.severa import RECEIVED, TRANSFER, Severa, SeveraOptions
from app.sandbox.severa import seed_demo as seed_severa
from app.sandbox.severa.demo import CLIENT_SECRET
from app.sandbox.severa.guids import fixed
from app.worklist import Want
from tests.installation import Vendors, document
from tests.workshop import Workshop, workshop

INVOICE = fixed("1a", 1)
TENANTS = {"acme": "654896", "beta": "777777"}
MINE = {name for name, table in metadata.tables.items() if "connection" in table.c}


class Town:
    """Severa as it is: one address, and the organisation of whoever holds the credentials."""

    def __init__(self, organisations: dict[str, Severa]) -> None:
        self.organisations = organisations

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            return
        messages = [await receive()]
        while messages[-1].get("more_body"):
            messages.append(await receive())
        named = dict(scope["headers"]).get(b"client_id", b"").decode()
        if scope["path"].endswith("/token"):
            named = json.loads(b"".join(one.get("body", b"") for one in messages))["client_id"]
        left = iter(messages)

        async def again() -> Any:
            return next(left, None) or await receive()

        await self.organisations[named].app(scope, again, send)


@dataclass
class Pair:
    shop: Workshop
    client: TestClient
    severa: dict[str, Severa]
    fortnox: Fortnox

    def books(self, name: str) -> Tenant:
        return self.fortnox.tenants[TENANTS[name]]

    def release(self, name: str, guid: str = INVOICE) -> None:
        self.severa[name].set_status(guid, TRANSFER)
        with self.shop.hall.db.transaction() as tx:
            worklist.enqueue(tx, [Want(name, "invoice", guid)], self.shop.clock())
        self.shop.run()

    def state(self, name: str, kind: str = "invoice", key: str = INVOICE) -> Any:
        query = select(work.c.state).where(work.c.connection == name, work.c.kind == kind)
        with self.shop.hall.db.reading() as tx:
            return tx.scalar(query.where(work.c.key == key))

    def rows_of(self, name: str) -> dict[str, list[Any]]:
        """Everything that is stored for one of them."""
        found: dict[str, list[Any]] = {}
        with self.shop.hall.db.reading() as tx:
            for table in MINE:
                columns = metadata.tables[table]
                query = select(columns).where(columns.c.connection == name)
                found[table] = sorted(map(str, tx.execute(query)))
            settings = metadata.tables["connections"]
            query = select(settings).where(settings.c.name == name)
            found["connections"] = list(map(str, tx.execute(query)))
        return found

    def transfer(self, name: str) -> str:
        answer = self.client.get(f"/api/v1/connections/{name}/transfers?kind=invoice")
        return str(answer.json()["transfers"][0]["id"])


@pytest.fixture
def pair(hall: Hall, redis_url: str) -> Iterator[Pair]:
    fortnox = Fortnox(FortnoxOptions(rate=None))
    seed_fortnox(fortnox)
    fortnox.add_client("beta-app", "beta-app-secret")
    fortnox.add_tenant(TENANTS["beta"], "Beta AB")
    fortnox.consent("beta-app", TENANTS["beta"])
    organisations = {name: Severa(SeveraOptions(rate=None)) for name in TENANTS}
    for name, severa in organisations.items():
        seed_severa(severa)
        severa.add_client(f"{name}-client", CLIENT_SECRET)
    town = Town({f"{name}-client": severa for name, severa in organisations.items()})
    with ExitStack() as stack:
        severa_url = stack.enter_context(served(town))
        fortnox_url = stack.enter_context(served(fortnox.app))
        vendors = Vendors(organisations["acme"], fortnox, severa_url, fortnox_url)
        shop = stack.enter_context(workshop(hall, redis_url, vendors))
        for name in TENANTS:
            connect(shop, name)
        app = FastAPI(openapi_url="/api/v1/openapi.json", docs_url=None, redoc_url=None)
        room = shop.process.room
        look = lambda one: room.sides(one, worklist.BACKGROUND)  # noqa: E731
        api.mount(app, shop.hall, hint=lambda _: None, plan=lambda _: [], look=look)
        consent.mount(app, Notary(room))
        client = TestClient(app, raise_server_exceptions=False)
        client.headers["Authorization"] = f"Bearer {shop.hall.keys.admin}"
        yield Pair(shop, client, organisations, fortnox)


def connect(shop: Workshop, name: str) -> None:
    app = {
        "acme": {"client_id": "demo-client", "client_secret": "demo-secret"},
        "beta": {"client_id": "beta-app", "client_secret": "beta-app-secret"},
    }
    severa = {"client_id": f"{name}-client", "client_secret": CLIENT_SECRET}
    access = app[name] | {"tenant_id": TENANTS[name]}
    given = Document.model_validate(document(name, severa=severa, fortnox=access))
    with shop.hall.db.transaction() as tx:
        connections.put(tx, shop.hall.vault, given, shop.clock())
        connections.set_active(tx, name, shop.clock(), active=True)


def test_the_same_guid_is_another_invoice_in_another_company(pair: Pair) -> None:
    pair.severa["beta"].change("invoices", INVOICE, orderNumber="only of beta")
    pair.release("acme")
    assert (len(pair.books("acme").invoices), len(pair.books("beta").invoices)) == (1, 0)
    assert pair.severa["beta"].find("invoices", INVOICE)["status"]["guid"] != RECEIVED
    pair.release("beta")
    assert (pair.state("acme"), pair.state("beta")) == ("done", "done")
    for name, order in (("acme", "PO-7781"), ("beta", "only of beta")):
        [invoice] = pair.books(name).invoices.values()
        assert invoice["YourOrderNumber"] == order
    numbers = [next(iter(pair.books(name).invoices)) for name in TENANTS]
    assert numbers[0] == numbers[1]


def test_what_one_company_does_leaves_every_row_of_the_other_as_it_was(pair: Pair) -> None:
    pair.release("beta")
    before = pair.rows_of("beta")
    pair.release("acme")
    number = next(iter(pair.books("acme").invoices))
    pair.books("acme").book(number)
    pair.books("acme").pay(number)
    with pair.shop.hall.db.transaction() as tx:
        worklist.enqueue(tx, [Want("acme", "payment", number)], pair.shop.clock())
    pair.shop.run()
    assert pair.state("acme", "payment", number) == "done"
    assert pair.rows_of("beta") == before
    assert pair.severa["beta"].find("invoices", INVOICE)["paymentDate"] is None


def test_a_company_that_is_refused_stops_alone(pair: Pair) -> None:
    pair.fortnox.withdraw_consent("demo-client", TENANTS["acme"])
    before = pair.rows_of("beta")
    pair.release("acme")
    assert pair.state("acme") == "blocked"
    assert pair.rows_of("beta") == before
    pair.release("beta")
    assert pair.state("beta") == "done"


def test_an_outage_of_one_organisation_is_no_outage_of_the_other(pair: Pair) -> None:
    pair.severa["acme"].chaos.faults.append(Fault("refuse", status=503, times=None))
    for number in (1, 2, 3):
        pair.release("acme", fixed("1a", number))
    with pair.shop.hall.db.reading() as tx:
        assert outages.known(tx, "acme") == {"severa": True}
        assert outages.known(tx, "beta") == {}
    pair.release("beta")
    assert pair.state("beta") == "done"


def test_a_limit_that_one_company_has_used_up_is_whole_for_the_other(pair: Pair) -> None:
    limits = pair.shop.process.room.limits
    whole = limits.left("beta", "fortnox")
    for _ in range(20):
        limits.wait_turn("acme", "fortnox")
    limits.back_off("acme", "fortnox", 60)
    assert limits.left("beta", "fortnox") >= whole


def test_tokens_of_one_do_not_open_the_other(pair: Pair) -> None:
    pair.release("acme")
    pair.release("beta")
    room = pair.shop.process.room
    with pair.shop.hall.db.reading() as tx:
        both = [connections.find(tx, pair.shop.hall.vault, name) for name in TENANTS]
    texts = [room.fortnox_tokens(one, worklist.LIVE).current() for one in both if one]
    assert len(set(texts)) == 2
    tenants = [pair.fortnox.tokens.access[text].tenant_id for text in texts]
    assert tenants == list(TENANTS.values())


def test_deleting_one_keeps_the_other_whole(pair: Pair) -> None:
    pair.release("acme")
    pair.release("beta")
    before = pair.rows_of("beta")
    assert pair.client.delete("/api/v1/connections/acme").status_code == 204
    assert pair.rows_of("beta") == before


def test_the_same_event_identity_is_another_event_in_another_company(pair: Pair) -> None:
    clock = pair.shop.clock
    with pair.shop.hall.db.transaction() as tx:
        receipts = [
            inbox.receive(tx, [heard(name, f"body of {name}")], clock())[0] for name in TENANTS
        ]
    assert [one.status for one in receipts] == ["accepted", "accepted"]


def heard(name: str, body: str) -> Heard:
    want = Want(name, "invoice", INVOICE)
    return Heard(name, "severa", "webhook", "same", body.encode(), "invoice.updated", want)


def test_links_and_writes_of_one_are_unknown_to_the_other(pair: Pair) -> None:
    pair.release("acme")
    number = next(iter(pair.books("acme").invoices))
    with pair.shop.hall.db.reading() as tx:
        assert links.of_severa(tx, "acme", "invoice", INVOICE) is not None
        assert links.of_severa(tx, "beta", "invoice", INVOICE) is None
        assert links.of_fortnox(tx, "beta", "invoice", number) is None
        assert links.below(tx, "beta", "invoice", number) == []
        assert links.of_many(tx, "beta", "invoice", [number]) == {}
        assert overview.rows_of(tx, "beta", "invoice", [INVOICE]) == {}
        assert not overview.is_open(tx, "beta", "invoice", INVOICE)


def test_the_writes_of_a_busy_neighbour_do_not_hide_our_own(pair: Pair) -> None:
    now = pair.shop.clock()
    with pair.shop.hall.db.transaction() as tx:
        for name, ref in [("acme", "ours"), *(("beta", f"theirs-{n}") for n in range(300))]:
            effects.open_intent(
                tx, Intent(name, "trf_x", "fortnox", "update_customer", ref, {}, creates=False), now
            )
        assert effects.touched_since(tx, "acme", {"ours"}, now)
        assert not effects.touched_since(tx, "beta", {"ours"}, now)
        assert not effects.touched_since(tx, "acme", {"theirs-299"}, now)


# --- the admin API: what belongs to one is not there under the other's name ---


def test_ids_of_one_asked_for_under_the_other_are_not_there(pair: Pair) -> None:
    pair.release("acme")
    pair.release("beta")
    with pair.shop.hall.db.transaction() as tx:
        way = ("customer", "severa_to_fortnox")
        backfill = backfills.start(tx, "acme", *way, pair.shop.clock()).id
    transfer = pair.transfer("acme")
    before = pair.rows_of("acme")
    for method, path in (
        ("GET", f"transfers/{transfer}"),
        ("POST", f"transfers/{transfer}/retry"),
        ("POST", f"transfers/{transfer}/retry?dry_run=true"),
        ("GET", f"backfills/{backfill}"),
        ("POST", f"backfills/{backfill}/cancel"),
    ):
        assert pair.client.request(method, f"/api/v1/connections/acme/{path}").is_success
        answer = pair.client.request(method, f"/api/v1/connections/beta/{path}")
        assert answer.status_code == 404, path
        if method == "POST" and "dry_run" not in path:
            before = pair.rows_of("acme")
    again = pair.client.post(
        "/api/v1/connections/beta/transfers/retry", json={"ids": [transfer, pair.transfer("beta")]}
    )
    assert again.json() == {"retried": 1}
    assert pair.rows_of("acme") == before


READ = (
    "",
    "/coverage",
    "/events",
    "/history.csv?from=2026-01-01&to=2026-12-31",
    "/preflight",
    "/reconciliation?from=2026-01-01&to=2026-12-31",
    "/reconciliation.csv?from=2026-01-01&to=2026-12-31",
    "/transfers",
)


@pytest.mark.parametrize("resource", READ)
def test_no_resource_of_one_changes_with_what_the_other_has(pair: Pair, resource: str) -> None:
    pair.release("beta")
    address = f"/api/v1/connections/beta{resource}"
    before = pair.client.get(address)
    assert before.status_code == 200
    pair.severa["acme"].change("customers", fixed("0f", 1001), name="Canary of acme")
    pair.release("acme")
    with pair.shop.hall.db.transaction() as tx:
        inbox.receive(tx, [heard("acme", "canary of acme")], pair.shop.clock())
    after = pair.client.get(address)
    assert steady(after.text) == steady(before.text)
    assert "anary of acme" not in after.text


def steady(text: str) -> str:
    """Without ages, which grow while one looks."""
    try:
        said = json.loads(text)
    except ValueError:
        return text
    return json.dumps(_without(said, {"age_seconds"}), sort_keys=True)


def _without(said: Any, names: set[str]) -> Any:
    if isinstance(said, dict):
        return {key: _without(one, names) for key, one in said.items() if key not in names}
    return [_without(one, names) for one in said] if isinstance(said, list) else said


CHANGE = (
    ("PATCH", "", {"label": "new"}),
    ("POST", "/deactivate", None),
    ("POST", "/activate", None),
    ("POST", "/transfers/retry", {"kind": "invoice"}),
    ("POST", "/backfill", {"kind": "project"}),
    ("POST", "/fortnox/consent", None),
    ("POST", "/severa/check", None),
    ("PUT", "", document("acme", label="new")),
    ("DELETE", "", None),
)


def test_no_change_of_one_touches_the_other(pair: Pair) -> None:
    pair.release("acme")
    pair.release("beta")
    before = pair.rows_of("beta")
    for method, resource, body in CHANGE:
        answer = pair.client.request(method, f"/api/v1/connections/acme{resource}", json=body)
        assert answer.is_success, (method, resource, answer.text)
        pair.shop.run()
        assert pair.rows_of("beta") == before, (method, resource)


def test_a_test_mail_of_one_changes_nothing_of_the_other(pair: Pair) -> None:
    before = pair.rows_of("beta")
    assert pair.client.post("/api/v1/connections/acme/mail/test").status_code == 409  # no SMTP_URL
    assert pair.rows_of("beta") == before


def test_every_resource_of_a_connection_is_tried_here(pair: Pair) -> None:
    paths = pair.client.get("/api/v1/openapi.json").json()["paths"]
    tried = {resource.partition("?")[0] for resource in READ}
    tried |= {resource for _, resource, _ in CHANGE}
    tried |= {
        "/mail/test",
        "/transfers/{transfer}",
        "/transfers/{transfer}/retry",
        "/backfills/{backfill}",
        "/backfills/{backfill}/cancel",
    }
    beginning = "/api/v1/connections/{connection}"
    assert {p.removeprefix(beginning) for p in paths if p.startswith(beginning)} == tried


def test_the_consent_of_one_is_no_consent_of_the_other(pair: Pair) -> None:
    """The administrator of Beta opens the link of Acme."""
    link = pair.client.post("/api/v1/connections/acme/fortnox/consent").json()["url"]
    state = link.partition("state=")[2].partition("&")[0]
    pair.fortnox.options.consenting_tenant = TENANTS["beta"]
    sent = httpx.get(link, follow_redirects=False, trust_env=False)
    before = {name: pair.rows_of(name)["connections"] for name in TENANTS}
    with capture_logs() as logs:
        page = pair.client.get(sent.headers["location"].partition("8000")[2])
    assert page.status_code == 400
    assert state
    assert [one["reason"] for one in logs] == ["consent_other_company"]
    assert {name: pair.rows_of(name)["connections"] for name in TENANTS} == before
