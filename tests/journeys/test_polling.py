"""A company with nothing but the two official APIs: no webhook, no listener, only polls."""

import json
from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import func, select, text

from app import connections, transfers
from app.checks import preflight
from app.checks.survey import Survey
from app.models import events, work
from app.sandbox.chaos import Fault
from app.sandbox.severa import DRAFT, PAID, RECEIVED, TRANSFER, Row
from app.sync.polls import POLLS, planting
from app.sync.probe import STOPPED_PROBE_EVERY
from tests.installation import document, installation, until, vendors
from tests.journeys.test_invoices import order, status
from tests.workshop import Workshop
from workers.process import WorkingProcess

MINUTE = timedelta(minutes=1)
SEVERA_CALLS, FORTNOX_CALLS = 7, 5  # of one round of polls that find nothing


@pytest.fixture
def polled(shop: Workshop) -> Workshop:
    """Everybody by one clock; activated an hour after the registers were filled."""
    shop.clock.stop()
    shop.partners.severa.world.clock = shop.clock
    shop.partners.fortnox.options.clock = shop.clock
    shop.clock.move_on(timedelta(hours=1))
    shop.connect()
    planting.plant(shop.hall.db, shop.hall.settings, shop.clock())
    return shop


def rounds(shop: Workshop, count: int = 1) -> None:
    """In every minute each poll has its turn once, and then what it wanted."""
    for _ in range(count):
        shop.clock.move_on(MINUTE)
        shop.run()


def calls(shop: Workshop) -> tuple[int, int]:
    """To Severa and to Fortnox; tokens are not counted."""
    both = (shop.partners.severa.chaos.calls, shop.partners.fortnox.chaos.calls)
    severa, fortnox = (sum("token" not in call.path for call in calls) for calls in both)
    return severa, fortnox


def heard(shop: Workshop) -> int:
    with shop.hall.db.reading() as tx:
        return tx.scalar(select(func.count()).select_from(events)) or 0


def carried(shop: Workshop) -> tuple[str, str]:
    """The GUID and the Fortnox number of an invoice that was carried over and booked."""
    guid = order(shop)
    rounds(shop)
    number = next(iter(shop.partners.books.invoices))
    shop.partners.books.book(number)
    return guid, number


# --- invoices ---


def test_an_invoice_that_is_moved_to_transfer_is_carried_over_within_a_round(
    polled: Workshop,
) -> None:
    guid = order(polled)
    rounds(polled)
    assert status(polled, guid) == RECEIVED
    assert polled.partners.invoices_by_reference() == {f"severa:{guid}": 1}
    assert polled.log("invoice", guid) == ["created_invoice", "moved_to_received"]
    rounds(polled, 3)
    assert polled.row("invoice", guid).attempts == 1


def test_an_invoice_that_is_transferred_again_is_brought_up_to_date(polled: Workshop) -> None:
    guid = order(polled)
    rounds(polled)
    polled.partners.severa.change_invoice(guid, orderNumber="PO-7781")
    polled.partners.severa.set_status(guid, TRANSFER)
    rounds(polled)
    [invoice] = polled.partners.books.invoices.values()
    assert invoice["YourOrderNumber"] == "PO-7781"
    assert status(polled, guid) == RECEIVED
    assert polled.row("invoice", guid).attempts == 2


def test_a_blocked_invoice_is_looked_at_again_when_it_is_changed_and_not_before(
    polled: Workshop,
) -> None:
    severa = polled.partners.severa
    rows = [Row("fee", 1, 500, article=None, description="Övrigt")]
    guid = severa.add_invoice(1001, [3001], rows, currency="CHF")["guid"]
    severa.set_status(guid, TRANSFER)
    rounds(polled, 2)
    assert polled.outcome("invoice", guid)[0] == "blocked"
    before = polled.row("invoice", guid).attempts
    rounds(polled, 3)
    assert polled.row("invoice", guid).attempts == before
    severa.change_invoice(guid, notes="Rättad")
    rounds(polled)
    assert polled.row("invoice", guid).attempts == before + 1
    severa.set_status(guid, DRAFT)  # taken away by a person: nobody's trouble any more
    rounds(polled)
    assert polled.outcome("invoice", guid) == ("skipped", "not_in_transfer_status")
    assert polled.row("invoice", guid).attempts == before + 2


