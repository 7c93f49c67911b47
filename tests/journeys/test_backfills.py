"""Whole registers, carried over once, with progress, and behind what people wait for."""

import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta
from threading import Thread

import pytest
from sqlalchemy import func, select

from app import backfills, models, worklist
from app.sync.settling import DONE
from app.worklist import Want
from tests.installation import until
from tests.journeys.test_any_order import Died, Theatre
from tests.journeys.test_invoices import order
from tests.journeys.test_project_fees import bill, cost, fees
from tests.proof import seams
from tests.workshop import Workshop
from workers.sweeper import Sweeper


def start(shop: Workshop, kind: str, direction: str = "severa_to_fortnox") -> str:
    with shop.hall.db.transaction() as tx:
        return str(backfills.start(tx, shop.name, kind, direction, shop.clock()).id)


def progress(shop: Workshop, backfill_id: str) -> backfills.Progress:
    with shop.hall.db.transaction() as tx:
        row = backfills.find(tx, shop.name, backfill_id)
        assert row is not None
        return backfills.progress(tx, row, shop.clock())


def test_all_customers_go_over_and_the_progress_says_so(shop: Workshop) -> None:
    backfill = start(shop, "customer")
    assert progress(shop, backfill).state == "listing"
    shop.run()
    seen = progress(shop, backfill)
    assert (seen.state, seen.done, seen.failed, seen.total) == ("done", 4, 0, 4)
    assert sorted(shop.partners.books.customers) == ["1001", "1002", "1003", "1004"]


def test_one_that_needs_a_person_is_counted_apart(shop: Workshop) -> None:
    shop.partners.severa.change("customers", 1001, vatNumber=None)
    backfill = start(shop, "customer")
    shop.run()
    seen = progress(shop, backfill)
    assert (seen.state, seen.done, seen.failed, seen.total) == ("done", 3, 1, 4)


def test_all_products_projects_and_waiting_invoices_go_over(shop: Workshop) -> None:
    shop.partners.books.add_unit("mån", "månad")
    for _ in range(3):
        order(shop)
    for kind in ("product", "project", "invoice"):
        start(shop, kind)
    shop.run()
    books = shop.partners.books
    assert (len(books.articles), len(books.projects), len(books.invoices)) == (8, 4, 3)


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_while_it_runs_it_says_when_it_will_be_done(shop: Workshop) -> None:
    shop.clock.stop()
    backfill = start(shop, "customer")
    guids = [one["guid"] for one in shop.partners.severa.records("customers")]
    with shop.hall.db.transaction() as tx:
        wants = [Want(shop.name, "customer", guid, batch=backfill) for guid in guids]
        worklist.enqueue(tx, wants, shop.clock())
        backfills.listed(tx, backfill, shop.clock())
    assert progress(shop, backfill).eta is None
    holder = shop.process.room.holder
    item = holder.claim()
    assert item is not None
    holder.settle(item, DONE)
    shop.clock.move_on(timedelta(minutes=1))
    seen = progress(shop, backfill)
    assert (seen.state, seen.done, seen.total) == ("running", 1, 4)
    assert seen.eta == shop.clock() + timedelta(minutes=3)


def test_it_is_not_started_twice_while_it_is_under_way(shop: Workshop) -> None:
    first = start(shop, "customer")
    assert start(shop, "customer") == first
    shop.run()
    assert start(shop, "customer") != first  # though nobody has looked how far it had come


def test_killed_in_the_middle_of_the_list_it_goes_on_and_counts_nobody_twice(
    shop: Workshop,
) -> None:
    backfill = start(shop, "customer")
    customer = shop.partners.severa.find("customers", 1001)["guid"]
    half = Want(shop.name, "customer", customer, worklist.BACKGROUND, batch=backfill)
    with shop.hall.db.transaction() as tx:
        worklist.enqueue(tx, [half], shop.clock())
    shop.run()
    assert progress(shop, backfill).total == 4
    assert shop.row("customer", customer).attempts == 1


