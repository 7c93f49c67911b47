"""Taking a record of Fortnox's into Severa: customers and articles alike.

A record that is there already is linked as it stands, and brought up to date where its master's
change led here. Whether Severa refuses a second record with
the same number is not documented, so it is looked for before and after, and a lost answer is waited
out. What the link keeps as carried is told in register.py.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from app import journal, links, worklist
from app.effects import Intent
from app.errors import Blocked, Missing, NothingToDo, Reason, Refused, System, because
from app.links import Link
from app.sync.register import UNSEEN, was_told
from app.sync.right_of_way import give_way
from app.sync.sides import Sides
from app.sync.writing import Creation, Found, create, sent_before
from app.waiting import changed_key
from app.worklist import Item

Payload = dict[str, Any]


@dataclass(frozen=True)
class Intake:
    """`look` finds the id of Severa's record with this name; Blocked where that cannot be told.

    `make` creates it and answers its id; `complete` adds what belongs to a new record;
    `alter(id, before, now)` writes what differs, and answers whether anything did; `seen` tells
    how Severa's record looks.
    """

    kind: str
    number: str
    name: str
    record: Payload
    master: System
    taken: Reason
    payload: Callable[[], Payload]
    look: Callable[[str], str | None]
    make: Callable[[Payload], str]
    complete: Callable[[str], object]
    alter: Callable[[str, Payload, Payload], bool]
    seen: Callable[[str], str]


def take_in(sides: Sides, item: Item, intake: Intake) -> Link:
    """Creates, links or updates; NothingToDo where Severa is the master of what it knows."""
    with sides.db.transaction() as tx:
        worklist.describe(tx, item.id, source=f"{intake.number} {intake.name}")
        known = links.of_fortnox(tx, sides.name, intake.kind, intake.number)
        if known is not None:
            worklist.describe(tx, item.id, target_id=known.severa_id, target=intake.number)
    if known is None:
        return _first(sides, item, intake)
    before = known.carried.get("record")
    if before == intake.record:
        return known
    if intake.master != "fortnox":
        raise NothingToDo(because("severa_is_master", kind=intake.kind, number=intake.number))
    if _altered(intake, known.severa_id, before or {}):
        return _remember(sides, item, intake, known.severa_id, known.carried, "updated_in_severa")
    return _remember(sides, item, intake, known.severa_id, known.carried, None)


def _altered(intake: Intake, severa_id: str, before: Payload) -> bool:
    try:
        return intake.alter(severa_id, before, intake.record)
    except Missing as error:
        raise NothingToDo(because("severa_record_gone", kind=intake.kind)) from error


def _first(sides: Sides, item: Item, intake: Intake) -> Link:
    give_way(sides, intake.kind, intake.number, "fortnox")
    intent = Intent(
        sides.name,
        item.id,
        "severa",
        f"create_{intake.kind}",
        f"{intake.kind}:{intake.number}",
        intake.payload(),
    )
    name = sent_before(sides, intent).get("name") or intake.name
    creation: Creation[str] = Creation(
        intent, look=lambda: _look(sides, intake, name), send=intake.make, number=lambda made: made
    )
    if sides.plan is not None and (there := creation.look()):
        return Link(intake.kind, there.number, intake.number, {})
    created = _create(sides, item, creation)
    if sides.plan is not None:
        intake.complete(created.number)
        return Link(intake.kind, created.number, intake.number, {})
    if created.sent is None:
        return _link(sides, item, intake, created.number)
    intake.look(name)  # somebody may have made another one in the same moment
    intake.complete(created.number)
    if created.sent != intent.payload:  # made by an earlier attempt, with what was true then
        intake.alter(created.number, {}, intake.record)
    return _remember(sides, item, intake, created.number, {}, "created_in_severa")


def _link(sides: Sides, item: Item, intake: Intake, severa_id: str) -> Link:
    if intake.master == "severa":  # whose own change may be under way, and goes over whole
        intake = replace(intake, seen=lambda _: UNSEEN)
    # Written before it is remembered as carried: a write that fails is made again.
    is_altered = (
        intake.master == "fortnox" and was_told(sides, item) and _altered(intake, severa_id, {})
    )
    link = _remember(sides, item, intake, severa_id, {}, "linked_in_severa")
    if is_altered:
        return _remember(sides, item, intake, severa_id, link.carried, "updated_in_severa")
    return link


def _create(sides: Sides, item: Item, creation: Creation[str]) -> Any:
    try:
        return create(sides, item, creation)
    except Refused:
        if sides.plan is not None or creation.look() is None:
            raise
        return create(sides, item, creation)  # taken since we looked: found now


def _look(sides: Sides, intake: Intake, name: str) -> Found | None:
    severa_id = intake.look(name)
    if severa_id is None:
        return None
    with sides.db.reading() as tx:
        if links.of_severa(tx, sides.name, intake.kind, severa_id):
            # Its number was changed after it had been carried over.
            raise Blocked(intake.taken, waits_for=changed_key(intake.kind, severa_id))
    return Found(severa_id)


def _remember(  # noqa: PLR0913 - one sentence with its parts
    sides: Sides, item: Item, intake: Intake, severa_id: str, carried: Payload, what: str | None
) -> Link:
    """`what` None: nothing had to be written, and nothing is told."""
    if sides.plan is not None:
        return Link(intake.kind, severa_id, intake.number, carried)
    now_carried = carried | {
        "record": intake.record,
        "seen": intake.seen(severa_id),
        "last": "fortnox",
    }
    link = Link(intake.kind, severa_id, intake.number, now_carried)
    facts = {"kind": intake.kind, "number": intake.number, "name": intake.name}
    with sides.db.transaction() as tx:
        now = sides.clock()
        links.remember(tx, sides.name, link, now)
        worklist.describe(tx, item.id, target_id=severa_id, target=intake.number)
        if what is not None:
            journal.write(tx, sides.name, item.id, what, now, **facts)
    return link
