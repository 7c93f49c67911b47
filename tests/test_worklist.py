"""The work list: one row per record, run by one at a time, never lost and never run for nothing."""

import json
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Barrier, Thread
from typing import Any

import pytest
from sqlalchemy import func, select, update

from app import claims, connections, outages, overview, waiting, worklist
from app.documents import Document
from app.errors import because
from app.hall import Hall
from app.models import work
from app.worklist import BACKGROUND, LIVE, RUNNING_PER_CONNECTION, Item, Settlement, Want
from tests.halls import emptied

ROOT = Path(__file__).parent.parent
NOW = datetime(2026, 11, 24, 8, 0, tzinfo=UTC)
SECOND = timedelta(seconds=1)
QUARANTINE = timedelta(minutes=10)
DONE = Settlement("done")
WHY = because("other_record_blocked", kind="customer")


@pytest.fixture
def hall(opened: Hall) -> Hall:
    """Empty, but for one active connection."""
    connect(emptied(opened), "acme")
    return opened


def connect(hall: Hall, name: str, *, active: bool = True) -> None:
    with hall.db.transaction() as tx:
        connections.put(tx, hall.vault, Document(name=name), NOW)
        connections.set_active(tx, name, NOW, active=active)


def want(key: str, *, to: str = "acme", kind: str = "invoice", **more: Any) -> Want:
    return Want(to, kind, key, **more)


def enqueue(hall: Hall, *wants: Want, at: datetime = NOW) -> list[str]:
    """The rows' ids, in the order asked for."""
    with hall.db.transaction() as tx:
        rows = worklist.enqueue(tx, wants, at)
    return [rows[one.at] for one in wants]


def claim(hall: Hall, me: str = "me", at: datetime = NOW) -> Item | None:
    return next(iter(worklist.claim(hall.db, me, at)), None)


def claimed(hall: Hall, one: Want, me: str = "me", at: datetime = NOW) -> Item:
    """A row that runs."""
    item = worklist.claim_now(hall.db, me, one, at)
    assert item is not None
    return item


def settle(hall: Hall, item: Item, settlement: Settlement = DONE, at: datetime = NOW) -> None:
    worklist.settle(hall.db, item, settlement, at)


def end(hall: Hall, one: Want, settlement: Settlement = DONE) -> None:
    settle(hall, claimed(hall, one), settlement)


def row(hall: Hall, key: str) -> Any:
    with hall.db.reading() as tx:
        return tx.execute(select(work).where(work.c.key == key)).one()


def drain(hall: Hall, at: datetime = NOW) -> list[str]:
    """The keys of everything that runs from now on, in order."""
    keys = []
    while item := claim(hall, at=at):
        keys.append(item.key)
        settle(hall, item, at=at)
        assert len(keys) < 50, "it never ends"
    return keys


# Ten events are one look.


def test_ten_events_about_one_record_are_one_run(hall: Hall) -> None:
    rows = {enqueue(hall, want("1"))[0] for _ in range(10)}
    assert len(rows) == 1
    assert drain(hall) == ["1"]
    assert (row(hall, "1").state, row(hall, "1").attempts) == ("done", 1)


def test_ten_events_in_one_transaction_are_one_run(hall: Hall) -> None:
    assert len(set(enqueue(hall, *[want("1")] * 10))) == 1
    assert drain(hall) == ["1"]


def test_an_event_during_the_run_is_one_run_more(hall: Hall) -> None:
    enqueue(hall, want("1"))
    item = claim(hall)
    assert item is not None
    for _ in range(9):
        enqueue(hall, want("1"))
    assert claim(hall) is None
    settle(hall, item, at=NOW + SECOND)
    now = row(hall, "1")
    assert (now.state, now.due_at, now.received_at) == ("queued", NOW + SECOND, NOW + SECOND)
    assert drain(hall, at=NOW + SECOND) == ["1"]
    assert (row(hall, "1").state, row(hall, "1").attempts) == ("done", 2)


