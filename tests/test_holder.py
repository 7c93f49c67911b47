"""A process as the holder of rows: nothing at work is taken away, nothing lost stays lost."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from threading import Event, Thread
from typing import Any

import pytest
from sqlalchemy import event, select, text
from sqlalchemy.exc import SQLAlchemyError

from app import connections, effects, models, worklist
from app.documents import Document
from app.effects import Intent
from app.hall import Hall
from app.holder import Holder
from app.models import work
from app.worklist import RUNNING_PER_CONNECTION, Item, Settlement, Want
from tests.halls import emptied

NOW = datetime(2026, 11, 24, 8, 0, tzinfo=UTC)
SECOND = timedelta(seconds=1)
QUARANTINE = timedelta(minutes=10)
DONE = Settlement("done")


@pytest.fixture
def hall(opened: Hall) -> Hall:
    with emptied(opened).db.transaction() as tx:
        connections.put(tx, opened.vault, Document(name="acme"), NOW)
        connections.set_active(tx, "acme", NOW, active=True)
    return opened


@dataclass
class Lock:
    """`gone`: the names of the processes that have ended."""

    name: str
    gone: set[str] = field(default_factory=set)

    def still_held(self) -> bool:
        return True

    def is_gone(self, name: str) -> bool:
        return name in self.gone

    def release(self) -> None:
        pass


def holder(hall: Hall, name: str = "me", *gone: str) -> Holder:
    return Holder(hall.db, Lock(name, {*gone}), lambda: NOW, QUARANTINE)


def enqueue(hall: Hall, *keys: str) -> None:
    with hall.db.transaction() as tx:
        worklist.enqueue(tx, [Want("acme", "invoice", key) for key in keys], NOW)


def states(hall: Hall) -> dict[str, tuple[str, str | None]]:
    with hall.db.reading() as tx:
        return {row.key: (row.state, row.claimed_by) for row in tx.execute(select(work))}


def claimed(one: Holder, key: str | None = None) -> Item:
    item = one.claim_now(Want("acme", "invoice", key)) if key else one.claim()
    assert item is not None
    return item


def test_what_is_claimed_is_ours_until_it_is_settled(hall: Hall) -> None:
    me = holder(hall)
    assert (me.claim(), me.name) == (None, "me")
    enqueue(hall, "1")
    item = claimed(me)
    assert states(hall) == {"1": ("running", "me")}
    assert me.take_back_lost() == 0
    me.settle(item, DONE)
    assert states(hall) == {"1": ("done", None)}


def test_a_row_claimed_by_name_is_ours_as_well(hall: Hall) -> None:
    me, other = holder(hall), holder(hall, "other")
    claimed(me, "1")
    assert other.claim_now(Want("acme", "invoice", "1")) is None
    assert me.take_back_lost() == 0
    assert states(hall) == {"1": ("running", "me")}


def test_a_row_claimed_anew_before_its_last_run_is_forgotten_stays_ours(
    hall: Hall, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Wanted again, it is due the moment it is settled, and another thread is quicker."""
    me = holder(hall)
    first = claimed(me, "1")
    enqueue(hall, "1")
    settle, again = worklist.settle, []

    def settle_and_lose_the_race(*given: Any) -> None:
        settle(*given)
        again.append(claimed(me))

    monkeypatch.setattr(worklist, "settle", settle_and_lose_the_race)
    me.settle(first, DONE)
    assert [item.id for item in again] == [first.id]
    assert me.take_back_lost() == 0
    assert states(hall) == {"1": ("running", "me")}
    me.drop(again[0])
    assert me.take_back_lost() == 1


def test_a_row_we_lost_sight_of_is_taken_back_and_the_others_stay(hall: Hall) -> None:
    me = holder(hall)
    dropped, kept = claimed(me, "1"), claimed(me, "2")
    me.drop(dropped)
    assert me.take_back_lost() == 1
    assert states(hall) == {"1": ("queued", None), "2": ("running", "me")}
    me.settle(kept, DONE)


def test_a_row_is_taken_back_after_a_settlement_the_database_did_not_take(hall: Hall) -> None:
    me = holder(hall)
    item = claimed(me, "1")

    def away(*_: Any) -> None:
        raise ConnectionError

    event.listen(hall.db.engine, "before_cursor_execute", away)
    try:
        with pytest.raises(ConnectionError):
            me.settle(item, DONE)
    finally:
        event.remove(hall.db.engine, "before_cursor_execute", away)
    assert states(hall) == {"1": ("running", "me")}
    assert me.take_back_lost() == 1
    me.settle(claimed(me), DONE)
    assert states(hall) == {"1": ("done", None)}


def begin_creating(hall: Hall, item: Item, state: str) -> str:
    intent = Intent("acme", item.id, "fortnox", "create_invoice", f"severa:{item.key}", {})
    with hall.db.transaction() as tx:
        effect = effects.open_intent(tx, intent, NOW)
        effects.change(tx, effect.id, state=state, sends=1, looks=1, not_before=NOW - SECOND)
    return effect.id


