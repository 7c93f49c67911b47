"""Polls while a budget is short, a system is away, a licence is missing or a database refuses."""

from datetime import timedelta

from sqlalchemy import text

from app.sandbox.chaos import Fault
from app.sandbox.severa import RECEIVED
from tests.journeys.polled import MINUTE, heard, rounds, transfers_of
from tests.journeys.test_invoices import order, status
from tests.workshop import Workshop


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
