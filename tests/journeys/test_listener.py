"""Fortnox's WebSocket alone brings everything, once, whatever happens to the socket."""

import json
from datetime import datetime, timedelta

import pytest

from app import connections, inbox, listened
from app.inbox import Heard
from app.sandbox.severa import PAID, TRANSFER
from app.sync import wants
from app.sync.polls import planting
from app.worklist import Want
from tests.ears import all_kept, happened, kept, listening
from tests.installation import Vendors, until
from tests.workshop import Workshop

READINGS = pytest.mark.parametrize("reading", ["inclusive", "exclusive"])
SQLITE = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


def carried(shop: Workshop) -> tuple[str, str]:
    guid = shop.partners.severa.add_simple_invoice()["guid"]
    shop.partners.severa.set_status(guid, TRANSFER)
    shop.look_at("invoice", guid)
    return guid, shop.row("invoice", guid).target_id


@pytest.fixture(autouse=True)
def customers(partners: Vendors) -> None:
    partners.books.add_customer(CustomerNumber="10")


def things_happen(shop: Workshop, count: int, tenant: str = "654896") -> None:
    """One event each, of a topic that is asked for."""
    books = shop.partners.fortnox.tenants[tenant]
    for _ in range(count):
        books.add_invoice(CustomerNumber="10", InvoiceRows=[])


def tenants_on_sockets(shop: Workshop) -> set[int]:
    return {one for socket in tuple(shop.partners.fortnox._sockets) for one in socket.tenants}


def refused(shop: Workshop, name: str) -> str | None:
    with shop.hall.db.reading() as tx:
        standing = listened.standing(tx, name)
    return standing.reason.code if standing and standing.reason else None


def heard_at(shop: Workshop) -> datetime:
    with shop.hall.db.reading() as tx:
        standing = listened.standing(tx, "acme")
    assert standing is not None
    assert standing.heard_at is not None
    return standing.heard_at


def open_gaps(shop: Workshop, name: str = "acme") -> list[listened.Gap]:
    with shop.hall.db.reading() as tx:
        return listened.open_gaps(tx, name)


def add_company(shop: Workshop, name: str = "beta", tenant: str = "777") -> None:
    fortnox = shop.partners.fortnox
    fortnox.add_tenant(tenant).add_customer(CustomerNumber="10")
    fortnox.consent("demo-client", tenant)
    connect(shop, name, tenant)


def connect(shop: Workshop, name: str, tenant: str, secret: str = "demo-secret") -> None:
    access = {"client_id": "demo-client", "client_secret": secret, "tenant_id": tenant}
    acme, shop.name = shop.name, name
    shop.connect(fortnox=access)
    shop.name = acme


def switch(shop: Workshop, name: str, *, active: bool) -> None:
    with shop.hall.db.transaction() as tx:
        connections.set_active(tx, name, shop.clock(), active=active)


def so_far(shop: Workshop) -> int:
    return len(shop.partners.fortnox.events)


def test_a_payment_reaches_severa_without_any_webhook(shop: Workshop, redis_url: str) -> None:
    guid, number = carried(shop)
    with listening(shop, redis_url) as ears:
        ears.are_open("acme")
        since = so_far(shop)
        shop.partners.books.book(number)
        shop.partners.books.pay(number)
        all_kept(shop, since)
        shop.run()
    assert shop.partners.severa.find("invoices", guid)["status"]["guid"] == PAID
    assert shop.outcome("payment", number) == ("done", None)


@pytest.mark.parametrize(("reading", "hours"), [("inclusive", 1), ("exclusive", 10 * 24)])
def test_what_happens_while_it_is_down_is_heard_afterwards(
    shop: Workshop, redis_url: str, reading: str, hours: int
) -> None:
    shop.partners.fortnox.options.websocket_offset = reading
    shop.partners.fortnox.options.clock = shop.clock
    with listening(shop, redis_url) as ears:
        ears.are_open("acme")
        since = so_far(shop)
        things_happen(shop, 3)
        all_kept(shop, since)
    for _ in range(10):
        shop.clock.move_on(timedelta(hours=hours / 10))
        things_happen(shop, 3)
    assert len(kept(shop.hall.db)) < len(happened(shop, since=since))
    with listening(shop, redis_url):
        all_kept(shop, since)


