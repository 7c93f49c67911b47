"""Effects: what is about to be written is recorded first, and one creation is one record."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import insert, select
from sqlalchemy.exc import IntegrityError

from app import effects
from app.effects import Effect, Intent
from app.hall import Hall
from app.models import effects as table
from tests.halls import emptied

NOW = datetime(2026, 11, 24, 8, 0, tzinfo=UTC)
CREATE = Intent("acme", "trf_1", "fortnox", "create_invoice", "severa:1a00", {"Total": 1})


@pytest.fixture
def hall(opened: Hall) -> Hall:
    return emptied(opened)


def begin(hall: Hall, intent: Intent = CREATE) -> Effect:
    with hall.db.transaction() as tx:
        return effects.open_intent(tx, intent, NOW)


def change(hall: Hall, effect: Effect, **values: Any) -> None:
    with hall.db.transaction() as tx:
        effects.change(tx, effect.id, **values)


def rows(hall: Hall) -> list[Any]:
    with hall.db.reading() as tx:
        return list(tx.execute(select(table).order_by(table.c.id)))


def test_an_intent_is_recorded_as_it_is_meant(hall: Hall) -> None:
    effect = begin(hall)
    [row] = rows(hall)
    assert effect == Effect(row.id, "prepared", {"Total": 1}, 1, 0, 0, None, None)
    assert (row.connection, row.work_id, row.system) == ("acme", "trf_1", "fortnox")
    assert (row.action, row.ref, row.creates) == ("create_invoice", "severa:1a00", True)
    assert (row.prepared_at, row.sent_at, row.settled_at) == (NOW, None, None)


def test_a_creation_begun_again_is_the_same_one(hall: Hall) -> None:
    assert begin(hall) == begin(hall)
    assert len(rows(hall)) == 1


@pytest.mark.parametrize(
    "other",
    [
        {"connection": "other"},
        {"system": "severa"},
        {"action": "create_customer"},
        {"ref": "severa:1a01"},
        {"generation": 2},
    ],
)
def test_what_names_a_creation_is_all_of_this(hall: Hall, other: dict[str, Any]) -> None:
    first, second = begin(hall), begin(hall, replace(CREATE, **other))
    assert first.id != second.id


@pytest.mark.parametrize("state", ["prepared", "refused"])
def test_a_payload_that_is_not_in_flight_is_brought_up_to_date(hall: Hall, state: str) -> None:
    change(hall, begin(hall), state=state)
    effect = begin(hall, replace(CREATE, payload={"Total": 2}, work_id="trf_2"))
    assert (effect.state, effect.payload) == ("prepared", {"Total": 2})
    assert rows(hall)[0].work_id == "trf_2"


@pytest.mark.parametrize("state", ["sending", "done"])
def test_a_payload_that_was_sent_is_frozen(hall: Hall, state: str) -> None:
    change(hall, begin(hall), state=state, sends=1, target_id="88")
    effect = begin(hall, replace(CREATE, payload={"Total": 2}, work_id="trf_2"))
    assert (effect.state, effect.payload, effect.target_id) == (state, {"Total": 1}, "88")
    assert rows(hall)[0].work_id == "trf_1"


def test_a_write_that_may_be_repeated_is_recorded_every_time(hall: Hall) -> None:
    intent = replace(CREATE, creates=False)
    assert begin(hall, intent).id != begin(hall, intent).id
    assert len(rows(hall)) == 2


def test_the_database_itself_refuses_a_second_record_of_one_creation(hall: Hall) -> None:
    begin(hall)
    [row] = rows(hall)
    second = dict(row._mapping) | {"id": "eff_second"}
    with pytest.raises(IntegrityError), hall.db.transaction() as tx:
        tx.execute(insert(table).values(second))
    assert len(rows(hall)) == 1


@pytest.mark.parametrize(
    "payload", [{"Å": ["\u0000", "\ud800", 1.5, None, True]}, {}, "x" * 100_000]
)
def test_a_payload_is_read_back_as_it_was_recorded(hall: Hall, payload: Any) -> None:
    begin(hall, replace(CREATE, payload=payload))
    assert rows(hall)[0].payload == payload


def test_the_writes_of_one_row_are_listed_in_order(hall: Hall) -> None:
    repeated = replace(CREATE, creates=False)
    begun = [begin(hall, replace(repeated, action=f"step {number}")).id for number in range(20)]
    begin(hall, replace(repeated, work_id="trf_2"))
    with hall.db.reading() as tx:
        assert [row.id for row in effects.of_work(tx, "trf_1")] == begun


@pytest.mark.parametrize(
    ("state", "sends", "after"),
    [
        ("sending", 2, (1, 0)),
        ("sending", 5, (1, 0)),
        ("sending", 1, (1, 1)),
        ("prepared", 2, (2, 1)),
        ("done", 2, (2, 1)),
    ],
)
def test_forgiving_reopens_only_what_is_in_doubt_twice(
    hall: Hall, state: str, sends: int, after: tuple[int, int]
) -> None:
    later = NOW + timedelta(minutes=10)
    change(hall, begin(hall), state=state, sends=sends, looks=1, not_before=later)
    other = begin(hall, replace(CREATE, work_id="trf_2", ref="severa:1a01"))
    change(hall, other, state="sending", sends=2, looks=1)
    with hall.db.transaction() as tx:
        effects.forgive(tx, "trf_1")
    mine, theirs = rows(hall)
    assert (mine.state, mine.sends, mine.looks) == (state, *after)
    assert mine.not_before == later
    assert (theirs.sends, theirs.looks) == (2, 1)