def test_an_invoice_seen_by_event_and_by_poll_is_carried_over_once(polled: Workshop) -> None:
    guid = order(polled)
    polled.look_at("invoice", guid)
    rounds(polled, 3)
    assert polled.row("invoice", guid).attempts == 1
    assert polled.partners.invoices_by_reference() == {f"severa:{guid}": 1}


@pytest.mark.parametrize("delay", [0.0, 90.0])
def test_lists_that_lag_behind_cost_a_look_and_no_write(polled: Workshop, delay: float) -> None:
    guid = order(polled)
    polled.partners.severa.options.show_delay = delay
    rounds(polled, 6)
    assert status(polled, guid) == RECEIVED
    assert polled.partners.invoices_by_reference() == {f"severa:{guid}": 1}
    assert polled.outcome("invoice", guid) == ("done", None)


def test_a_company_that_is_switched_off_for_a_day_loses_nothing(polled: Workshop) -> None:
    rounds(polled, 2)
    switch(polled, active=False)
    guid = order(polled)
    project = polled.partners.severa.change("projects", 3001, name="Nytt namn")
    polled.clock.move_on(timedelta(days=1))
    assert polled.run() == 0
    switch(polled, active=True)
    rounds(polled, 2)
    assert status(polled, guid) == RECEIVED
    assert polled.partners.books.projects[str(project["number"])]["Description"] == "Nytt namn"


def switch(shop: Workshop, *, active: bool) -> None:
    with shop.hall.db.transaction() as tx:
        connections.set_active(tx, shop.name, shop.clock(), active=active)


# --- payments ---


def paid_on(shop: Workshop, guid: str) -> tuple[str, str | None]:
    invoice = shop.partners.severa.find("invoices", guid)
    return invoice["status"]["guid"], invoice["paymentDate"]


@pytest.mark.parametrize("touches", [True, False])
def test_a_payment_reaches_severa_whether_or_not_it_moves_lastmodified(
    polled: Workshop, touches: bool
) -> None:
    guid, number = carried(polled)
    rounds(polled, 6)
    polled.partners.fortnox.options.payments_touch_invoices = touches
    payment = polled.partners.books.pay(number)
    rounds(polled)
    assert paid_on(polled, guid) == (PAID, str(payment["PaymentDate"]))
    rounds(polled, 12)
    assert polled.log("payment", number) == ["paid"]
    assert polled.row("payment", number).attempts == 2  # it gave way to the invoice, then ran


@pytest.mark.parametrize("touches", [True, False])
def test_a_part_payment_is_told_once_and_the_rest_pays_the_invoice(
    polled: Workshop, touches: bool
) -> None:
    guid, number = carried(polled)
    rounds(polled, 6)
    polled.partners.fortnox.options.payments_touch_invoices = touches
    polled.partners.books.pay(number, amount=Decimal(5000))
    rounds(polled, 1 if touches else 10)
    assert polled.log("payment", number) == ["partly_paid"]
    rounds(polled, 10)
    polled.partners.books.pay(number)
    rounds(polled, 1)
    assert polled.log("payment", number) == ["partly_paid", "paid"]
    assert paid_on(polled, guid)[0] == PAID


@pytest.mark.parametrize("touches", [True, False])
def test_a_payment_taken_back_returns_the_invoice_to_received(
    polled: Workshop, touches: bool
) -> None:
    guid, number = carried(polled)
    payment = polled.partners.books.pay(number)
    rounds(polled, 8)
    assert paid_on(polled, guid)[0] == PAID
    polled.partners.fortnox.options.payments_touch_invoices = touches
    polled.partners.books.unpay(payment["Number"])
    tomorrow = (polled.clock() + timedelta(days=1)).date().isoformat()
    payment = polled.partners.books.pay(number, date=tomorrow)  # between two polls
    rounds(polled, 1)
    assert paid_on(polled, guid) == (PAID, tomorrow)
    polled.partners.books.unpay(payment["Number"])
    rounds(polled, 1 if touches else 10)
    assert paid_on(polled, guid)[0] == RECEIVED
    assert polled.log("payment", number) == ["paid", "payment_date_changed", "payment_taken_back"]


def test_a_payment_entered_weeks_after_it_was_made_is_found_by_the_sweep(polled: Workshop) -> None:
    guid, number = carried(polled)
    polled.clock.move_on(timedelta(days=30))
    polled.partners.fortnox.options.payments_touch_invoices = False
    early = polled.partners.books.invoices[number]["InvoiceDate"]
    polled.partners.books.pay(number, date=early)
    rounds(polled, 11)
    assert paid_on(polled, guid) == (PAID, early)


