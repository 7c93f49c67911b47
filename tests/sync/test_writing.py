"""Writing without idempotency keys: whatever fails, and whenever, there is never a second one."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from itertools import product
from typing import Any

import pytest
from pydantic import BaseModel, Field, SecretStr
from sqlalchemy import delete, select

from app import effects, journal
from app.connections import Connection
from app.db import in_transaction
from app.documents import Document
from app.effects import Intent
from app.errors import (
    Blocked,
    Busy,
    Ending,
    Missing,
    NotSent,
    Refused,
    TryLater,
    Unauthorized,
    Unclear,
    VendorError,
)
from app.hall import Hall
from app.holder import Holder
from app.locks import LockLost
from app.mail.post import Post
from app.models import effects as table
from app.sync import writing
from app.sync.sides import Planned, Registers, Sides
from app.sync.writing import Created, Creation, Found
from app.worklist import Item
from tests.halls import emptied

NOW = datetime(2026, 11, 24, 8, 0, tzinfo=UTC)
QUARANTINE = timedelta(minutes=10)
PAUSE = timedelta(minutes=1)
SECOND = timedelta(seconds=1)
REF = "severa:1a00"
FOUND = ("found_by_reference", {"system": "fortnox", "number": "88", "ref": REF})
ITEM = Item("trf_1", "acme", "invoice", "1a00", "invoice:1a00", 0, 1, 0, None, "me")


class Killed(BaseException):
    """The process ends here, without a word."""


@dataclass
class Lock:
    name: str = "me"
    held: bool = True

    def still_held(self) -> bool:
        return self.held

    def is_gone(self, name: str) -> bool:
        return False

    def release(self) -> None:
        self.held = False


@dataclass
class Made:
    """Seen by a lookup from then on."""

    number: str
    payload: Any
    seen_from: datetime
    cancelled: bool = False


@dataclass
class Target:
    """A system without idempotency keys; `fates` are what happens to one call after the other."""

    stage: "Stage"
    made: list[Made] = field(default_factory=list)
    fates: list[Callable[["Target", Any], None]] = field(default_factory=list)
    calls: list[str] = field(default_factory=list)
    blind: list[Exception] = field(default_factory=list)

    def prepay(self) -> None:
        self.calls.append("prepay")

    def look(self) -> Found | None:
        self.calls.append("look")
        if self.blind:
            raise self.blind.pop(0)
        for one in self.made:
            if one.seen_from <= self.stage.now:
                return Found(one.number, one.cancelled)
        return None

    def send(self, payload: Any) -> Made:
        self.calls.append("send")
        assert not in_transaction()
        self.stage.sent.append((self.stage.row(), payload))
        if self.fates:
            self.fates.pop(0)(self, payload)
        else:
            self.make(payload)
        return self.made[-1]

    def make(self, payload: Any, after: timedelta = timedelta(0)) -> None:
        self.made.append(Made(str(88 + len(self.made)), payload, self.stage.now + after))

    @property
    def sends(self) -> int:
        return self.calls.count("send")

    @property
    def looks(self) -> int:
        return self.calls.count("look")


@dataclass
class Stage:
    """`sent`: each payload, with the effect as it stood in the database in that moment."""

    hall: Hall
    now: datetime = NOW
    lock: Lock = field(default_factory=Lock)
    sent: list[tuple[Any, Any]] = field(default_factory=list)
    surely_new: bool = False  # a look at a whole list has shown that it is not there

    def __post_init__(self) -> None:
        self.target = Target(self)
        fortnox: Any = self.target
        self.sides = Sides(
            connection=Connection("acme", Document(name="acme"), True, None, NOW),
            severa=fortnox,
            fortnox=fortnox,
            db=self.hall.db,
            clock=self.clock,
            holder=Holder(self.hall.db, self.lock, self.clock, QUARANTINE),
            ensure=lambda _kind, _key: pytest.fail("no other record is needed"),
            quarantine=QUARANTINE,
            registers=Registers(self.clock),
            retention=timedelta(days=400),
            post=Post(SecretStr(""), "", ""),
            is_alone=lambda: True,
        )

    def clock(self) -> datetime:
        return self.now

    def create(self, payload: Any = None, *, unique: bool = False, **changes: Any) -> Created[Made]:
        given = {"Total": 1} if payload is None else payload
        creation = Creation(
            Intent("acme", ITEM.id, "fortnox", "create_invoice", REF, given),
            look=self.target.look,
            send=self.target.send,
            number=lambda made: made.number,
            unique=unique,
            is_surely_new=lambda: self.surely_new,
        )
        return writing.create(replace(self.sides, **changes), ITEM, creation)

    def ends(self, kind: type[Exception], **more: Any) -> Any:
        with pytest.raises(kind) as caught:
            self.create(**more)
        return caught.value

    def waits(self, **more: Any) -> timedelta:
        """Moves the clock on as far as the writer asks for."""
        ending = self.ends(TryLater, **more)
        assert ending.reason.code == "outcome_unknown"
        assert ending.after is not None
        self.now += ending.after
        return ending.after

    def row(self) -> Any:
        with self.hall.db.reading() as tx:
            return tx.execute(select(table)).one()

    def rows(self) -> list[Any]:
        with self.hall.db.reading() as tx:
            return list(tx.execute(select(table).order_by(table.c.id)))

    def log(self) -> list[tuple[str, dict[str, str]]]:
        with self.hall.db.reading() as tx:
            return [(one.what, one.facts) for one in journal.read(tx, ITEM.id)]

    def forgive(self) -> None:
        with self.hall.db.transaction() as tx:
            effects.forgive(tx, ITEM.id)


@pytest.fixture
def stage(opened: Hall) -> Stage:
    return Stage(emptied(opened))


# What may happen to a call.


def answered(target: Target, payload: Any) -> None:
    target.make(payload)


def reply_lost(target: Target, payload: Any) -> None:
    target.make(payload)
    raise Unclear("fortnox", "ReadTimeout")


def request_lost(target: Target, payload: Any) -> None:
    raise Unclear("fortnox", "ReadTimeout")


def made_late(target: Target, payload: Any) -> None:
    """It takes effect, or is found, shortly before the quarantine ends."""
    target.make(payload, after=QUARANTINE - SECOND)
    raise Unclear("fortnox", "ReadTimeout")


def found_late(target: Target, payload: Any) -> None:
    """The index of the search lags behind, beyond the first look."""
    target.make(payload, after=QUARANTINE + PAUSE - SECOND)
    raise Unclear("fortnox", "ReadTimeout")


def killed_after(target: Target, payload: Any) -> None:
    target.make(payload)
    raise Killed


def killed_before(target: Target, payload: Any) -> None:
    raise Killed


def refused(target: Target, payload: Any) -> None:
    raise Refused("fortnox", "no", status=400)


NO: list[VendorError] = [
    Refused("fortnox", status=400),
    Missing("fortnox", status=404),
    Unauthorized("fortnox", status=401),
    Busy("fortnox", status=429, after=5),
    NotSent("fortnox", "ConnectError"),
]


def saying(error: BaseException) -> Callable[[Target, Any], None]:
    def say(_target: Target, _payload: Any) -> None:
        raise error

    return say


# The plain way.


def test_a_record_is_looked_for_and_then_made_in_one_call(stage: Stage) -> None:
    created = stage.create()
    assert created == Created("88", stage.target.made[0], {"Total": 1})
    assert stage.target.calls == ["look", "prepay", "send"]
    row = stage.row()
    assert (row.state, row.target_id, row.sends, row.settled_at) == ("done", "88", 1, NOW)


def test_the_intent_is_committed_before_the_call(stage: Stage) -> None:
    stage.create()
    [(row, payload)] = stage.sent
    assert (row.state, row.sends, row.sent_at) == ("sending", 1, NOW)
    assert row.not_before == NOW + QUARANTINE
    assert row.payload == payload == {"Total": 1}


def test_what_was_made_is_not_made_again_nor_looked_for(stage: Stage) -> None:
    stage.create()
    stage.target.calls.clear()
    assert stage.create({"Total": 2}) == Created("88", None, {"Total": 1})
    assert stage.target.calls == []


def test_what_is_there_although_we_never_sent_it_is_adopted(stage: Stage) -> None:
    """Our database may have been restored from before."""
    stage.target.make({"Total": 1})
    assert stage.create() == Created("88", None)
    assert stage.target.calls == ["look"]
    assert (stage.row().state, stage.row().target_id) == ("done", "88")
    assert stage.log() == [FOUND]


def test_a_lookup_that_fails_sends_nothing(stage: Stage) -> None:
    stage.target.blind = [Unclear("fortnox", "ReadTimeout")]
    stage.ends(Unclear)
    assert (stage.target.calls, stage.row().state) == (["look"], "prepared")
    assert stage.create().number == "88"


# A definite no.


@pytest.mark.parametrize("error", NO, ids=lambda error: type(error).__name__)
def test_a_definite_no_may_be_followed_by_another_call_at_once(
    stage: Stage, error: VendorError
) -> None:
    stage.target.fates = [saying(error)]
    assert stage.ends(type(error)) is error
    assert (stage.row().state, stage.row().sends) == ("prepared", 0)
    assert stage.create({"Total": 2}).number == "88"
    assert stage.target.calls == ["look", "prepay", "send"] * 2
    assert [payload for _, payload in stage.sent] == [{"Total": 1}, {"Total": 2}]


def test_any_number_of_definite_noes_is_no_doubt(stage: Stage) -> None:
    stage.target.fates = [saying(error) for error in NO]
    for error in NO:
        stage.ends(type(error))
    assert stage.create().number == "88"
    assert stage.row().sends == 1


# Doubt.


@pytest.mark.parametrize("fate", [reply_lost, request_lost])
def test_what_may_have_happened_is_left_alone_for_the_quarantine(stage: Stage, fate: Any) -> None:
    stage.target.fates = [fate]
    stage.ends(Unclear)
    assert (stage.row().state, stage.row().sends) == ("sending", 1)
    stage.target.calls.clear()
    for passed in (timedelta(0), QUARANTINE / 2, QUARANTINE - SECOND):
        stage.now = NOW + passed
        ending = stage.ends(TryLater)
        assert ending.after == QUARANTINE - passed
        assert (ending.reason.code, ending.reason.facts["ref"]) == ("outcome_unknown", REF)
    assert stage.target.calls == []


@pytest.mark.parametrize("fate", [killed_before, killed_after])
def test_a_process_that_was_killed_leaves_the_same_doubt(stage: Stage, fate: Any) -> None:
    stage.target.fates = [fate]
    with pytest.raises(Killed):
        stage.create()
    assert (stage.row().state, stage.row().sends) == ("sending", 1)
    assert stage.waits() == QUARANTINE
    assert stage.target.sends == 1


@pytest.mark.parametrize("fate", [reply_lost, made_late, killed_after])
def test_found_on_the_first_look_it_is_adopted(stage: Stage, fate: Any) -> None:
    stage.target.fates = [fate]
    with pytest.raises((Unclear, Killed)):
        stage.create()
    stage.waits()
    assert stage.create() == Created("88", None, {"Total": 1})
    assert (stage.target.sends, len(stage.target.made)) == (1, 1)
    assert (stage.row().state, stage.row().target_id) == ("done", "88")
    assert stage.log() == [FOUND]


def test_found_on_the_second_look_it_is_adopted(stage: Stage) -> None:
    stage.target.fates = [found_late]
    stage.ends(Unclear)
    assert [stage.waits(), stage.waits()] == [QUARANTINE, PAUSE]
    assert stage.create() == Created("88", None, {"Total": 1})
    assert (stage.target.sends, stage.target.looks) == (1, 3)


def test_between_the_two_looks_there_is_a_pause(stage: Stage) -> None:
    stage.target.fates = [request_lost]
    stage.ends(Unclear)
    stage.waits()
    assert stage.ends(TryLater).after == PAUSE
    assert (stage.row().state, stage.row().looks) == ("sending", 1)
    stage.target.calls.clear()
    stage.now += PAUSE - SECOND
    assert stage.ends(TryLater).after == SECOND
    assert stage.target.calls == []


def test_after_two_empty_looks_it_is_sent_again_exactly_as_before(stage: Stage) -> None:
    stage.target.fates = [request_lost]
    stage.ends(Unclear)
    assert [stage.waits(payload={"Total": 2}), stage.waits(payload={"Total": 3})] == [
        QUARANTINE,
        PAUSE,
    ]
    assert stage.create({"Total": 4}).number == "88"
    assert [payload for _, payload in stage.sent] == [{"Total": 1}, {"Total": 1}]
    assert [row.sends for row, _ in stage.sent] == [1, 2]
    assert stage.sent[1][0].not_before == stage.now + QUARANTINE
    assert stage.target.calls == ["look", "prepay", "send", "look", "look", "prepay", "send"]


def test_a_look_that_fails_is_no_empty_look(stage: Stage) -> None:
    stage.target.fates = [request_lost]
    stage.ends(Unclear)
    stage.waits()
    stage.target.blind = [Unclear("fortnox"), Busy("fortnox")]
    stage.ends(Unclear)
    stage.ends(Busy)
    assert (stage.row().looks, stage.target.sends) == (0, 1)
    stage.waits()
    assert stage.row().looks == 1


def test_a_definite_no_after_a_doubt_is_a_definite_no_and_the_doubt_stays_counted(
    stage: Stage,
) -> None:
    stage.target.fates = [request_lost, refused]
    stage.ends(Unclear)
    stage.waits()
    stage.waits()
    stage.ends(Refused)
    assert (stage.row().state, stage.row().sends) == ("prepared", 1)
    assert stage.create({"Total": 2}).number == "88"
    assert (stage.target.sends, len(stage.target.made)) == (3, 1)


def test_two_unknown_outcomes_are_for_a_person(stage: Stage) -> None:
    stage.target.fates = [request_lost, request_lost]
    for _ in range(2):
        stage.ends(Unclear)
        assert [stage.waits(), stage.waits()] == [QUARANTINE, PAUSE]
    for _ in range(3):
        ending = stage.ends(Blocked)
        assert (ending.reason.code, ending.reason.facts["item"]) == (
            "outcome_unknown_twice",
            "1a00",
        )
        stage.now += timedelta(days=1)
    assert stage.target.sends == 2


def test_found_even_after_two_doubts_it_is_adopted(stage: Stage) -> None:
    stage.target.fates = [request_lost, request_lost]
    for _ in range(2):
        stage.ends(Unclear)
        stage.waits()
        stage.waits()
    stage.ends(Blocked)
    stage.target.make({"Total": 1})
    assert stage.create() == Created("88", None, {"Total": 1})
    assert stage.target.sends == 2


def test_a_person_may_say_that_it_is_to_be_tried_again_after_new_looks(stage: Stage) -> None:
    stage.target.fates = [request_lost, request_lost]
    for _ in range(2):
        stage.ends(Unclear)
        stage.waits()
        stage.waits()
    stage.ends(Blocked)
    stage.forgive()
    assert stage.waits() == PAUSE
    assert stage.target.sends == 2
    assert stage.create().number == "88"
    assert (stage.target.sends, len(stage.target.made)) == (3, 1)


# Cancelled by a person.


def test_what_a_person_cancelled_is_not_made_again(stage: Stage) -> None:
    stage.target.make({"Total": 1})
    stage.target.made[0].cancelled = True
    for _ in range(2):
        ending = stage.ends(Blocked)
        assert (ending.reason.code, ending.reason.facts) == (
            "cancelled_by_person",
            {"number": "88"},
        )
    assert (stage.target.sends, stage.row().state) == (0, "prepared")


def test_what_was_cancelled_while_in_doubt_is_not_made_again(stage: Stage) -> None:
    stage.target.fates = [reply_lost]
    stage.ends(Unclear)
    stage.target.made[0].cancelled = True
    stage.waits()
    assert stage.ends(Blocked).reason.code == "cancelled_by_person"
    assert (stage.target.sends, stage.row().state) == (1, "sending")


# Where the target itself refuses a second one.


@pytest.mark.parametrize("fate", [reply_lost, killed_after])
def test_a_unique_number_needs_no_quarantine(stage: Stage, fate: Any) -> None:
    stage.target.fates = [fate]
    with pytest.raises((Unclear, Killed)):
        stage.create(unique=True)
    assert stage.create(unique=True) == Created("88", None, {"Total": 1})
    assert stage.target.sends == 1


def test_a_unique_number_may_be_sent_any_number_of_times(stage: Stage) -> None:
    stage.target.fates = [request_lost] * 5
    for _ in range(5):
        stage.ends(Unclear, unique=True)
    assert stage.create(unique=True).number == "88"
    assert (stage.target.sends, stage.now) == (6, NOW)


@pytest.mark.parametrize("error", NO[:2], ids=lambda error: type(error).__name__)
def test_a_refusal_of_a_unique_number_that_is_ours_by_now_is_no_refusal(
    stage: Stage, error: VendorError
) -> None:
    def taken(target: Target, payload: Any) -> None:
        target.make(payload)
        raise error

    stage.target.fates = [taken]
    assert stage.create(unique=True) == Created("88", None)
    assert stage.target.calls == ["look", "prepay", "send", "look"]
    assert stage.row().state == "done"


def test_a_refusal_of_a_unique_number_that_is_not_there_is_a_refusal(stage: Stage) -> None:
    stage.target.fates = [refused]
    stage.ends(Refused, unique=True)
    assert (stage.row().state, stage.row().sends) == ("prepared", 0)
    assert stage.target.calls == ["look", "prepay", "send", "look"]


# Who may send.


def test_who_lost_the_lock_sends_nothing(stage: Stage) -> None:
    stage.lock.held = False
    stage.ends(LockLost)
    assert stage.target.calls == ["look", "prepay"]
    assert stage.row().state == "sending"
    stage.lock.held = True
    assert [stage.waits(), stage.waits()] == [QUARANTINE, PAUSE]
    assert stage.create().number == "88"


def test_the_quarantine_begins_when_the_call_may_be_sent(stage: Stage) -> None:
    """Waiting for a token or a turn must not use it up."""

    class Slow(Target):
        def prepay(self) -> None:
            super().prepay()
            self.stage.now += timedelta(hours=1)

    slow: Any = Slow(stage, fates=[request_lost])
    stage.target = slow
    stage.ends(Unclear, fortnox=slow)
    assert stage.sent[0][0].not_before == NOW + timedelta(hours=1) + QUARANTINE


def test_a_dry_run_tells_what_it_would_write_and_does_nothing(stage: Stage) -> None:
    planned: list[Planned] = []
    assert stage.create(plan=planned) == Created("", None)
    assert planned == [Planned("fortnox", "create_invoice", REF, {"Total": 1})]
    assert (stage.rows(), stage.target.calls) == ([], [])


def test_a_first_attempt_needs_no_look_of_its_own_where_a_list_has_shown_that_it_is_new(
    stage: Stage,
) -> None:
    stage.surely_new = True
    stage.target.fates = [refused, reply_lost]
    stage.ends(Refused)  # a definite no: what follows is a first attempt still
    stage.ends(Unclear)
    assert stage.target.calls == ["prepay", "send"] * 2
    assert stage.waits() == QUARANTINE
    assert stage.create().number == "88"
    assert stage.target.calls == [*["prepay", "send"] * 2, "look"]


FATES = (
    answered,
    reply_lost,
    request_lost,
    made_late,
    found_late,
    killed_after,
    killed_before,
    refused,
)


def test_whatever_happens_to_the_first_call_of_a_new_one_there_is_one_record(stage: Stage) -> None:
    """A look at a whole list has shown that it is new; after a doubt that says nothing any more."""
    for fate in FATES:
        with stage.hall.db.transaction() as tx:
            tx.execute(delete(table))
        story = Stage(stage.hall, surely_new=True)
        story.target.fates = [fate]
        assert run_to_the_end(story) == "done", fate.__name__
        assert len(story.target.made) == 1, fate.__name__


def test_whatever_happens_to_two_calls_there_is_never_a_second_record(stage: Stage) -> None:
    for both in product(FATES, repeat=2):
        with stage.hall.db.transaction() as tx:
            tx.execute(delete(table))
        story = Stage(stage.hall)
        story.target.fates = list(both)
        ended = run_to_the_end(story)
        names = [fate.__name__ for fate in both]
        made = len(story.target.made)
        assert made == (0 if ended == "blocked" else 1), names
        assert (story.row().state == "done") == (ended == "done"), names
        if ended == "blocked":
            assert {*both} <= {request_lost, killed_before}, names


def run_to_the_end(story: Stage) -> str:
    """As the work list runs it: again at once after an error, later when told so."""
    for _ in range(20):
        try:
            story.create()
        except Blocked:
            return "blocked"
        except TryLater as ending:
            story.now += ending.after or SECOND
        except (VendorError, Killed):
            continue
        else:
            return "done"
    pytest.fail("it never ends")


# Writes that may be repeated.

CHANGE = Intent(
    "acme", ITEM.id, "severa", "move_invoice", "1a00", {"status": "received"}, creates=False
)


def test_a_change_is_recorded_sent_and_settled(stage: Stage) -> None:
    during = []

    def send() -> str:
        assert not in_transaction()
        during.append(stage.row())
        return "answer"

    assert writing.change(stage.sides, CHANGE, send, number="88") == "answer"
    assert (during[0].state, during[0].payload) == ("sending", {"status": "received"})
    row = stage.row()
    assert (row.state, row.target_id, row.creates) == ("done", "88", False)


@pytest.mark.parametrize("error", NO, ids=lambda error: type(error).__name__)
def test_a_change_that_is_refused_says_so(stage: Stage, error: VendorError) -> None:
    with pytest.raises(type(error)):
        writing.change(stage.sides, CHANGE, lambda: saying(error)(stage.target, None))
    assert (stage.row().state, stage.row().target_id) == ("refused", None)


def test_a_change_of_unknown_outcome_stays_on_record_and_may_be_repeated(stage: Stage) -> None:
    with pytest.raises(Unclear):
        writing.change(stage.sides, CHANGE, lambda: request_lost(stage.target, None))
    writing.change(stage.sides, CHANGE, lambda: None)
    assert [(row.state, row.target_id) for row in stage.rows()] == [
        ("sending", None),
        ("done", "1a00"),
    ]


def test_who_lost_the_lock_changes_nothing(stage: Stage) -> None:
    """A paused process must not undo what its successor has done."""
    stage.lock.held = False
    with pytest.raises(LockLost):
        writing.change(stage.sides, CHANGE, lambda: pytest.fail("it was sent"))


def test_a_change_in_a_dry_run_is_only_told(stage: Stage) -> None:
    planned: list[Planned] = []
    sides = replace(stage.sides, plan=planned)
    assert writing.change(sides, CHANGE, lambda: pytest.fail("it was sent")) is None
    assert planned == [Planned("severa", "move_invoice", "1a00", {"status": "received"})]
    assert stage.rows() == []


# What is frozen.


class Shape(BaseModel):
    name: str = Field(alias="Name")
    price: Decimal = Field(alias="Price")
    day: date = Field(alias="Day")
    rows: list["Shape"] = Field([], alias="Rows")
    nothing: str | None = Field(None, alias="Nothing")


def test_a_payload_is_frozen_in_the_form_that_is_sent() -> None:
    row = Shape(Name="Å", Price=Decimal("0.10"), Day=date(2026, 11, 24))
    frozen = writing.frozen(row.model_copy(update={"price": Decimal("2.00"), "rows": [row]}))
    assert frozen == {
        "Name": "Å",
        "Price": 2,
        "Day": "2026-11-24",
        "Rows": [{"Name": "Å", "Price": 0.1, "Day": "2026-11-24", "Rows": []}],
    }


def test_an_amount_that_cannot_be_sent_exactly_is_refused_before_it_is_recorded() -> None:
    shape = Shape(Name="x", Price=Decimal("1234567890123456789.01"), Day=date(2026, 11, 24))
    with pytest.raises(ValueError, match="more digits"):
        writing.frozen(shape)


def test_every_ending_of_the_writer_is_one_the_work_list_knows(stage: Stage) -> None:
    stage.target.fates = [request_lost]
    stage.ends(Unclear)
    assert isinstance(stage.ends(TryLater), Ending)