@pytest.mark.parametrize("state", ["waiting", "blocked", "failed", "skipped"])
def test_an_event_during_the_run_outweighs_how_the_run_ended(hall: Hall, state: Any) -> None:
    item = claimed(hall, want("1"))
    enqueue(hall, want("1"))
    ending = Settlement(state, WHY, NOW + timedelta(hours=1), "outage:severa", tries=3)
    settle(hall, item, ending)
    now = row(hall, "1")
    assert (now.state, now.due_at, now.waits_for, now.tries) == ("queued", NOW, None, 0)


@pytest.mark.parametrize("state", ["done", "skipped", "blocked", "failed", "waiting"])
def test_an_event_brings_a_settled_or_waiting_row_back_at_once(hall: Hall, state: Any) -> None:
    hour = NOW + timedelta(hours=1)
    end(hall, want("1"), Settlement(state, WHY, hour, tries=4, failing_since=NOW))
    [row_id] = enqueue(hall, want("1"), at=NOW + SECOND)
    now = row(hall, "1")
    assert (now.id, now.state, now.due_at) == (row_id, "queued", NOW + SECOND)
    assert (now.tries, now.failing_since, now.waits_for) == (0, None, None)


def test_a_row_that_is_queued_keeps_its_place_in_the_line(hall: Hall) -> None:
    enqueue(hall, want("1"))
    enqueue(hall, want("2"), at=NOW + SECOND)
    enqueue(hall, want("1"), at=NOW + 2 * SECOND)
    assert row(hall, "1").received_at == NOW
    assert drain(hall, at=NOW + 3 * SECOND) == ["1", "2"]


def test_two_processes_that_want_the_same_record_at_once_make_one_row(hall: Hall) -> None:
    barrier = Barrier(8)

    def hear() -> str:
        barrier.wait()
        return enqueue(hall, want("1"), want("2"))[0]

    with ThreadPoolExecutor(8) as threads:
        rows = {one.result() for one in [threads.submit(hear) for _ in range(8)]}
    assert len(rows) == 1
    assert row(hall, "1").wanted == 8
    assert sorted(drain(hall)) == ["1", "2"]


# Whose turn it is.


def test_the_live_lane_goes_first_and_then_the_longest_due(hall: Hall) -> None:
    enqueue(hall, want("backfill", lane=BACKGROUND), at=NOW - 3 * SECOND)
    enqueue(hall, want("late"), at=NOW)
    enqueue(hall, want("early"), at=NOW - SECOND)
    assert drain(hall) == ["early", "late", "backfill"]


def test_an_event_lifts_a_backfilled_row_into_the_live_lane_and_never_back(hall: Hall) -> None:
    enqueue(hall, want("1", lane=BACKGROUND))
    enqueue(hall, want("1", lane=LIVE))
    assert row(hall, "1").lane == LIVE
    enqueue(hall, want("1", lane=BACKGROUND))
    assert row(hall, "1").lane == LIVE


def test_what_is_due_later_is_left_alone_until_then(hall: Hall) -> None:
    later = NOW + timedelta(minutes=2)
    end(hall, want("1"), Settlement("waiting", WHY, later))
    assert claim(hall, at=later - SECOND) is None
    with hall.db.reading() as tx:
        assert overview.backlog(tx, later - SECOND) == overview.Backlog(0, None)
        assert overview.backlog(tx, later) == overview.Backlog(1, later)
    assert drain(hall, at=later) == ["1"]


def test_blocked_rows_never_become_due_by_themselves(hall: Hall) -> None:
    end(hall, want("1"), Settlement("blocked", WHY))
    assert claim(hall, at=NOW + timedelta(days=400)) is None