@SQLITE
def test_copies_are_kept_once(shop: Workshop, redis_url: str) -> None:
    shop.partners.fortnox.options.event_copies = 3
    with listening(shop, redis_url) as ears:
        ears.are_open("acme")
        since = so_far(shop)
        things_happen(shop, 10)
        all_kept(shop, since)
    assert len(kept(shop.hall.db)) == 10


@SQLITE
def test_what_also_came_by_webhook_is_a_duplicate(shop: Workshop, redis_url: str) -> None:
    with listening(shop, redis_url) as ears:
        ears.are_open("acme")
        since = so_far(shop)
        things_happen(shop, 1)
        all_kept(shop, since)
        event = shop.partners.fortnox.events[since]
        body = json.dumps(event).encode()
        follows = Want("acme", "payment", "1")
        identity = f"{event['topic']}:{event['offset']}"
        heard = Heard("acme", "fortnox", "webhook", identity, body, "invoice-created", follows)
        with shop.hall.db.transaction() as tx:
            assert [one.status for one in inbox.receive(tx, [heard], shop.clock())] == ["duplicate"]


@READINGS
def test_a_socket_that_is_dropped_twenty_times_loses_and_doubles_nothing(
    shop: Workshop, redis_url: str, reading: str
) -> None:
    shop.partners.fortnox.options.websocket_offset = reading
    shop.partners.fortnox.options.event_copies = 2
    with listening(shop, redis_url) as ears:
        ears.are_open("acme")
        since = so_far(shop)
        things_happen(shop, 1)
        all_kept(shop, since)
        for _ in range(20):
            things_happen(shop, 7)
            shop.partners.fortnox.drop_sockets()
            things_happen(shop, 8)
        all_kept(shop, since)
    assert len(kept(shop.hall.db)) == 301


@SQLITE
def test_expired_tokens_are_replaced_and_nothing_is_missed(shop: Workshop, redis_url: str) -> None:
    shop.partners.fortnox.options.websocket_token_expiry = True
    with listening(shop, redis_url) as ears:
        ears.are_open("acme")
        since = so_far(shop)
        for _ in range(5):
            things_happen(shop, 2)
            all_kept(shop, since)
            shop.partners.fortnox.expire_tokens()
            things_happen(shop, 2)
            all_kept(shop, since)
        reasons = shop.connection().stopped
    assert reasons is None


@SQLITE
def test_before_a_token_expires_another_socket_takes_over(shop: Workshop, redis_url: str) -> None:
    fortnox = shop.partners.fortnox
    fortnox.options.websocket_token_expiry = True
    with listening(shop, redis_url) as ears:
        ears.are_open("acme")
        since = so_far(shop)
        things_happen(shop, 1)
        all_kept(shop, since)
        first = set(fortnox._sockets)
        shop.clock.move_on(timedelta(minutes=59, seconds=30))
        until("another socket is open", lambda: fortnox._sockets and not fortnox._sockets & first)
        fortnox.tokens.access = dict(list(fortnox.tokens.access.items())[-1:])
        things_happen(shop, 5)
        all_kept(shop, since)
        assert len(fortnox._sockets) == 1


@SQLITE
def test_companies_are_added_and_removed_without_a_restart(shop: Workshop, redis_url: str) -> None:
    with listening(shop, redis_url) as ears:
        ears.are_open("acme")
        add_company(shop)
        ears.are_open("beta")
        since = so_far(shop)
        things_happen(shop, 4)
        things_happen(shop, 6, "777")
        all_kept(shop, since)
        all_kept(shop, since, tenant="777", name="beta")
        assert len(kept(shop.hall.db, "acme")) == 4
        with shop.hall.db.transaction() as tx:
            connections.delete(tx, shop.hall.vault, "beta", shop.clock())
        until("beta is off the socket", lambda: tenants_on_sockets(shop) == {654896})
        things_happen(shop, 3, "777")
        since = so_far(shop)
        things_happen(shop, 1)
        all_kept(shop, since)
        assert len(kept(shop.hall.db, "beta")) == 6


@SQLITE
def test_a_company_that_is_switched_off_misses_nothing(shop: Workshop, redis_url: str) -> None:
    with listening(shop, redis_url) as ears:
        ears.are_open("acme")
        switch(shop, "acme", active=False)
        since = so_far(shop)
        things_happen(shop, 5)
        all_kept(shop, since)
        assert shop.run() == 0
        switch(shop, "acme", active=True)


