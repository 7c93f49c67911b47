"""Whole registers, carried over once, with progress, and behind what people wait for."""

from datetime import timedelta

from app import backfills, worklist
from app.worklist import Want
from tests.journeys.test_invoices import order
from tests.workshop import Workshop


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


def test_it_is_not_started_twice_while_it_is_under_way(shop: Workshop) -> None:
    assert start(shop, "customer") == start(shop, "customer")


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