def not_before(hall: Hall) -> dict[str, tuple[datetime, int]]:
    with hall.db.reading() as tx:
        return {row.id: (row.not_before, row.looks) for row in tx.execute(select(models.effects))}


@pytest.mark.parametrize("whose", ["dead", "me"])
def test_what_a_cut_off_run_was_creating_is_left_alone_from_then_on_for_the_whole_quarantine(
    hall: Hall, whose: str
) -> None:
    """It may have been paused after it said so, and have sent it in its last moment."""
    cut_off = holder(hall, whose)
    item, other = claimed(cut_off, "1"), claimed(holder(hall, "alive"), "2")
    in_doubt = begin_creating(hall, item, "sending")
    elsewhere = begin_creating(hall, other, "sending")
    cut_off.drop(item)
    assert holder(hall, "me", "dead").take_back_lost() == 1
    assert not_before(hall) == {in_doubt: (NOW + QUARANTINE, 0), elsewhere: (NOW - SECOND, 1)}


def test_what_was_made_or_refused_before_the_run_was_cut_off_is_not_in_doubt(hall: Hall) -> None:
    dead = holder(hall, "dead")
    made = [begin_creating(hall, claimed(dead, state), state) for state in ("done", "prepared")]
    assert holder(hall, "me", "dead").take_back_lost() == 2
    assert not_before(hall) == dict.fromkeys(made, (NOW - SECOND, 1))


def test_rows_of_a_process_that_ended_are_taken_back_and_of_a_living_one_not(hall: Hall) -> None:
    for name, key in (("dead", "1"), ("dead", "2"), ("paused", "3")):
        claimed(holder(hall, name), key)
    me = holder(hall, "me", "dead")
    assert me.take_back_lost() == 2
    assert states(hall) == {
        "1": ("queued", None),
        "2": ("queued", None),
        "3": ("running", "paused"),
    }
    assert me.take_back_lost() == 0


def test_threads_that_claim_at_once_take_no_more_than_the_connections_share(hall: Hall) -> None:
    me = holder(hall)
    enqueue(hall, *[f"{number:02}" for number in range(20)])
    with ThreadPoolExecutor(12) as threads:
        items = list(threads.map(lambda _: me.claim(), range(24)))
    assert sum(item is not None for item in items) == RUNNING_PER_CONNECTION


def test_a_row_let_go_or_renamed_is_no_longer_ours(hall: Hall) -> None:
    me = holder(hall)
    me.let_go(claimed(me, "1"))
    assert states(hall) == {"1": ("queued", None)}
    me.rename(claimed(me, "1"), "invoice:2")
    assert states(hall) == {"1": ("queued", None)}
    assert claimed(holder(hall, "other")).subject == "invoice:2"


def test_a_row_that_was_taken_over_is_not_settled_by_who_lost_it(hall: Hall) -> None:
    paused, successor = holder(hall, "paused"), holder(hall, "successor", "paused")
    old = claimed(paused, "1")
    assert successor.take_back_lost() == 1
    new = claimed(successor)
    paused.settle(old, Settlement("failed"))
    paused.let_go(old)
    assert states(hall) == {"1": ("running", "successor")}
    successor.settle(new, DONE)
    assert states(hall) == {"1": ("done", None)}


def test_no_row_at_work_is_taken_back_however_many_threads_claim(hall: Hall) -> None:
    """A row is claimed in the database before its process can note that it holds it."""
    me = holder(hall)
    keys = [f"{number:02}" for number in range(60)]
    enqueue(hall, *keys)
    taken_back: list[int] = []
    ended = Event()

    def look() -> None:
        while not ended.is_set():
            taken_back.append(me.take_back_lost())

    looking = Thread(target=look)
    looking.start()

    def work_on(_: int) -> list[str]:
        ran = []
        while item := me.claim():
            ran.append(item.key)
            me.settle(item, DONE)
        return ran

    with ThreadPoolExecutor(6) as threads:
        ran = [key for keys in threads.map(work_on, range(6)) for key in keys]
    ended.set()
    looking.join()
    assert sorted(ran) == keys
    assert sum(taken_back) == 0
    with hall.db.reading() as tx:
        assert set(tx.scalars(select(work.c.attempts))) == {1}


def test_a_database_that_is_away_is_said_and_nothing_is_forgotten(hall: Hall) -> None:
    me = holder(hall)
    item = claimed(me, "1")
    with hall.db.transaction() as tx:
        tx.execute(text("ALTER TABLE work RENAME TO moved"))
    try:
        with pytest.raises(SQLAlchemyError):
            me.take_back_lost()
        with pytest.raises(SQLAlchemyError):
            me.claim()
    finally:
        with hall.db.transaction() as tx:
            tx.execute(text("ALTER TABLE moved RENAME TO work"))
    assert me.take_back_lost() == 0
    me.settle(item, DONE)
    assert states(hall) == {"1": ("done", None)}