def test_without_a_paid_status_a_payment_is_told_once_and_not_every_minute(
    polled: Workshop,
) -> None:
    _, number = carried(polled)
    polled.connect(invoice_statuses=document()["invoice_statuses"] | {"paid": None})
    polled.partners.books.pay(number)
    rounds(polled, 2)
    assert polled.outcome("payment", number) == ("skipped", "no_paid_status")
    before = polled.row("payment", number).attempts
    rounds(polled, 12)
    assert polled.row("payment", number).attempts == before


def test_invoices_that_are_not_ours_cost_no_call_of_their_own(polled: Workshop) -> None:
    books = polled.partners.books
    customer = books.add_customer(Name="Egen kund AB", Type="PRIVATE")["CustomerNumber"]
    row = {"AccountNumber": 3001, "DeliveredQuantity": "1", "Price": 100, "Description": "x"}
    number = books.add_invoice(CustomerNumber=customer, InvoiceRows=[row])["DocumentNumber"]
    rounds(polled, 8)
    books.book(number)
    books.pay(number)
    before = calls(polled)
    rounds(polled)
    assert (calls(polled)[0] - before[0], calls(polled)[1] - before[1]) == (
        SEVERA_CALLS,
        FORTNOX_CALLS,
    )


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
@pytest.mark.processes
@pytest.mark.timeout(300)
def test_a_whole_installation_without_listener_or_webhook_carries_invoice_and_payment(
    database_url: str, redis_url: str
) -> None:
    changes = {"POLL_INTERVAL": "1", "FORTNOX_WEBSOCKET_URL": ""}
    with (
        vendors() as partners,
        installation(database_url, redis_url, partners, **changes) as bridge,
    ):
        bridge.connect(document())
        guid = partners.severa.add_simple_invoice()["guid"]
        partners.severa.set_status(guid, TRANSFER)
        find = partners.severa.find
        until(
            "it is received",
            lambda: find("invoices", guid)["status"]["guid"] == RECEIVED,
            told=bridge.output,
        )
        [number] = partners.books.invoices
        partners.books.book(number)
        partners.books.pay(number)
        until(
            "it is paid",
            lambda: find("invoices", guid)["status"]["guid"] == PAID,
            told=bridge.output,
        )
        assert partners.invoices_by_reference() == {f"severa:{guid}": 1}
        assert "poll" not in {one["kind"] for one in bridge.transfers()}


# --- registers ---


def test_what_is_changed_in_severas_registers_reaches_fortnox(polled: Workshop) -> None:
    severa, books = polled.partners.severa, polled.partners.books
    guid = order(polled)
    rounds(polled, 4)
    assert status(polled, guid) == RECEIVED
    severa.change("customers", 1001, name="Nordbygg Sverige AB")
    severa.change("projects", 3001, name="Nya stationen")
    work_type = severa.find("worktypes", "100")
    severa.change("worktypes", work_type["guid"], name="Konsultarbete senior")
    rounds(polled)
    assert books.customers["1001"]["Name"] == "Nordbygg Sverige AB"
    assert books.projects["3001"]["Description"] == "Nya stationen"
    assert books.articles["100"]["Description"] == "Konsultarbete senior"
    product = severa.add_product(name="Nytt material", code="777", measurementUnit="st")
    travel = severa.add_travel_type(name="Ny bilersättning", code="778", measurementUnit="km")
    rounds(polled)
    assert books.articles["777"]["Description"] == product["name"]
    assert books.articles["778"]["Description"] == travel["name"]


@pytest.mark.parametrize("bumps", [True, False])
def test_a_changed_address_is_a_change_of_its_customer(polled: Workshop, bumps: bool) -> None:
    severa = polled.partners.severa
    order(polled)
    rounds(polled, 4)
    severa.options.address_bumps_customer = bumps
    customer = severa.find("customers", 1001)
    address = severa.records("addresses", customer["guid"])[0]
    severa.change("addresses", address["guid"], city="Umeå")
    rounds(polled)
    assert polled.partners.books.customers["1001"]["City"] == "Umeå"