def dies(shop: Workshop, redis_url: str, point: int) -> None:
    """The worker, as by SIGKILL, at that commit or call; another one takes its place."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(seams, "_die", _die)
        with suppress(Died), seams.watched(die_at=point, side="after"):
            shop.run()
    Theatre(shop, redis_url).restart()


def _die() -> None:
    raise Died


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_whichever_register_it_is_a_worker_that_dies_in_the_middle_costs_no_second_write(
    shop: Workshop, redis_url: str
) -> None:
    severa, books = shop.partners.severa, shop.partners.books
    books.add_unit("mån", "månad")
    books.add_customer(CustomerNumber="2001", Name="Norrsken AB", Type="COMPANY")
    books.add_article(ArticleNumber="2001", Description="Skylt")
    guids = [order(shop) for _ in range(3)]
    ways = [(kind, direction) for kind, both in backfills.WAYS.items() for direction in both]
    for kind, direction in ways:
        if kind == "project_fee":  # their projects are in Fortnox by now
            for amount in (100, 200, 300):
                bill(shop, cost(amount))
        backfill = start(shop, kind, direction)
        for point in (4, 11):
            dies(shop, redis_url, point)
        for _ in range(3):
            shop.clock.move_on(timedelta(minutes=11))
            shop.run()
        seen = progress(shop, backfill)
        assert (kind, direction, seen.state, seen.failed) == (kind, direction, "done", 0)
        assert seen.done == seen.total > 1
    assert shop.partners.invoices_by_reference() == {f"severa:{guid}": 1 for guid in guids}
    assert sorted(one["unitCost"]["amount"] for one in fees(shop)) == [100, 200, 300]
    assert (len(books.customers), len(severa.records("customers"))) == (5, 5)
    assert (len(books.articles), len(books.projects)) == (9, 4)
    assert len([one for one in severa.records("products") if one["code"] == "2001"]) == 1


def test_a_live_event_goes_before_the_backfill(shop: Workshop) -> None:
    start(shop, "project")
    guid = order(shop)
    with shop.hall.db.transaction() as tx:
        later = shop.clock() + timedelta(milliseconds=1)
        worklist.enqueue(tx, [Want(shop.name, "invoice", guid)], later)
    shop.clock.move_on(timedelta(seconds=1))
    item = shop.process.room.holder.claim()
    assert item is not None
    assert (item.kind, item.lane) == ("invoice", worklist.LIVE)
    shop.process.room.holder.let_go(item)


def test_the_setting_starts_all_customers_once_for_every_activation(shop: Workshop) -> None:
    shop.connect(transfer_all_customers=True)
    for expected in (1, 0):
        with shop.hall.db.transaction() as tx:
            assert backfills.start_wanted(tx, [shop.connection()], shop.clock()) == expected
    shop.run()
    assert len(shop.partners.books.customers) == 4


def test_a_real_sweeper_starts_all_customers_at_activation_and_never_again(
    shop: Workshop, redis_url: str
) -> None:
    shop.connect(transfer_all_customers=True)
    began = time.monotonic()
    with sweeping(shop, redis_url):
        until("it is started by itself", lambda: started(shop) == 1)
    assert time.monotonic() - began < 60
    shop.run()
    assert sorted(shop.partners.books.customers) == ["1001", "1002", "1003", "1004"]
    writes = shop.partners.writes()
    with sweeping(shop, redis_url) as sweeper:
        sweeper.start_backfills(shop.clock())
    shop.run()
    assert (started(shop), shop.partners.writes()) == (1, writes)


def test_with_fortnox_as_master_all_companies_go_to_severa_at_activation(
    shop: Workshop, redis_url: str
) -> None:
    books, severa = shop.partners.books, shop.partners.severa
    address = {"Address1": "Ågatan 1", "ZipCode": "111 22", "City": "Umeå"}
    number = {"OrganisationNumber": "556677-8899"}
    books.add_customer(
        CustomerNumber="2001", Name="Norrsken AB", Type="COMPANY", **address, **number
    )
    books.add_customer(CustomerNumber="2002", Name="Kim Berg", Type="PRIVATE", **address)
    before = len(severa.records("customers"))
    shop.connect(transfer_all_customers=True, customer_master="fortnox")
    with sweeping(shop, redis_url) as sweeper:
        sweeper.start_backfills(shop.clock())
    shop.run()
    assert severa.find("customers", 2001)["name"] == "Norrsken AB"
    assert len(severa.records("customers")) == before + 1
    assert shop.outcome("customer", "fortnox:2002")[0] == "skipped"


def test_a_connection_without_the_setting_is_left_alone_by_the_sweeper(
    shop: Workshop, redis_url: str
) -> None:
    with sweeping(shop, redis_url) as sweeper:
        sweeper.start_backfills(shop.clock())
    assert started(shop) == 0


def test_all_booked_supplier_invoices_become_fees_and_a_second_time_nothing_is_written(
    shop: Workshop,
) -> None:
    severa, books = shop.partners.severa, shop.partners.books
    shop.look_at("project", *(one["guid"] for one in severa.records("projects")))
    bill(shop, cost(100))
    bill(shop, cost(200))
    bill(shop, cost(300), booked=False)
    books.cancel_supplier_invoice(bill(shop, cost(400)))
    first = start(shop, "project_fee", "fortnox_to_severa")
    shop.run()
    seen = progress(shop, first)
    assert (seen.state, seen.done, seen.failed, seen.total) == ("done", 2, 0, 2)
    assert [one["unitCost"]["amount"] for one in fees(shop)] == [100, 200]
    writes = shop.partners.writes()
    start(shop, "project_fee", "fortnox_to_severa")
    shop.run()
    assert shop.partners.writes() == writes
    seen = progress(shop, first)
    assert (seen.done, seen.total) == (2, 2), "though its rows were wanted anew"


def started(shop: Workshop) -> int:
    with shop.hall.db.reading() as tx:
        return tx.scalar(select(func.count()).select_from(models.backfills)) or 0


@contextmanager
def sweeping(shop: Workshop, redis_url: str) -> Iterator[Sweeper]:
    """The process's own loop, in a thread."""
    sweeper = Sweeper(shop.hall, redis_url)
    thread = Thread(target=sweeper.run)
    thread.start()
    try:
        yield sweeper
    finally:
        sweeper.stop()
        thread.join()
