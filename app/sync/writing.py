"""How something is written to a vendor: recorded first, sent once, and after doubt looked for.

Creating in a system without idempotency keys, so that there is never a second one:
intent committed → lookup → `sending` committed → one call → `done` committed. An attempt whose
outcome is unknown is left alone for the quarantine; then the target is asked, twice, with a pause,
before anything is sent again; after two unknown outcomes a person decides.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Generic, TypeVar

from pydantic import BaseModel

from app import effects, journal
from app.calls import to_json
from app.effects import Effect, Intent
from app.errors import (
    Blocked,
    Busy,
    Missing,
    NotSent,
    Refused,
    TryLater,
    Unauthorized,
    VendorError,
    because,
)
from app.locks import LockLost
from app.sync.sides import Planned, Sides
from app.worklist import Item

T = TypeVar("T")
DEFINITE_NO = (Refused, Missing, Unauthorized, Busy, NotSent)
MOST_UNKNOWN = 2


@dataclass(frozen=True)
class Found:
    """What a lookup met: the number of the record, and whether a person has cancelled it."""

    number: str
    cancelled: bool = False


class CancelledByPerson(Blocked):
    """What was to be made had come through, and somebody has cancelled it there."""

    def __init__(self, number: str) -> None:
        super().__init__(because("cancelled_by_person", number=number))
        self.number = number


@dataclass(frozen=True)
class Creation(Generic[T]):
    """`look` finds what this reference made before, exactly; `send` makes it, in one call.

    `is_surely_new` spares the look, and is only asked before a first attempt.
    """

    intent: Intent
    look: Callable[[], Found | None]
    send: Callable[[Any], T]
    number: Callable[[T], str]
    unique: bool = False  # the target itself refuses a second one with this number
    is_surely_new: Callable[[], bool] = lambda: False


@dataclass(frozen=True)
class Created(Generic[T]):
    """`answer` None: it was there already, and was found by its reference.

    `sent`: what it was made with by us, in this attempt or an earlier one; an earlier one may have
    had another content. None where nothing is known of that.
    """

    number: str
    answer: T | None
    sent: Any = None


def frozen(model: BaseModel) -> dict[str, Any]:
    """The JSON that will be sent, in a form that is stored and read back without change."""
    data = model.model_dump(by_alias=True, exclude_none=True)
    payload: dict[str, Any] = json.loads(to_json(_dates_as_text(data)))
    return payload


def create(sides: Sides, item: Item, creation: Creation[T]) -> Created[T]:
    """Makes it, or finds what an earlier attempt made. TryLater while the outcome is unknown."""
    intent = creation.intent
    if sides.plan is not None:
        sides.plan.append(Planned(intent.system, intent.action, intent.ref, intent.payload))
        return Created("", None)
    with sides.db.transaction() as tx:
        effect = effects.open_intent(tx, intent, sides.clock())
    if effect.state == "done" and effect.target_id:
        return Created(effect.target_id, None, effect.payload if effect.sends else None)
    if effect.state == "sending":
        _wait_out(sides, creation, effect)
    is_first = effect.state == "prepared" and effect.sends == 0
    if is_first and creation.is_surely_new():
        return _send_once(sides, item, creation, effect)
    found = creation.look()
    if found is not None:
        return _adopt(sides, item, intent, effect, found)
    if effect.state == "sending":
        _count_empty_look(sides, item, creation, effect)
    return _send_once(sides, item, creation, effect)


def sent_before(sides: Sides, intent: Intent) -> dict[str, Any]:
    """What may have been made of this intent already; empty where nothing was sent."""
    with sides.db.reading() as tx:
        begun = effects.begun(tx, intent)
    return begun.payload if begun and begun.sends and begun.payload else {}


def change(sides: Sides, intent: Intent, send: Callable[[], T], *, number: str = "") -> T | None:
    """A write that may be repeated without harm: recorded, sent, settled. None in a dry run."""
    if sides.plan is not None:
        sides.plan.append(Planned(intent.system, intent.action, intent.ref, intent.payload))
        return None
    with sides.db.transaction() as tx:
        effect = effects.open_intent(tx, intent, sides.clock())
        _mark_sending(tx, sides, effect, effect.sends + 1)
    _be_the_holder(sides)
    try:
        answer = send()
    except DEFINITE_NO:
        _settle(sides, effect.id, state="refused")
        raise
    _settle(sides, effect.id, state="done", target_id=number or intent.ref)
    return answer


def _wait_out(sides: Sides, creation: Creation[Any], effect: Effect) -> None:
    if creation.unique or effect.not_before is None:
        return
    left = effect.not_before - sides.clock()
    if left > timedelta(0):
        raise TryLater(
            because("outcome_unknown", system=creation.intent.system, ref=creation.intent.ref),
            after=left,
        )


def _adopt(sides: Sides, item: Item, intent: Intent, effect: Effect, found: Found) -> Created[Any]:
    if found.cancelled:
        raise CancelledByPerson(found.number)
    with sides.db.transaction() as tx:
        now = sides.clock()
        effects.change(tx, effect.id, state="done", target_id=found.number, settled_at=now)
        journal.write(
            tx,
            sides.name,
            item.id,
            "found_by_reference",
            now,
            number=found.number,
            ref=intent.ref,
            system=intent.system,
        )
    return Created(found.number, None, effect.payload if effect.sends else None)


def _count_empty_look(sides: Sides, item: Item, creation: Creation[Any], effect: Effect) -> None:
    """The first empty look is not believed: an index may lag. After two doubts a person decides."""
    if creation.unique:
        return
    looks, pause = effect.looks + 1, sides.quarantine / 10
    if looks < MOST_UNKNOWN:
        again = sides.clock() + pause
        with sides.db.transaction() as tx:
            effects.change(tx, effect.id, looks=looks, not_before=again)
        raise TryLater(
            because("outcome_unknown", system=creation.intent.system, ref=creation.intent.ref),
            after=pause,
        )
    if effect.sends >= MOST_UNKNOWN:
        raise Blocked(
            because("outcome_unknown_twice", system=creation.intent.system, item=item.key)
        )


def _send_once(sides: Sides, item: Item, creation: Creation[T], effect: Effect) -> Created[T]:
    sides.window(creation.intent.system).prepay()
    _announce(sides, effect)
    try:
        answer = creation.send(effect.payload)
    except DEFINITE_NO as error:
        if not (isinstance(error, Refused | Missing) and creation.unique):
            _settle(sides, effect.id, state="prepared", sends=effect.sends)
            raise
        return _perhaps_taken(sides, item, creation, effect, error)
    except VendorError:  # the quarantine counts from when the doubt began, not from the intent
        with sides.db.transaction() as tx:
            effects.change(tx, effect.id, not_before=sides.clock() + sides.quarantine)
        raise
    number = creation.number(answer)
    _settle(sides, effect.id, state="done", target_id=number)
    return Created(number, answer, effect.payload)


def _announce(sides: Sides, effect: Effect) -> None:
    """Commits that it is being sent; again, if this process was paused since it said so.

    Else the quarantine could be over before the call has even begun.
    """
    fresh = False
    while not fresh:
        with sides.db.transaction() as tx:
            _mark_sending(tx, sides, effect, effect.sends + 1)
        said_at = sides.clock()
        _be_the_holder(sides)
        fresh = sides.clock() - said_at <= sides.quarantine / 4


def _be_the_holder(sides: Sides) -> None:
    """Another process may have taken over: it decides what is written from then on."""
    if not sides.holder.lock.still_held():
        raise LockLost(f"{sides.holder.lock.name} must not send any more")


def _perhaps_taken(
    sides: Sides, item: Item, creation: Creation[T], effect: Effect, error: VendorError
) -> Created[T]:
    """Refused where the number is unique: an attempt before us may have taken it."""
    found = creation.look()
    if found is None:
        _settle(sides, effect.id, state="prepared", sends=effect.sends)
        raise error
    return _adopt(sides, item, creation.intent, effect, found)


def _mark_sending(tx: Any, sides: Sides, effect: Effect, sends: int) -> None:
    now = sides.clock()
    effects.change(
        tx,
        effect.id,
        state="sending",
        sends=sends,
        looks=0,
        sent_at=now,
        not_before=now + sides.quarantine,
    )


def _settle(sides: Sides, effect_id: str, **values: Any) -> None:
    with sides.db.transaction() as tx:
        effects.change(tx, effect_id, settled_at=sides.clock(), **values)


def _dates_as_text(data: Any) -> Any:
    if isinstance(data, dict):
        return {key: _dates_as_text(value) for key, value in data.items()}
    if isinstance(data, list | tuple):
        return [_dates_as_text(value) for value in data]
    return data.isoformat() if hasattr(data, "isoformat") else data