def test_a_changed_record_is_looked_at_once_whatever_the_overlap(polled: Workshop) -> None:
    severa = polled.partners.severa
    project = severa.change("projects", 3001, name="Ett annat namn")["guid"]
    polled.look_at("project", project)
    rounds(polled, 6)
    assert polled.row("project", project).attempts == 2  # the event, and the first poll
    assert polled.log("project", project) == ["created_project"]


def test_what_was_there_before_the_activation_is_left_to_a_backfill(polled: Workshop) -> None:
    rounds(polled, 15)
    assert heard(polled) == 0
    assert polled.partners.writes() == 0


@pytest.mark.parametrize("master", ["severa", "fortnox"])
def test_the_first_change_of_what_both_had_before_goes_over_where_its_side_is_the_master(
    polled: Workshop, master: str
) -> None:
    """As after another integration: the books are full of records that were never linked."""
    severa, books = polled.partners.severa, polled.partners.books
    polled.connect(customer_master=master, product_master=master)
    books.add_customer(CustomerNumber="1001", Name="Nordbygg i Norr", Comments="Ring Eva")
    books.add_project("3001", "Stationen")
    severa.change("customers", 1001, name="Nordbygg Sverige AB")
    severa.change("projects", 3001, name="Nya stationen")
    rounds(polled)
    assert books.projects["3001"]["Description"] == "Nya stationen"
    name = "Nordbygg Sverige AB" if master == "severa" else "Nordbygg i Norr"
    assert books.customers["1001"]["Name"] == name
    assert books.customers["1001"]["Comments"] == "Ring Eva"  # Severa knows no such thing
    writes = polled.partners.writes()
    rounds(polled, 3)
    assert polled.partners.writes() == writes


@pytest.mark.parametrize("master", ["severa", "fortnox"])
def test_and_so_does_one_that_is_changed_in_fortnox(polled: Workshop, master: str) -> None:
    polled.connect(customer_master=master)
    polled.partners.books.add_customer(CustomerNumber="1001", Name="Nordbygg i Norr")
    writes = polled.partners.writes()
    rounds(polled)
    customer = polled.partners.severa.find("customers", 1001)
    assert (customer["name"] == "Nordbygg i Norr") == (master == "fortnox")
    assert (polled.partners.writes() > writes) == (master == "fortnox")
    writes = polled.partners.writes()
    rounds(polled, 3)
    assert polled.partners.writes() == writes


def test_a_first_change_that_severa_refuses_at_first_goes_over_later(polled: Workshop) -> None:
    polled.connect(customer_master="fortnox")
    polled.partners.books.add_customer(CustomerNumber="1001", Name="Nordbygg i Norr")
    polled.partners.severa.chaos.faults.append(Fault("refuse", "/customers/", "PATCH", status=503))
    rounds(polled, 4)
    assert polled.row("customer", "fortnox:1001").attempts > 1
    assert polled.partners.severa.find("customers", 1001)["name"] == "Nordbygg i Norr"


def test_a_customer_made_in_fortnox_reaches_severa_by_poll_alone(polled: Workshop) -> None:
    polled.partners.books.add_customer(
        CustomerNumber="5005",
        Name="Ny i Fortnox AB",
        OrganisationNumber="556677-8899",
        Address1="Storgatan 1",
        City="Växjö",
        ZipCode="35246",
        CountryCode="SE",
        VATNumber="SE556677889901",
    )
    rounds(polled, 2)
    assert polled.partners.severa.find("customers", 5005)["name"] == "Ny i Fortnox AB"
    rounds(polled, 8)
    assert len([c for c in polled.partners.severa.records("customers") if c["number"] == 5005]) == 1


# --- what it costs ---


def test_a_round_that_finds_nothing_costs_one_call_for_each_list_and_writes_nothing(
    polled: Workshop,
) -> None:
    guid, number = carried(polled)
    polled.partners.books.pay(number)
    rounds(polled, 10)
    writes, events_before = polled.partners.writes(), heard(polled)
    before = calls(polled)
    rounds(polled, 10)
    severa, fortnox = calls(polled)
    assert (severa - before[0], fortnox - before[1]) == (
        10 * SEVERA_CALLS,
        10 * FORTNOX_CALLS + 1,  # the sweep of what is unpaid
    )
    assert (polled.partners.writes(), heard(polled)) == (writes, events_before)
    assert paid_on(polled, guid)[0] == PAID


def test_polls_are_no_transfers(polled: Workshop) -> None:
    guid = order(polled)
    rounds(polled, 3)
    rows = transfers_of(polled)
    assert "poll" not in {row.kind for row in rows}
    assert guid in {row.key for row in rows}