@pytest.mark.parametrize(
    ("database_url", "reading"),
    [("sqlite", "exclusive"), ("postgres", "inclusive")],
    indirect=["database_url"],
)
def test_a_company_whose_token_fails_for_a_while_misses_nothing_and_holds_nobody_up(
    shop: Workshop, redis_url: str, reading: str
) -> None:
    shop.partners.fortnox.options.websocket_offset = reading
    add_company(shop)
    with listening(shop, redis_url) as ears:
        ears.are_open("acme", "beta")
        since = so_far(shop)
        things_happen(shop, 2)
        things_happen(shop, 2, "777")
        all_kept(shop, since, tenant="777", name="beta")
        shop.partners.fortnox.withdraw_consent("demo-client", "777")
        shop.partners.fortnox.drop_sockets()
        until("beta is refused", lambda: refused(shop, "beta") == "token_refused")
        for _ in range(3):
            things_happen(shop, 3, "777")
            things_happen(shop, 3)
        all_kept(shop, since)
        assert len(kept(shop.hall.db, "beta")) == 2
        shop.partners.fortnox.consent("demo-client", "777")
        shop.clock.move_on(timedelta(seconds=31))
        before_it_came_back = shop.clock()
        all_kept(shop, since, tenant="777", name="beta")
        ears.are_open("beta")
        # Of what nobody has ever heard there is no place to go on from, and beta was away.
        assert {one.topic for one in open_gaps(shop, "beta")} == {*wants.topics()} - {"invoices"}
        assert all(one.until >= before_it_came_back for one in open_gaps(shop, "beta"))
        things_happen(shop, 1)
        things_happen(shop, 1, "777")
        all_kept(shop, since)
        all_kept(shop, since, tenant="777", name="beta")


@SQLITE
def test_new_credentials_are_tried_at_once(shop: Workshop, redis_url: str) -> None:
    add_company(shop)
    connect(shop, "beta", "777", secret="wrong")
    with listening(shop, redis_url) as ears:
        ears.are_open("acme")
        until("beta is refused", lambda: refused(shop, "beta") == "token_refused")
        connect(shop, "beta", "777")
        ears.are_open("beta")


@SQLITE
def test_two_connections_to_one_company_both_hear_it(shop: Workshop, redis_url: str) -> None:
    connect(shop, "beta", "654896")
    with listening(shop, redis_url) as ears:
        ears.are_open("acme", "beta")
        since = so_far(shop)
        things_happen(shop, 3)
        all_kept(shop, since)
        all_kept(shop, since, name="beta")


@SQLITE
def test_after_more_than_two_weeks_it_says_what_may_be_missing_until_the_polls_have_found_it(
    shop: Workshop, redis_url: str
) -> None:
    shop.partners.fortnox.options.clock = shop.clock
    planting.plant(shop.hall.db, shop.hall.settings, shop.clock())
    with listening(shop, redis_url) as ears:
        ears.are_open("acme")
        since = so_far(shop)
        things_happen(shop, 1)
        all_kept(shop, since)
    left, lost = shop.clock(), so_far(shop)
    shop.partners.books.add_customer(CustomerNumber="5005", Name="Ny AB", CountryCode="SE")
    shop.clock.move_on(timedelta(days=15))
    with listening(shop, redis_url):
        until("the gap is known", lambda: open_gaps(shop))
        gap = next(one for one in open_gaps(shop) if one.topic == "customers")
        assert abs(gap.since - left) < timedelta(minutes=1)
        assert abs(gap.until - left - timedelta(days=1)) < timedelta(minutes=1)
        assert not happened(shop, since=lost) & set(kept(shop.hall.db))  # Fortnox forgot it
        assert shop.run() > 0
    assert shop.outcome("customer", "fortnox:5005") == ("done", None)
    assert open_gaps(shop) == []


@SQLITE
def test_less_than_two_weeks_are_no_gap_where_there_is_a_mark(
    shop: Workshop, redis_url: str
) -> None:
    with listening(shop, redis_url) as ears:
        ears.are_open("acme")
        since = so_far(shop)
        things_happen(shop, 1)
        all_kept(shop, since)
    shop.clock.move_on(timedelta(days=13))
    before = shop.clock()
    with listening(shop, redis_url):
        until("acme is heard again", lambda: heard_at(shop) > before)
    assert "invoices" not in {one.topic for one in open_gaps(shop)}
