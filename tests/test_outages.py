"""Outages: three calls in a row without an answer, then one probe instead of a flood."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select

from app import outages, worklist
from app.errors import because
from app.hall import Hall
from app.models import outages as table
from app.models import work
from app.worklist import Settlement, Want
from tests.halls import emptied

NOW = datetime(2026, 11, 24, 8, 0, tzinfo=UTC)
SECOND = timedelta(seconds=1)


@pytest.fixture
def hall(opened: Hall) -> Hall:
    return emptied(opened)


def fail(hall: Hall, system: Any = "severa", times: int = 1, to: str = "acme") -> None:
    for number in range(times):
        with hall.db.transaction() as tx:
            outages.note_failure(tx, to, system, NOW + number * SECOND)


def known(hall: Hall, to: str = "acme") -> dict[Any, bool]:
    with hall.db.reading() as tx:
        return outages.known(tx, to)


def probes(hall: Hall) -> list[tuple[str, str]]:
    with hall.db.reading() as tx:
        rows = tx.execute(select(work).where(work.c.kind == "probe"))
        return [(row.connection, row.key) for row in rows]


def test_two_failures_are_noted_and_the_vendor_is_still_called(hall: Hall) -> None:
    fail(hall, times=2)
    assert known(hall) == {"severa": False}
    assert probes(hall) == []


def test_the_third_failure_opens_the_circuit_and_asks_for_one_probe(hall: Hall) -> None:
    fail(hall, times=5)
    assert known(hall) == {"severa": True}
    assert probes(hall) == [("acme", "severa")]
    with hall.db.reading() as tx:
        [row] = tx.execute(select(table))
    assert (row.failures, row.since, row.probe_at) == (5, NOW, NOW + 4 * SECOND)


def test_an_outage_is_of_one_vendor_and_one_connection(hall: Hall) -> None:
    fail(hall, "severa", 3)
    fail(hall, "fortnox", 1)
    fail(hall, "severa", 1, to="other")
    assert known(hall) == {"severa": True, "fortnox": False}
    assert known(hall, "other") == {"severa": False}
    assert known(hall, "nobody") == {}


def test_an_answer_ends_it_and_frees_all_that_waited_for_that_vendor(hall: Hall) -> None:
    fail(hall, "severa", 3)
    fail(hall, "fortnox", 3)
    for key, system in (("1", "severa"), ("2", "severa"), ("3", "fortnox")):
        item = worklist.claim_now(hall.db, "me", Want("acme", "invoice", key), NOW)
        assert item is not None
        waits_for = outages.waiting_key(system)
        due = NOW + timedelta(hours=12)
        waiting = Settlement("waiting", because("vendor_silent"), due, waits_for, tries=9)
        worklist.settle(hall.db, item, waiting, NOW)
    with hall.db.transaction() as tx:
        assert outages.note_answer(tx, "acme", "severa", NOW + SECOND) == 2
        assert outages.note_answer(tx, "acme", "severa", NOW + SECOND) == 0
    assert known(hall) == {"fortnox": True}
    with hall.db.reading() as tx:
        rows = tx.execute(select(work).where(work.c.kind == "invoice").order_by(work.c.key))
        found = [(row.state, row.due_at) for row in rows]
    assert found == [
        ("queued", NOW + SECOND),
        ("queued", NOW + SECOND),
        ("waiting", NOW + timedelta(hours=12)),
    ]


def test_after_an_answer_the_count_begins_anew(hall: Hall) -> None:
    fail(hall, times=2)
    with hall.db.transaction() as tx:
        outages.note_answer(tx, "acme", "severa", NOW)
    fail(hall, times=2)
    assert known(hall) == {"severa": False}