def transfers_of(shop: Workshop) -> list[Any]:
    with shop.hall.db.reading() as tx:
        return list(transfers.page(tx, shop.name, transfers.Filter(), None, 100).rows)


def test_switching_the_poller_off_settles_its_rows_without_a_call(polled: Workshop) -> None:
    rounds(polled)
    before = calls(polled)
    polled.hall.settings.__dict__["poll_interval"] = 0.0
    rounds(polled, 3)
    assert calls(polled) == before
    with polled.hall.db.reading() as tx:
        rows = tx.execute(select(work).where(work.c.kind == "poll")).all()
    assert {(row.state, row.due_at) for row in rows} == {("done", None)}


# --- trouble ---


def waits(shop: Workshop, key: str) -> timedelta:
    row = shop.row("poll", key)
    assert row.due_at is not None
    due: timedelta = row.due_at - shop.clock()
    return due


def test_when_the_budget_is_short_a_poll_comes_seldomer_and_then_as_before(
    polled: Workshop,
) -> None:
    busy = Fault("refuse", "/v1/products", status=429, times=2, headers={"Retry-After": "0"})
    polled.partners.severa.chaos.faults.append(busy)
    rounds(polled)
    assert MINUTE < waits(polled, "severa:products") <= 2 * MINUTE
    assert waits(polled, "severa:customers") <= MINUTE
    rounds(polled, 2)
    assert 3 * MINUTE < waits(polled, "severa:products") <= 4 * MINUTE
    rounds(polled, 4)
    assert waits(polled, "severa:products") <= MINUTE
    assert polled.row("poll", "severa:products").tries == 0


def test_an_outage_is_probed_and_what_happened_meanwhile_is_found_when_it_ends(
    polled: Workshop,
) -> None:
    rounds(polled)
    chaos = polled.partners.severa.chaos
    chaos.faults.append(Fault("refuse", "/rest-api/", status=503, times=None))
    guid = order(polled)
    rounds(polled)
    before = len(chaos.calls)
    polled.clock.move_on(timedelta(seconds=4))
    polled.run()
    assert len(chaos.calls) - before <= 1  # the probe alone
    assert polled.outcome("poll", "severa:invoices") == ("waiting", "vendor_silent")
    chaos.faults.clear()
    polled.clock.move_on(timedelta(seconds=4))
    polled.run()
    assert status(polled, guid) == RECEIVED


def test_an_outage_of_fortnox_does_not_hide_what_happens_in_severa(polled: Workshop) -> None:
    rounds(polled)
    chaos = polled.partners.fortnox.chaos
    chaos.faults.append(Fault("refuse", "/3/", status=503, times=None))
    rounds(polled)
    guid = order(polled)
    rounds(polled)
    assert polled.outcome("invoice", guid) == ("waiting", "vendor_silent")
    chaos.faults.clear()
    rounds(polled)
    assert status(polled, guid) == RECEIVED


def test_a_module_that_the_company_does_not_pay_for_stops_nothing_else(polled: Workshop) -> None:
    polled.partners.books.lose_licence("supplierinvoice")
    guid = order(polled)
    rounds(polled, 2)
    assert polled.connection().stopped is None
    assert status(polled, guid) == RECEIVED
    assert polled.outcome("poll", "fortnox:supplier_invoices") == (
        "waiting",
        "fortnox_licence_missing",
    )


BREAK = {
    "sqlite": [
        "CREATE TRIGGER broken BEFORE UPDATE ON cursors WHEN NEW.name = 'poll:severa:invoices'"
        " BEGIN SELECT RAISE(ABORT, 'the disk is full'); END"
    ],
    "postgresql": [
        "CREATE FUNCTION broken() RETURNS trigger LANGUAGE plpgsql AS"
        " $$ BEGIN RAISE EXCEPTION 'the disk is full'; END $$",
        "CREATE TRIGGER broken BEFORE UPDATE ON cursors FOR EACH ROW"
        " WHEN (NEW.name = 'poll:severa:invoices') EXECUTE FUNCTION broken()",
    ],
}
MEND = {
    "sqlite": ["DROP TRIGGER broken"],
    "postgresql": ["DROP TRIGGER broken ON cursors", "DROP FUNCTION broken"],
}


