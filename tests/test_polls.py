"""Polls: when each is due, what a list says that the last one did not, and the night in October."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from sqlalchemy import select, update

from app import connections, cursors, worklist
from app.clock import STOCKHOLM
from app.documents import Document
from app.errors import Blocked, ConnectionBlocked, TryLater, because
from app.fortnox import poll as fortnox
from app.fortnox.listed import Listed
from app.fortnox.schemas import InvoiceListItem
from app.hall import Hall
from app.models import work
from app.settings import Settings
from app.severa import poll as severa
from app.severa.schemas import Changed
from app.severa.standing import Known, Memory, look_at
from app.sync.polls import POLLS, planting, stops_connection
from app.sync.polls.fortnox_invoices import differs
from app.sync.polls.rhythm import next_turn, place, settlement
from app.sync.polls.travel_types import changes
from app.worklist import Item, Settlement, Want

NOW = datetime(2026, 11, 24, 8, 0, tzinfo=UTC)
SECOND, MINUTE, HOUR = timedelta(seconds=1), timedelta(minutes=1), timedelta(hours=1)
SIXTY = Settings(poll_interval=60, var_dir=Path("unused"))


def item(key: str = "severa:invoices", tries: int = 0) -> Item:
    return Item("trf_1", "acme", "poll", key, "poll:severa", 3, 1, tries, None, "me")


# --- when ---


def test_polls_lie_evenly_over_the_interval() -> None:
    places = [place(f"company-{n}", key) for n in range(100) for key in POLLS]
    tenths = [sum(tenth / 10 <= one < (tenth + 1) / 10 for one in places) for tenth in range(10)]
    assert sum(tenths) == len(places) == 1300
    assert min(tenths) > 100
    assert max(tenths) < 160


def test_a_first_poll_is_due_within_the_first_interval() -> None:
    turns = [next_turn("acme", key, SIXTY, NOW) - NOW for key in POLLS]
    assert all(timedelta(0) < turn <= MINUTE for turn in turns)
    assert len(set(turns)) == len(POLLS)


def test_a_poll_that_is_run_on_time_comes_back_after_exactly_one_interval() -> None:
    due = next_turn("acme", "severa:invoices", SIXTY, NOW)
    assert settlement(item(), SIXTY, due) == Settlement("done", due_at=due + MINUTE)


def test_polls_that_came_late_together_part_again() -> None:
    dues = {settlement(item(key), SIXTY, NOW).due_at for key in POLLS}
    assert len(dues) == len(POLLS)
    assert all(timedelta(0) < due - NOW <= MINUTE for due in dues if due)


@pytest.mark.parametrize(
    ("tries", "intervals"), [(0, 2), (1, 4), (2, 8), (3, 16), (4, 16), (99, 16)]
)
def test_when_calls_are_few_the_interval_doubles_up_to_sixteen_times(
    tries: int, intervals: int
) -> None:
    tight = TryLater(because("rate_limited", system="severa"), after=SECOND)
    due = next_turn("acme", "severa:invoices", SIXTY, NOW)
    settled = settlement(item(tries=tries), SIXTY, due, tight)
    assert (settled.state, settled.due_at) == ("waiting", due + intervals * MINUTE)
    assert settlement(item(tries=settled.tries), SIXTY, due).tries == 0


def test_an_outage_leaves_the_poll_to_the_probe_and_it_never_fails() -> None:
    silent = TryLater(because("vendor_silent", system="severa"), waits_for="outage:severa")
    settled = settlement(item(tries=40), SIXTY, NOW, silent)
    assert (settled.state, settled.waits_for) == ("waiting", "outage:severa")
    assert settled.due_at is not None


def test_a_register_that_is_refused_is_asked_again_and_stops_nobody() -> None:
    lost = ConnectionBlocked(because("fortnox_licence_missing", system="fortnox"))
    assert not stops_connection(item("fortnox:supplier_invoices"), lost)
    assert stops_connection(item("fortnox:invoices"), lost)
    refused = ConnectionBlocked(because("token_refused", system="fortnox"))
    assert stops_connection(item("fortnox:supplier_invoices"), refused)
    assert not stops_connection(item("fortnox:invoices"), Blocked(because("vendor_refused")))
    settled = settlement(item("fortnox:supplier_invoices"), SIXTY, NOW, lost)
    assert settled.state == "waiting"
    assert settled.due_at is not None
    assert settled.due_at - NOW > 15 * MINUTE


def test_without_a_poller_a_poll_that_is_there_settles_and_stays() -> None:
    off = Settings(poll_interval=0, var_dir=Path("unused"))
    assert settlement(item(), off, NOW) == Settlement("done")


# --- planting ---


def connect(hall: Hall, name: str, *, active: bool = True) -> None:
    with hall.db.transaction() as tx:
        connections.put(tx, hall.vault, Document(name=name), NOW)
        connections.set_active(tx, name, NOW, active=active)


def polls_of(hall: Hall) -> dict[tuple[str, str], datetime | None]:
    with hall.db.reading() as tx:
        rows = tx.execute(select(work).where(work.c.kind == "poll"))
        return {(row.connection, row.key): row.due_at for row in rows}


def test_every_active_connection_gets_one_row_for_each_poll_once(hall: Hall) -> None:
    connect(hall, "acme")
    connect(hall, "beta")
    connect(hall, "idle", active=False)
    assert planting.plant(hall.db, hall.settings, NOW) == 2 * len(POLLS)
    first = polls_of(hall)
    assert set(first) == {(name, key) for name in ("acme", "beta") for key in POLLS}
    assert planting.plant(hall.db, hall.settings, NOW + HOUR) == 0
    assert polls_of(hall) == first


def test_a_poll_begins_where_the_connection_was_activated_and_keeps_its_place(hall: Hall) -> None:
    connect(hall, "acme")
    with hall.db.transaction() as tx:
        cursors.put(tx, "acme", "poll:severa:projects", '{"since": "x"}', NOW, told=False)
    planting.plant(hall.db, hall.settings, NOW)
    with hall.db.reading() as tx:
        places = {row.name: row.value for row in cursors.every(tx, "acme")}
    assert places.pop("poll:severa:projects") == '{"since": "x"}'
    assert len(set(places.values())) == 1


def test_no_poller_plants_nothing_and_one_that_stands_still_is_set_going_again(hall: Hall) -> None:
    connect(hall, "acme")
    off = hall.settings.model_copy(update={"poll_interval": 0.0})
    assert planting.plant(hall.db, off, NOW) == 0
    assert polls_of(hall) == {}
    planting.plant(hall.db, hall.settings, NOW)
    with hall.db.transaction() as tx:
        tx.execute(update(work).values(state="done", due_at=None))
    assert planting.plant(hall.db, hall.settings, NOW + HOUR) == len(POLLS)
    assert None not in polls_of(hall).values()


def test_one_that_runs_or_waits_for_its_connection_is_left(hall: Hall) -> None:
    connect(hall, "acme")
    planting.plant(hall.db, hall.settings, NOW)
    with hall.db.transaction() as tx:
        tx.execute(update(work).values(state="blocked", due_at=None, waits_for="connection"))
        tx.execute(
            update(work)
            .where(work.c.key == "severa:invoices")
            .values(state="running", waits_for=None)
        )
    assert planting.plant(hall.db, hall.settings, NOW) == 0


def test_the_polls_of_one_vendor_take_one_place_and_come_before_a_backlog(hall: Hall) -> None:
    connect(hall, "acme")
    backlog = [Want("acme", "customer", f"c{n}", worklist.BACKGROUND) for n in range(3)]
    with hall.db.transaction() as tx:
        worklist.enqueue(tx, backlog, NOW)
        worklist.enqueue(tx, [planting.want("acme", key) for key in POLLS], NOW)
        worklist.enqueue(tx, [Want("acme", "invoice", "i1")], NOW)
    claimed = [one for _ in range(9) for one in worklist.claim(hall.db, "me", NOW)]
    assert [one.kind for one in claimed] == ["invoice", "poll", "poll"] + ["customer"] * 3
    assert {one.subject for one in claimed if one.kind == "poll"} == {"poll:severa", "poll:fortnox"}


# --- Severa: what changed since ---


def changed(guid: str, at: datetime | None, status: str = "") -> Changed:
    stamp = at.isoformat() if at else None
    state = {"guid": status} if status else None
    return Changed.model_validate({"guid": guid, "lastUpdatedDateTime": stamp, "status": state})


def test_what_was_seen_in_the_overlap_is_not_wanted_again() -> None:
    window = severa.Window(NOW, {})
    first, window = severa.news(window, [changed("a", NOW + SECOND)], NOW + MINUTE)
    again, window = severa.news(window, [changed("a", NOW + SECOND)], NOW + 2 * MINUTE)
    third, _ = severa.news(window, [changed("a", NOW + 90 * SECOND)], NOW + 2 * MINUTE)
    assert [[one.guid for one in news] for news in (first, again, third)] == [["a"], [], ["a"]]


@pytest.mark.parametrize("ahead", [-10 * MINUTE, timedelta(0), 10 * MINUTE])
def test_nothing_is_missed_when_one_of_the_clocks_is_wrong(ahead: timedelta) -> None:
    """A change in every third minute; polls in every minute, by a clock that is ahead."""
    window, found = severa.Window(NOW - HOUR, {}), []
    for minute in range(60):
        now = NOW + minute * MINUTE
        there = [changed(f"g{n}", NOW + n * MINUTE) for n in range(0, minute + 1, 3)]
        listed = [
            one for one in there if one.last_updated and one.last_updated >= window.asked_from
        ]
        new, window = severa.news(window, listed, now + ahead)
        found += [one.guid for one in new]
    assert sorted(found) == sorted(f"g{n}" for n in range(0, 60, 3))


def test_a_whole_register_changed_at_once_is_not_listed_for_ever() -> None:
    crowd = [changed(f"g{n}", NOW) for n in range(500)]
    new, window = severa.news(severa.Window(NOW, {}), crowd, NOW + HOUR)
    assert len(new) == 500
    assert window.since == NOW + HOUR
    assert window.seen == {}


def test_a_time_without_a_zone_is_utc_and_a_record_without_a_time_is_looked_at() -> None:
    plain = Changed.model_validate({"guid": "A1", "lastUpdatedDateTime": "2026-11-24T08:00:00"})
    assert (plain.guid, plain.last_updated) == ("a1", NOW)
    new, _ = severa.news(severa.Window(NOW, {}), [changed("b", None)], NOW)
    assert [one.guid for one in new] == ["b"]


def test_travel_types_are_compared_whole() -> None:
    assert changes(None, {"a": "1"}) == []
    assert changes({"a": "1", "b": "1"}, {"a": "2", "b": "1", "c": "1"}) == ["a", "c"]


# --- Severa: the invoices in the transfer status ---

EARLIER, LATER = NOW - MINUTE, NOW + MINUTE


@pytest.mark.parametrize(
    ("row", "stamp", "looks"),
    [
        (None, EARLIER, True),
        (Known("queued", None, None), LATER, False),
        (Known("waiting", NOW, None), LATER, False),
        (Known("running", NOW, None), EARLIER, False),
        (Known("running", NOW, None), LATER, True),
        (Known("done", NOW, NOW), LATER, True),
        (Known("skipped", NOW, NOW), LATER, True),
        (Known("blocked", NOW, NOW), LATER, True),
        (Known("failed", NOW, NOW), LATER, True),
        (Known("blocked", NOW, NOW), EARLIER, False),
        (Known("done", NOW, NOW), EARLIER, False),
        (Known("blocked", NOW, NOW), None, True),
    ],
)
def test_an_invoice_in_the_transfer_status_is_looked_at_where_it_is_new_or_has_changed(
    row: Known | None, stamp: datetime | None, looks: bool
) -> None:
    chosen, _ = look_at([changed("i", stamp, "t")], {"i": row} if row else {}, {}, "t")
    assert [one.guid for one in chosen] == (["i"] if looks else [])


def look(
    row: Known | None, stamp: datetime, memory: Memory, status: str = "t"
) -> tuple[int, Memory]:
    chosen, memory = look_at([changed("i", stamp, status)], {"i": row} if row else {}, memory, "t")
    return len(chosen), memory


def test_one_that_is_blocked_is_looked_at_once_for_every_change_whatever_the_clocks_say() -> None:
    blocked = Known("blocked", LATER, LATER)  # our clock is ahead
    _, memory = look(None, EARLIER, {})
    looks = []
    for stamp in (EARLIER, NOW, NOW, NOW + SECOND, NOW + SECOND):
        wanted, memory = look(blocked, stamp, memory)
        looks.append(wanted)
    assert looks == [0, 1, 0, 1, 0]


def test_one_that_was_carried_over_and_still_stands_there_is_looked_at_once_more() -> None:
    """A list may lag for a moment; a person's change may also have been read too early."""
    done, memory, looks = Known("done", NOW, NOW), {}, []
    for _ in range(4):
        wanted, memory = look(done, EARLIER, memory)
        looks.append(wanted)
    assert looks == [0, 1, 0, 0]