def test_one_connection_runs_no_more_than_its_share(hall: Hall) -> None:
    connect(hall, "other")
    enqueue(hall, *[want(f"{number:02}") for number in range(20)])
    enqueue(hall, want("theirs", to="other"), at=NOW + SECOND)
    held = [claim(hall, at=NOW + SECOND) for _ in range(RUNNING_PER_CONNECTION + 1)]
    assert sorted(item.connection for item in held if item) == (
        ["acme"] * RUNNING_PER_CONNECTION + ["other"]
    )
    assert claim(hall, at=NOW + SECOND) is None
    settle(hall, held[0])  # type: ignore[arg-type]
    again = claim(hall, at=NOW + SECOND)
    assert again is not None
    assert again.connection == "acme"


def test_nothing_of_an_inactive_stopped_deleted_or_unknown_connection_is_claimed(
    hall: Hall,
) -> None:
    connect(hall, "off", active=False)
    connect(hall, "stopped")
    connect(hall, "deleted")
    with hall.db.transaction() as tx:
        connections.stop(tx, "stopped", because("token_refused", system="severa"), NOW)
        connections.delete(tx, hall.vault, "deleted", NOW)
    for name in ("off", "stopped", "deleted", "nobody"):
        enqueue(hall, want("1", to=name))
    assert claim(hall) is None
    with hall.db.reading() as tx:
        assert overview.backlog(tx, NOW + timedelta(days=365)) == overview.Backlog(0, None)
    connect(hall, "off")
    assert drain(hall) == ["1"]


def test_a_stopped_connection_is_still_probed(hall: Hall) -> None:
    with hall.db.transaction() as tx:
        connections.stop(tx, "acme", because("token_refused", system="severa"), NOW)
    enqueue(hall, want("1"), want("severa", kind="probe"))
    assert drain(hall) == ["severa"]


# Never two at once.


def test_two_rows_of_one_subject_never_run_at_once(hall: Hall) -> None:
    enqueue(hall, want("1"), want("88", kind="payment", subject="invoice:1"))
    first = claim(hall)
    assert first is not None
    assert claim(hall) is None
    settle(hall, first)
    second = claim(hall)
    assert second is not None
    assert {first.kind, second.kind} == {"invoice", "payment"}


def test_a_claim_of_several_takes_one_of_each_subject(hall: Hall) -> None:
    payment = want("88", kind="payment", subject="invoice:1")
    enqueue(hall, want("1"), payment, want("2"))
    taken = worklist.claim(hall.db, "me", NOW, limit=10)
    assert sorted(item.subject for item in taken) == ["invoice:1", "invoice:2"]


def test_a_row_that_runs_cannot_be_claimed_by_name_either(hall: Hall) -> None:
    claimed(hall, want("1"))
    assert worklist.claim_now(hall.db, "other", want("1"), NOW) is None
    payment = want("88", kind="payment", subject="invoice:1")
    assert worklist.claim_now(hall.db, "other", payment, NOW) is None
    assert row(hall, "1").claimed_by == "me"


def test_a_row_claimed_by_name_is_made_and_taken_due_or_not(hall: Hall) -> None:
    end(hall, want("1"), Settlement("waiting", WHY, NOW + timedelta(hours=5)))
    for key in ("1", "2"):
        item = claimed(hall, want(key))
        settle(hall, item)
        assert row(hall, key).state == "done"


def crowd(subjects: int, rows: int) -> list[Want]:
    """Many rows, of fewer subjects, over connections that each may run a few."""
    return [
        Want(f"c{number % 4}", "payment", f"{number:03}", subject=f"invoice:{number % subjects}")
        for number in range(rows)
    ]


def test_eight_threads_never_run_two_rows_of_one_subject(hall: Hall) -> None:
    for number in range(4):
        connect(hall, f"c{number}")
    wants = crowd(subjects=10, rows=40)
    enqueue(hall, *wants)
    running: set[tuple[str, str]] = set()
    ran: list[str] = []

    def turn(me: str) -> None:
        while len(ran) < len(wants):
            item = claim(hall, me)
            if item is None:
                continue
            subject = (item.connection, item.subject)
            assert subject not in running
            running.add(subject)
            ran.append(item.key)
            running.discard(subject)
            settle(hall, item)

    with ThreadPoolExecutor(8) as threads:
        for one in [threads.submit(turn, f"thread-{number}") for number in range(8)]:
            one.result()
    assert sorted(ran) == [one.key for one in wants]