def test_what_was_heard_and_how_far_it_was_heard_are_stored_together_or_not_at_all(
    polled: Workshop,
) -> None:
    """As when the process is killed between the two."""
    dialect = polled.hall.db.engine.dialect.name
    guid = order(polled)
    tell(polled, BREAK[dialect])
    rounds(polled)
    assert polled.outcome("poll", "severa:invoices") == ("waiting", "our_bug")
    assert (heard(polled), transfers_of(polled)) == (0, [])
    tell(polled, MEND[dialect])
    rounds(polled, 2)
    assert status(polled, guid) == RECEIVED
    assert polled.partners.invoices_by_reference() == {f"severa:{guid}": 1}


def tell(shop: Workshop, statements: list[str]) -> None:
    with shop.hall.db.transaction() as tx:
        for one in statements:
            tx.execute(text(one))


# --- what is mended in Fortnox ---


def ordered_in(shop: Workshop, count: int, **fields: Any) -> list[str]:
    return [order(shop, **fields) for _ in range(count)]


def states(shop: Workshop, guids: list[str]) -> set[tuple[str, str | None]]:
    return {shop.outcome("invoice", guid) for guid in guids}


def test_forty_invoices_flow_without_a_click_when_the_missing_financial_year_is_created(
    polled: Workshop,
) -> None:
    books = polled.partners.books
    year = int(books.today()[:4])
    books.remove_financial_year(year)
    guids = ordered_in(polled, 40)
    rounds(polled, 8)
    assert states(polled, guids) == {("blocked", "fortnox_financial_year_missing")}
    runs, before = [polled.row("invoice", guid).attempts for guid in guids], calls(polled)
    rounds(polled)
    assert [polled.row("invoice", guid).attempts for guid in guids] == runs
    assert calls(polled)[1] - before[1] == FORTNOX_CALLS + 1  # the years, once in a round
    books.add_financial_year(f"{year}-01-01", f"{year}-12-31")
    rounds(polled)
    assert {status(polled, guid) for guid in guids} == {RECEIVED}
    assert polled.partners.invoices_by_reference() == {f"severa:{guid}": 1 for guid in guids}


def _unit(shop: Workshop) -> tuple[str, Callable[[], Any]]:
    product = shop.partners.severa.add_product(name="Låda", code="900", measurementUnit="låda")
    row = Row("fee", 1, 500, article="900", description=product["name"])
    guid = shop.partners.severa.add_invoice(1001, [3001], [row])["guid"]
    return guid, lambda: shop.partners.books.add_unit("låda", "Låda")


def _currency(shop: Workshop) -> tuple[str, Callable[[], Any]]:
    row = Row("hours", 10, 95, article="100", vat=0)
    guid = shop.partners.severa.add_invoice(1004, [3003], [row], currency="CHF")["guid"]
    return guid, lambda: shop.partners.books.add_currency("CHF", "11.9")


def _cost_center(shop: Workshop) -> tuple[str, Callable[[], Any]]:
    shop.connect(cost_centers={"from": "row", "map": {"10": "UMEA"}})
    row = Row("hours", 1, 1100, article="100", cost_center="10")
    guid = shop.partners.severa.add_invoice(1001, [3001], [row])["guid"]
    return guid, lambda: shop.partners.books.add_cost_center("UMEA", "Umeå")


def _lock(shop: Workshop) -> tuple[str, Callable[[], Any]]:
    shop.partners.books.lock_period("2090-12-31")
    return shop.partners.severa.add_simple_invoice()[
        "guid"
    ], lambda: shop.partners.books.lock_period(None)


@pytest.mark.parametrize("missing", [_unit, _currency, _cost_center, _lock])
def test_what_was_missing_in_fortnox_is_noticed_when_it_is_there(
    polled: Workshop, missing: Callable[[Workshop], tuple[str, Callable[[], Any]]]
) -> None:
    guid, mend = missing(polled)
    polled.partners.severa.set_status(guid, TRANSFER)
    rounds(polled, 3)
    assert polled.outcome("invoice", guid)[0] == "blocked"
    mend()
    rounds(polled)
    assert status(polled, guid) == RECEIVED


