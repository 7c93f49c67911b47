"""The inbox: what was heard is kept once per identity, byte for byte, with the work it means."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from threading import Barrier
from typing import Any

import pytest
from sqlalchemy import select

from app import inbox
from app.hall import Hall
from app.inbox import Heard, Receipt
from app.models import events, work
from app.worklist import Want
from tests.halls import emptied

NOW = datetime(2026, 11, 24, 8, 0, tzinfo=UTC)
LATER = NOW + timedelta(seconds=1)
INVOICE = Want("acme", "invoice", "1a00")


@pytest.fixture
def hall(opened: Hall) -> Hall:
    return emptied(opened)


def heard(identity: str = "msg_1", body: bytes = b"{}", **more: Any) -> Heard:
    base = Heard("acme", "severa", "webhook", identity, body, "invoice.updated", INVOICE)
    return replace(base, **more)


def receive(hall: Hall, *what: Heard, at: datetime = NOW) -> list[Receipt]:
    with hall.db.transaction() as tx:
        return inbox.receive(tx, what, at)


def statuses(receipts: list[Receipt]) -> list[str]:
    return [receipt.status for receipt in receipts]


def rows(hall: Hall, table: Any = events) -> list[Any]:
    with hall.db.reading() as tx:
        return list(tx.execute(select(table)))


def test_an_event_is_kept_with_the_work_it_points_to(hall: Hall) -> None:
    [receipt] = receive(hall, heard(body=b'{"a": 1}'))
    [row], [todo] = rows(hall), rows(hall, work)
    assert receipt == Receipt(row.id, "accepted")
    assert (row.connection, row.source, row.door, row.identity) == (
        "acme",
        "severa",
        "webhook",
        "msg_1",
    )
    assert (row.body, row.type, row.status, row.reason) == (
        b'{"a": 1}',
        "invoice.updated",
        "accepted",
        None,
    )
    assert (row.work_id, row.received_at) == (todo.id, NOW)
    assert (todo.kind, todo.key, todo.state, todo.due_at) == ("invoice", "1a00", "queued", NOW)


def test_the_same_event_again_is_a_duplicate_and_no_more_work(hall: Hall) -> None:
    [first] = receive(hall, heard())
    [again] = receive(hall, heard(), at=LATER)
    assert again == Receipt(first.id, "duplicate")
    assert (len(rows(hall)), rows(hall, work)[0].wanted) == (1, 1)


def test_a_duplicate_through_another_door_is_still_one(hall: Hall) -> None:
    [first] = receive(hall, heard(door="webhook"))
    assert receive(hall, heard(door="listener")) == [Receipt(first.id, "duplicate")]


def test_duplicates_within_one_batch_are_told_in_order(hall: Hall) -> None:
    receipts = receive(hall, heard("a"), heard("b"), heard("a"), heard("a"))
    assert statuses(receipts) == ["accepted", "accepted", "duplicate", "duplicate"]
    assert receipts[0].id == receipts[2].id == receipts[3].id
    assert (len(rows(hall)), rows(hall, work)[0].wanted) == (2, 1)


def test_the_same_identity_with_another_body_is_a_conflict(hall: Hall) -> None:
    [first] = receive(hall, heard(body=b"one"))
    assert receive(hall, heard(body=b"two")) == [Receipt(first.id, "conflict")]
    assert [row.body for row in rows(hall)] == [b"one"]
    assert rows(hall, work)[0].wanted == 1


def test_a_conflict_within_one_batch_keeps_the_first_body(hall: Hall) -> None:
    receipts = receive(hall, heard(body=b"one"), heard(body=b"two"), heard(body=b"one"))
    assert statuses(receipts) == ["accepted", "conflict", "duplicate"]
    assert [row.body for row in rows(hall)] == [b"one"]


def test_an_identity_belongs_to_its_connection_and_source(hall: Hall) -> None:
    others = [heard(), heard(connection="other"), heard(source="fortnox")]
    assert statuses(receive(hall, *others)) == ["accepted"] * 3


def test_an_event_from_which_nothing_follows_is_kept_and_ignored(hall: Hall) -> None:
    ignored = heard(want=None, reason="nothing_follows")
    assert statuses(receive(hall, ignored, ignored)) == ["ignored", "duplicate"]
    [row] = rows(hall)
    assert (row.status, row.reason, row.work_id) == ("ignored", "nothing_follows", None)
    assert rows(hall, work) == []


def test_many_events_of_one_record_meet_in_one_row_of_work(hall: Hall) -> None:
    receipts = receive(hall, *[heard(f"msg_{number}") for number in range(10)])
    assert statuses(receipts) == ["accepted"] * 10
    assert len({row.work_id for row in rows(hall)}) == 1
    assert len(rows(hall, work)) == 1


def test_an_empty_batch_is_nothing(hall: Hall) -> None:
    assert receive(hall) == []
    assert (rows(hall), rows(hall, work)) == ([], [])


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b'{"a": "\x00"}',
        b'{"a": "\\u0000", "a": 1}',
        b'\xff\xfe{"a": "\xed\xa0\x80 \xc3"}',
        bytes(range(256)) * 1024,
    ],
    ids=["empty", "NUL", "escaped NUL, name twice", "broken UTF-8", "256 KiB of every byte"],
)
def test_a_body_is_kept_byte_for_byte(hall: Hall, body: bytes) -> None:
    [receipt] = receive(hall, heard(body=body))
    with hall.db.reading() as tx:
        row = inbox.find(tx, receipt.id)
        assert inbox.find(tx, "evt_unknown") is None
    assert row is not None
    assert row.body == body


def test_two_threads_that_hear_the_same_at_once_keep_it_once(hall: Hall) -> None:
    barrier = Barrier(2)

    def hear(number: int) -> list[Receipt]:
        barrier.wait()
        return receive(hall, heard(f"msg_{number}"))

    with ThreadPoolExecutor(2) as threads:
        for number in range(25):
            both = [threads.submit(hear, number) for _ in range(2)]
            receipts = [one.result()[0] for one in both]
            assert sorted(statuses(receipts)) == ["accepted", "duplicate"]
            assert receipts[0].id == receipts[1].id
    assert len(rows(hall)) == 25


def test_two_threads_with_different_bodies_at_once_keep_one_and_say_so(hall: Hall) -> None:
    barrier = Barrier(2)

    def hear(body: bytes) -> Receipt:
        barrier.wait()
        return receive(hall, heard(body=body, want=None))[0]

    with ThreadPoolExecutor(2) as threads:
        both = [threads.submit(hear, body) for body in (b"one", b"two")]
        receipts = [one.result() for one in both]
    assert sorted(statuses(receipts)) == ["conflict", "ignored"]
    assert len(rows(hall)) == 1


def test_batches_that_meet_in_opposite_order_do_not_hold_each_other_up(hall: Hall) -> None:
    barrier = Barrier(2)
    batch = [heard(f"msg_{number:03}", want=None) for number in range(400)]

    def hear(round_: int, *, backwards: bool) -> list[Receipt]:
        mine = [replace(one, connection=f"c{round_}") for one in batch]
        barrier.wait()
        return receive(hall, *(reversed(mine) if backwards else mine))

    with ThreadPoolExecutor(2) as threads:
        for round_ in range(5):
            both = [threads.submit(hear, round_, backwards=one) for one in (False, True)]
            told = [receipt.status for one in both for receipt in one.result()]
            assert (told.count("ignored"), told.count("duplicate")) == (400, 400)


def test_what_was_heard_about_a_row_is_listed_oldest_first_and_can_move_with_it(
    hall: Hall,
) -> None:
    told = [one.id for one in receive(hall, *[heard(f"msg_{number}") for number in range(20)])]
    work_id = rows(hall, work)[0].id
    with hall.db.transaction() as tx:
        assert [row.id for row in inbox.about(tx, work_id)] == told
        inbox.point_to(tx, work_id, "trf_other")
        assert list(inbox.about(tx, work_id)) == []
        assert [row.id for row in inbox.about(tx, "trf_other")] == told


def test_an_identity_that_is_too_long_for_its_column_is_kept_as_its_hash() -> None:
    assert inbox.identity_of("m" * 255) == "m" * 255
    long = inbox.identity_of("m" * 256)
    assert long.startswith("sha256:")
    assert len(long) == 71
    assert long != inbox.identity_of("m" * 257)
    assert inbox.identity_of_body(b"m" * 256) == long