def test_a_change_while_it_runs_is_not_forgotten() -> None:
    wanted, memory = look(Known("running", NOW, None), NOW + SECOND, {})
    assert wanted == 1
    wanted, memory = look(Known("running", NOW, None), NOW - SECOND, {})
    assert (wanted, memory) == (0, {})
    assert look(Known("blocked", NOW, LATER), NOW + SECOND, memory)[0] == 1


def test_in_the_error_status_only_what_needs_a_person_and_was_changed_is_looked_at() -> None:
    assert look(None, LATER, {}, "error")[0] == 0
    assert look(Known("done", NOW, NOW), LATER, {}, "error")[0] == 0
    blocked = Known("blocked", EARLIER, LATER)
    wanted, memory = look(blocked, NOW, {"i": ["t", "x", False]}, "error")
    assert wanted == 0  # it was moved there by the run that was blocked
    assert look(blocked, LATER + SECOND, memory, "error")[0] == 1


# --- Fortnox: what changed since ---


def listed(number: str, print_: str = "1") -> Listed:
    return Listed(number=number, fingerprint=print_)


def test_what_looks_the_same_is_looked_at_again_when_it_leaves_the_overlap() -> None:
    window, looks = fortnox.Window(NOW, {}), []
    for rows in ([listed("7")], [listed("7")], [listed("7", "2")], [listed("7", "2")], [], []):
        numbers, window = fortnox.news(window, rows, NOW)
        looks.append(numbers)
    assert looks == [["7"], [], ["7"], [], ["7"], []]