def test_a_vat_number_that_is_given_lets_every_invoice_of_the_customer_flow(
    polled: Workshop,
) -> None:
    severa = polled.partners.severa
    number = severa.find("customers", 1001)["vatNumber"]
    severa.change("customers", 1001, vatNumber=None)
    guids = [order(polled), order(polled)]
    rounds(polled, 3)
    assert {polled.outcome("invoice", guid)[0] for guid in guids} == {"blocked"}
    severa.change("customers", 1001, vatNumber=number)
    rounds(polled)
    assert {status(polled, guid) for guid in guids} == {RECEIVED}


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_licence_that_is_bought_again_lets_everything_flow(shop: Workshop) -> None:
    shop.partners.books.lose_licence("invoice")
    guids = [order(shop), order(shop)]
    shop.look_at("invoice", *guids)
    assert {shop.outcome("invoice", guid)[0] for guid in guids} == {"blocked", "queued"}
    assert not shop.partners.books.invoices
    ran = [shop.row("invoice", guid).attempts for guid in guids]
    for _ in range(3):  # Fortnox answers; only what the company does not pay for is refused
        later(shop)
    assert [shop.row("invoice", guid).attempts for guid in guids] == ran
    assert (shop.row("probe", "fortnox").attempts, bool(shop.connection().stopped)) == (3, True)
    shop.partners.books.regain_licence("invoice")
    later(shop)
    assert {status(shop, guid) for guid in guids} == {RECEIVED}


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_scope_to_write_that_is_lost_is_tried_without_writing(shop: Workshop) -> None:
    guid, severa = order(shop), shop.partners.severa
    body = json.dumps({"error": {"type": "InsufficientApiScope", "details": []}})
    severa.chaos.faults.append(
        Fault("refuse", "/v1/invoices/", "PATCH", None, status=403, body=body)
    )
    shop.look_at("invoice", guid)
    stopped = shop.connection().stopped
    assert stopped is not None
    assert stopped.facts["at"] == f"PATCH /rest-api/v1/invoices/{guid}"
    later(shop)
    assert (shop.row("invoice", guid).attempts, status(shop, guid)) == (1, TRANSFER)
    severa.chaos.faults.clear()
    later(shop)
    assert (status(shop, guid), shop.connection().stopped) == (RECEIVED, None)
    assert shop.partners.invoices_by_reference() == {f"severa:{guid}": 1}


def later(shop: Workshop) -> None:
    shop.clock.move_on(STOPPED_PROBE_EVERY + timedelta(seconds=1))
    shop.run()


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_preflight_that_sees_the_missing_thing_sets_going_what_waited(shop: Workshop) -> None:
    guid, mend = _unit(shop)
    shop.partners.severa.set_status(guid, TRANSFER)
    shop.look_at("invoice", guid)
    assert shop.outcome("invoice", guid)[0] == "blocked"
    shop.partners.books.add_unit("mån", "månad")
    mend()
    preflight.run(Survey(shop.process.room.sides(shop.connection(), 0)))
    shop.run()
    assert shop.outcome("invoice", guid) == ("done", None)


def test_what_is_mended_before_anybody_had_read_the_register_is_noticed_too(
    polled: Workshop,
) -> None:
    books = polled.partners.books
    year = int(books.today()[:4])
    books.remove_financial_year(year)
    guid = order(polled)
    polled.look_at("invoice", guid)
    books.add_financial_year(f"{year}-01-01", f"{year}-12-31")
    rounds(polled)
    assert status(polled, guid) == RECEIVED


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_what_another_process_sees_mended_is_read_anew_here(shop: Workshop, redis_url: str) -> None:
    """Fortnox has lost the terms of payment that this process has read and still remembers."""
    shop.look_at("invoice", order(shop))
    shop.partners.books.shelves["termsofpayments"].pop("30")
    guid = order(shop)
    shop.look_at("invoice", guid)
    assert shop.outcome("invoice", guid) == ("blocked", "fortnox_terms_missing")
    other = WorkingProcess(shop.hall, "worker", redis_url, lost=lambda: None)
    try:
        shop.hear_of("poll", "fortnox:registers")
        assert other.crank.turn(1) == 1
    finally:
        other.close()
    shop.run()
    assert shop.outcome("invoice", guid) == ("done", None)


def test_without_anything_waiting_no_register_is_read(polled: Workshop) -> None:
    rounds(polled, 2)
    paths = {call.path for call in polled.partners.fortnox.chaos.calls}
    assert not any("financialyears" in path or "units" in path for path in paths)
    assert polled.row("poll", "fortnox:registers").attempts == 2
    assert len(POLLS) == SEVERA_CALLS + FORTNOX_CALLS + 1