TAKER = """
import json, sys
from datetime import datetime
from app import overview, worklist
from app.db import Database

url, me, now = json.loads(sys.argv[1])
db, instant = Database(url), datetime.fromisoformat(now)
print("ready", flush=True)
sys.stdin.readline()
ran = []
while True:
    items = worklist.claim(db, me, instant)
    if items:
        ran.append(items[0].key)
        with db.reading() as tx:
            assert items[0].claimed_by == me
        worklist.settle(db, items[0], worklist.Settlement("done"), instant)
    else:
        with db.reading() as tx:
            if not overview.backlog(tx, instant).due:
                break
print(json.dumps(ran), flush=True)
"""


@pytest.mark.processes
def test_three_processes_share_the_list_and_run_every_row_once(hall: Hall) -> None:
    for number in range(4):
        connect(hall, f"c{number}")
    wants = crowd(subjects=20, rows=60)
    enqueue(hall, *wants)
    url = hall.db.url.render_as_string(hide_password=False)
    takers = [
        subprocess.Popen(
            [sys.executable, "-c", TAKER, json.dumps([url, f"p{number}", NOW.isoformat()])],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for number in range(3)
    ]
    for taker in takers:
        assert taker.stdout is not None
        assert taker.stdout.readline() == "ready\n"
    for taker in takers:
        assert taker.stdin is not None
        taker.stdin.write("\n")
        taker.stdin.flush()
    ran = [json.loads(taker.communicate(timeout=60)[0]) for taker in takers]
    assert sorted(key for keys in ran for key in keys) == [one.key for one in wants]
    with hall.db.reading() as tx:
        attempts = tx.execute(select(func.sum(work.c.attempts), func.max(work.c.attempts))).one()
    assert tuple(attempts) == (60, 1)


# How a run ends.


def test_every_run_is_counted_before_it_begins(hall: Hall) -> None:
    enqueue(hall, want("1"))
    item = claim(hall)
    assert item is not None
    assert (item.attempts, row(hall, "1").attempts) == (1, 1)
    assert (row(hall, "1").state, row(hall, "1").started_at) == ("running", NOW)


def test_a_settlement_is_written_as_it_was_given(hall: Hall) -> None:
    due = NOW + timedelta(minutes=2)
    item = claimed(hall, want("1"))
    settle(hall, item, Settlement("waiting", WHY, due, "fortnox:unit:h", 3, NOW - SECOND))
    now = row(hall, "1")
    assert (now.state, now.due_at, now.waits_for) == ("waiting", due, "fortnox:unit:h")
    assert (now.tries, now.failing_since) == (3, NOW - SECOND)
    assert now.reason == {"code": "other_record_blocked", "facts": {"kind": "customer"}}
    assert (now.claimed_by, now.settled_at) == (None, None)
    settle(hall, claimed(hall, want("1")))
    assert (row(hall, "1").state, row(hall, "1").reason) == ("done", None)
    assert row(hall, "1").settled_at == NOW


def test_who_lost_the_row_settles_nothing_and_wakes_nobody(hall: Hall) -> None:
    mine = claimed(hall, want("1"), "paused")
    end(hall, want("2"), Settlement("blocked", WHY, waits_for="work:invoice:1"))
    assert claims.take_back(hall.db, "paused", set(), NOW, QUARANTINE) == 1
    theirs = claimed(hall, want("1"), "successor")
    before = row(hall, "1")
    settle(hall, mine, DONE)
    assert row(hall, "1") == before
    assert row(hall, "2").state == "blocked"
    claims.let_go(hall.db, mine, NOW)
    claims.change_subject(hall.db, mine, "invoice:3", NOW)
    assert row(hall, "1") == before
    settle(hall, theirs)
    assert (row(hall, "1").state, row(hall, "2").state) == ("done", "queued")


def test_a_settled_row_is_not_settled_again(hall: Hall) -> None:
    item = claimed(hall, want("1"))
    settle(hall, item)
    settle(hall, item, Settlement("failed", WHY))
    assert row(hall, "1").state == "done"


def test_a_row_let_go_is_due_at_once(hall: Hall) -> None:
    item = claimed(hall, want("1"))
    claims.let_go(hall.db, item, NOW + SECOND)
    assert (row(hall, "1").state, row(hall, "1").claimed_by) == ("queued", None)
    assert drain(hall, at=NOW + SECOND) == ["1"]


def test_a_row_that_changes_its_subject_is_due_at_once_under_it(hall: Hall) -> None:
    invoice = claimed(hall, want("1"))
    payment = claimed(hall, want("88", kind="payment"))
    claims.change_subject(hall.db, payment, "invoice:1", NOW)
    assert claim(hall) is None
    settle(hall, invoice)
    assert drain(hall) == ["88"]
    assert row(hall, "88").subject == "invoice:1"


# Waiting for something.


def wake(hall: Hall, waits_for: str) -> int:
    with hall.db.transaction() as tx:
        return waiting.wake(tx, "acme", waits_for, NOW)


def test_all_that_waited_for_a_thing_is_due_when_it_comes(hall: Hall) -> None:
    hour = NOW + timedelta(hours=1)
    connect(hall, "other")
    end(hall, want("1"), Settlement("waiting", WHY, hour, "fortnox:currency:EUR"))
    end(hall, want("2"), Settlement("blocked", WHY, None, "fortnox:currency:EUR"))
    end(hall, want("3"), Settlement("blocked", WHY, None, "fortnox:currency:USD"))
    end(hall, want("4", to="other"), Settlement("blocked", WHY, None, "fortnox:currency:EUR"))
    assert wake(hall, "fortnox:currency:EUR") == 2
    assert sorted(drain(hall)) == ["1", "2"]
    assert [row(hall, key).state for key in "34"] == ["blocked", "blocked"]


def test_a_record_that_went_through_wakes_what_waited_for_it(hall: Hall) -> None:
    customer = want("7", kind="customer")
    end(hall, customer, Settlement("blocked", WHY))
    end(hall, want("1"), Settlement("blocked", WHY, None, "work:customer:7"))
    end(hall, want("2"), Settlement("waiting", WHY, NOW + 9 * SECOND, "work:customer:7"))
    end(hall, customer, Settlement("blocked", WHY))
    assert drain(hall) == []
    end(hall, customer)
    assert sorted(drain(hall)) == ["1", "2"]


def test_a_record_that_is_skipped_wakes_who_waits_and_leaves_the_blocked(hall: Hall) -> None:
    """Two invoices of a customer that is gone would wake each other for ever."""
    customer = want("7", kind="customer")
    end(hall, want("1"), Settlement("blocked", WHY, None, "work:customer:7"))
    end(hall, want("2"), Settlement("waiting", WHY, NOW + 9 * SECOND, "work:customer:7"))
    end(hall, customer, Settlement("skipped", WHY))
    assert drain(hall) == ["2"]


@pytest.mark.parametrize("state", ["waiting", "blocked"])
def test_what_came_between_the_look_and_the_wait_is_not_waited_for(hall: Hall, state: Any) -> None:
    invoice, customer = claimed(hall, want("1")), claimed(hall, want("7", kind="customer"))
    settle(hall, customer)
    due = None if state == "blocked" else NOW + 9 * SECOND
    settle(hall, invoice, Settlement(state, WHY, due, "work:customer:7", 2, NOW - SECOND))
    now = row(hall, "1")
    assert (now.state, now.due_at, now.waits_for) == ("queued", NOW, None)
    assert now.reason["code"] == "other_record_blocked"
    if state == "waiting":
        assert (now.tries, now.failing_since) == (2, NOW - SECOND)


@pytest.mark.parametrize("other", ["waiting", "blocked", "failed", "skipped"])
def test_a_record_that_did_not_go_through_is_not_asked_again_at_once(
    hall: Hall, other: Any
) -> None:
    """An invoice whose customer waits must wait too, not run in circles around it."""
    due = NOW + timedelta(minutes=10)
    end(hall, want("7", kind="customer"), Settlement(other, WHY, due))
    state: Any = "waiting" if other == "waiting" else "blocked"
    end(hall, want("1"), Settlement(state, WHY, due, "work:customer:7", tries=1))
    now = row(hall, "1")
    assert (now.state, now.due_at, now.tries) == (state, due, 1)


@pytest.mark.parametrize("other", ["queued", "running", None])
def test_a_record_that_is_still_to_come_is_waited_for(hall: Hall, other: str | None) -> None:
    customer = want("7", kind="customer")
    if other == "queued":
        enqueue(hall, customer)
    if other == "running":
        claimed(hall, customer)
    end(hall, want("1"), Settlement("blocked", WHY, None, "work:customer:7"))
    assert row(hall, "1").state == "blocked"


def test_an_end_in_the_very_moment_of_the_wait_is_not_missed(hall: Hall) -> None:
    """The customer's run commits while the invoice's settlement is being written."""
    invoice, customer = claimed(hall, want("1")), claimed(hall, want("7", kind="customer"))
    blocked = Settlement("blocked", WHY, None, "work:customer:7")
    waiter = Thread(target=settle, args=(hall, invoice, blocked))
    with hall.db.transaction() as tx:
        tx.execute(update(work).where(work.c.id == customer.id).values(state="done"))
        waiting.wake(tx, "acme", "work:customer:7", NOW)
        waiter.start()
        waiter.join(0.3)  # the wider the gap, the surer the miss
    waiter.join()
    assert row(hall, "1").state == "queued"


def test_an_outage_that_ended_meanwhile_is_not_waited_for(hall: Hall) -> None:
    waits = Settlement("waiting", WHY, NOW + timedelta(hours=12), "outage:severa", 9)
    with hall.db.transaction() as tx:
        outages.note_failure(tx, "acme", "severa", NOW)
    end(hall, want("1"), waits)
    assert row(hall, "1").state == "waiting"
    invoice = claimed(hall, want("2"))
    with hall.db.transaction() as tx:
        assert outages.note_answer(tx, "acme", "severa", NOW) == 1
    settle(hall, invoice, waits)
    assert (row(hall, "2").state, row(hall, "2").tries) == ("queued", 9)


def test_a_connection_that_runs_again_meanwhile_is_not_waited_for(hall: Hall) -> None:
    """Nothing else would ever wake the row: it has no due time."""
    invoice = claimed(hall, want("1"))
    stopped = Settlement("blocked", WHY, waits_for=connections.WAITING)
    with hall.db.transaction() as tx:
        connections.stop(tx, "acme", because("token_refused", system="severa"), NOW)
    end(hall, want("2"), stopped)
    assert row(hall, "2").state == "blocked"
    with hall.db.transaction() as tx:
        connections.resume(tx, "acme", NOW)
        assert waiting.wake(tx, "acme", connections.WAITING, NOW) == 1
    settle(hall, invoice, stopped)
    assert sorted(drain(hall)) == ["1", "2"]


# A person's word.


@pytest.mark.parametrize("state", ["done", "skipped", "blocked", "failed", "waiting"])
def test_a_retry_is_due_now_with_the_whole_schedule_ahead(hall: Hall, state: Any) -> None:
    hour = NOW + timedelta(hours=1)
    end(hall, want("1"), Settlement(state, WHY, hour, "outage:severa", 5, NOW))
    with hall.db.transaction() as tx:
        assert worklist.retry(tx, [row_id(tx, "1"), "trf_unknown"], NOW + SECOND) == 1
    now = row(hall, "1")
    assert (now.state, now.due_at, now.waits_for) == ("queued", NOW + SECOND, None)
    assert (now.tries, now.failing_since) == (0, None)


def test_a_retry_of_a_running_row_is_one_run_more(hall: Hall) -> None:
    item = claimed(hall, want("1"))
    with hall.db.transaction() as tx:
        assert worklist.retry(tx, [item.id], NOW) == 1
    assert (row(hall, "1").state, claim(hall)) == ("running", None)
    settle(hall, item)
    assert drain(hall) == ["1"]


def row_id(tx: Any, key: str) -> str:
    return str(tx.scalar(select(work.c.id).where(work.c.key == key)))


# What ended processes leave behind.


def test_what_a_dead_process_held_is_due_at_once_and_nothing_else(hall: Hall) -> None:
    for key, holder in (("1", "dead"), ("2", "dead"), ("3", "alive")):
        claimed(hall, want(key), holder)
    with hall.db.reading() as tx:
        assert sorted(overview.running_holders(tx)) == ["alive", "dead"]
    assert claims.take_back(hall.db, "dead", set(), NOW + SECOND, QUARANTINE) == 2
    assert claims.take_back(hall.db, "dead", set(), NOW + SECOND, QUARANTINE) == 0
    assert sorted(drain(hall, at=NOW + SECOND)) == ["1", "2"]
    assert row(hall, "3").state == "running"


def test_a_living_process_takes_back_only_what_it_lost_sight_of(hall: Hall) -> None:
    held, lost = claimed(hall, want("1")), claimed(hall, want("2"))
    claimed(hall, want("3"), "other")
    assert claims.take_back(hall.db, "me", {held.id}, NOW, QUARANTINE) == 1
    assert claims.take_back(hall.db, "me", {held.id}, NOW, QUARANTINE) == 0
    assert drain(hall) == ["2"]
    assert [row(hall, key).state for key in "13"] == ["running", "running"]
    settle(hall, lost, Settlement("failed", WHY))
    assert row(hall, "2").state == "done"


# What people see of a row.


def test_a_row_is_described_bit_by_bit_and_cut_to_its_column(hall: Hall) -> None:
    [row_id] = enqueue(hall, want("1"))
    told: list[Callable[[Any], None]] = [
        lambda tx: worklist.describe(tx, row_id, source="30001 Åkeriet AB"),
        lambda tx: worklist.describe(tx, row_id, target_id="88", target="8" * 300),
        lambda tx: worklist.describe(tx, row_id),
    ]
    for tell in told:
        with hall.db.transaction() as tx:
            tell(tx)
    now = row(hall, "1")
    assert (now.source_label, now.target_id, now.target_label) == (
        "30001 Åkeriet AB",
        "88",
        "8" * 255,
    )


def test_a_row_is_looked_at_without_being_claimed(hall: Hall) -> None:
    [row_id] = enqueue(hall, want("1"))
    with hall.db.reading() as tx:
        seen = worklist.look(tx, row_id)
        assert worklist.look(tx, "trf_unknown") is None
    assert seen is not None
    assert (seen.key, seen.subject, seen.claimed_by) == ("1", "invoice:1", "")
    assert row(hall, "1").state == "queued"


@pytest.mark.parametrize(
    ("state", "is_open"),
    [("done", False), ("skipped", False), ("failed", False), ("blocked", True), ("waiting", True)],
)
def test_a_record_is_open_while_it_may_still_be_carried_over(
    hall: Hall, state: Any, is_open: bool
) -> None:
    at = ("acme", "invoice", "1")
    with hall.db.reading() as tx:
        assert overview.standing(tx, *at) == ("queued", None)
        assert not overview.is_open(tx, *at)
    enqueue(hall, want("1"))
    with hall.db.reading() as tx:
        assert overview.is_open(tx, *at)
    end(hall, want("1"), Settlement(state, WHY, NOW))
    with hall.db.reading() as tx:
        assert overview.standing(tx, *at) == (state, WHY)
        assert overview.is_open(tx, *at) is is_open