def test_fortnox_is_asked_in_swedish_wall_time_by_the_minute() -> None:
    assert fortnox.wall_time(NOW + 59 * SECOND) == "2026-11-24 09:00"
    assert fortnox.wall_time(datetime(2026, 7, 1, 8, 0, tzinfo=UTC)) == "2026-07-01 10:00"


def read_as(fold: int) -> Callable[[str, datetime], bool]:
    """The server takes the text for the first or the second of the two hours."""

    def shows(asked: str, change: datetime) -> bool:
        local = datetime.fromisoformat(asked).replace(tzinfo=STOCKHOLM, fold=fold)
        return change >= local.astimezone(UTC)

    return shows


def read_off_the_wall(asked: str, change: datetime) -> bool:
    """The server keeps the time that stood on the wall, and compares texts."""
    return change.astimezone(STOCKHOLM).strftime("%Y-%m-%d %H:%M") >= asked


@pytest.mark.parametrize("shows", [read_as(0), read_as(1), read_off_the_wall])
@pytest.mark.parametrize("night", [(2026, 10, 24), (2026, 3, 28)])
def test_no_change_is_missed_in_the_nights_when_the_clock_is_moved(
    shows: Callable[[str, datetime], bool], night: tuple[int, int, int]
) -> None:
    start = datetime(*night, 22, 0, tzinfo=UTC)
    missed = []
    for minute in range(300):
        last_poll = start + minute * MINUTE
        asked = fortnox.Window(last_poll, {}).asked_from
        late, early = last_poll + 50 * SECOND, last_poll - 4 * MINUTE  # shown late by four minutes
        missed += [change for change in (early, late) if not shows(asked, change)]
    assert missed == []


def test_the_repeated_hour_is_asked_for_as_the_hour_before_it() -> None:
    first, second = (
        datetime(2026, 10, 25, 0, 30, tzinfo=UTC),
        datetime(2026, 10, 25, 1, 30, tzinfo=UTC),
    )
    assert fortnox.wall_time(first) == fortnox.wall_time(second) == "2026-10-25 01:30"
    assert fortnox.wall_time(second + HOUR) == "2026-10-25 03:30"


# --- Fortnox: payments ---


def invoice(balance: int, *, booked: bool = True, cancelled: bool = False) -> InvoiceListItem:
    return InvoiceListItem(
        document_number="1",
        booked=booked,
        cancelled=cancelled,
        total=Decimal(1000),
        balance=Decimal(balance),
        final_pay_date=date(2026, 4, 28),
    )


PART = {"part": {"paid": "400", "remaining": "600"}}


@pytest.mark.parametrize(
    ("one", "carried", "expected"),
    [
        (invoice(1000, booked=False), {}, False),
        (invoice(1000), {}, False),
        (invoice(0), {}, True),
        (invoice(0), {"paid": True}, False),
        (invoice(0), {"paid": True, "paid_on": "2026-04-28"}, False),
        (invoice(0), {"paid": True, "paid_on": "2026-04-27"}, True),
        (invoice(1000), {"paid": True}, True),
        (invoice(600), {}, True),
        (invoice(600), PART, False),
        (invoice(500), PART, True),
        (invoice(0), PART, True),
        (invoice(0, booked=False), {}, False),
        (invoice(0, cancelled=True), {}, False),
    ],
)
def test_a_payment_is_wanted_only_where_the_list_differs_from_what_was_carried(
    one: InvoiceListItem, carried: dict[str, object], expected: bool
) -> None:
    assert differs(one, carried) is expected
