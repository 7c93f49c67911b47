"""Carrying a record with a number of its own into Fortnox: customers, articles and projects alike.

Fortnox refuses a second record with the same number, so an attempt may be repeated at once. A
record that is there already is linked as it stands; changes of the master go over whole, the one
that leads to the link too.
What the link keeps as carried: `payload`, what Fortnox got; `record`, what Fortnox would say of it
to Severa; `seen`, how Severa's record looked; `last`, which side was written last.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from pydantic import BaseModel

from app import inbox, journal, links, worklist
from app.effects import Intent
from app.errors import Blocked, Missing, NothingToDo, Reason, System, because
from app.links import Link
from app.sync.sides import Sides
from app.sync.writing import Creation, Found, change, create, frozen, sent_before
from app.waiting import changed_key
from app.worklist import Item

Payload = dict[str, Any]
BLANK = "API_BLANK"  # "" and null leave the value; this text alone empties it
UNSEEN = ""  # `seen` of what was linked from Fortnox's side, with Severa as the master
# Not emptied by Severa: it knows no such thing of this record, or Fortnox has no such code.
NEVER_BLANKED = frozenset({"Currency", "TermsOfPayment", "VATType", "VAT"})


@dataclass(frozen=True)
class Register:
    """`read` raises Missing; `check` raises Blocked when what has our number is something else:
    neither what Severa says now, nor what an attempt of ours has sent before.

    `taken`: why a number that belongs to another living record of Severa's cannot be ours too.
    """

    kind: str
    number_field: str
    read: Callable[[str], Any]
    create: Callable[[Payload], Any]
    update: Callable[[str, Payload], Any]
    taken: Reason
    is_there: Callable[[str], bool]
    check: Callable[[Any, Payload], None] = lambda _record, _sent: None
    seen_from_severa: Callable[[Any], Payload | None] = lambda _record: None
    master: System = "severa"


@dataclass(frozen=True)
class Record:
    """What is to stand in the target; `carried`: what else of it later benches want to know."""

    severa_id: str
    number: str
    name: str
    content: BaseModel
    carried: Payload


def known_link(sides: Sides, kind: str, severa_id: str) -> Link | None:
    with sides.db.reading() as tx:
        return links.of_severa(tx, sides.name, kind, severa_id)


def is_there(read: Callable[[str], Any], severa_id: str) -> bool:
    try:
        read(severa_id)
    except Missing:
        return False
    return True


def name_it(sides: Sides, item: Item, number: object, name: str) -> None:
    """What people call it, before anything can stop it."""
    with sides.db.transaction() as tx:
        label = " ".join(str(part) for part in (number, name) if part not in (None, ""))
        worklist.describe(tx, item.id, source=label)


def unchanged(link: Link, master: System, seen: str) -> bool:
    """Whether Severa's record needs no look: it is as we left it when Fortnox had the last word.

    NothingToDo when it was changed where it is not mastered: the other side is not written to,
    and the change is not undone either until the master's own record changes.
    """
    if link.carried.get("seen") == seen:
        return master == "fortnox" or link.carried.get("last") == "fortnox"
    if master == "fortnox":
        raise NothingToDo(because("fortnox_is_master", kind=link.kind, number=link.fortnox_id))
    return False


def was_told(sides: Sides, item: Item) -> bool:
    """Whether an event or a poll led here: it was changed. Else another record, or a backfill."""
    with sides.db.reading() as tx:
        return inbox.latest(tx, item.id)[0] != ""


def carry_over(sides: Sides, item: Item, register: Register, record: Record) -> Link:
    """Creates, links or updates; the link tells what was carried over."""
    payload = frozen(record.content)
    with sides.db.reading() as tx:
        known = links.of_severa(tx, sides.name, register.kind, record.severa_id)
    if known is None:
        known = _create(sides, item, register, record, payload)
    elif known.carried.get("seen") == UNSEEN and not was_told(sides, item):
        return _keep_in_mind(sides, known, record)
    payload[register.number_field] = known.fortnox_id
    if known.carried.get("payload") == payload:
        return _keep_in_mind(sides, known, record)
    return _update(sides, item, register, record, known, payload)


def _update(  # noqa: PLR0913 - a record, where it is, and what it is to be
    sides: Sides, item: Item, register: Register, record: Record, known: Link, payload: Payload
) -> Link:
    intent = Intent(
        sides.name,
        item.id,
        "fortnox",
        f"update_{register.kind}",
        f"{register.kind}:{known.fortnox_id}",
        payload | _emptied(known.carried.get("payload") or {}, payload),
        creates=False,
    )
    answer = change(sides, intent, lambda: register.update(known.fortnox_id, intent.payload))
    return _remember(sides, item, register, record, payload, f"updated_{register.kind}", answer)


def _emptied(before: Payload, now: Payload) -> Payload:
    return {field: BLANK for field in before if field not in now and field not in NEVER_BLANKED}


def _create(sides: Sides, item: Item, register: Register, record: Record, payload: Payload) -> Link:
    _give_up_claim(sides, register, record)
    intent = Intent(
        sides.name,
        item.id,
        "fortnox",
        f"create_{register.kind}",
        f"{register.kind}:{record.number}",
        payload,
    )
    before = sent_before(sides, intent)
    creation: Creation[Any] = Creation(
        intent,
        look=lambda: _look(register, record.number, before),
        send=register.create,
        number=lambda _answer: record.number,
        unique=True,
    )
    as_it_stands = payload
    if register.master == "severa" and was_told(sides, item):
        as_it_stands = {register.number_field: record.number}  # nothing of it is carried over yet
    if sides.plan is not None and creation.look():
        return Link(register.kind, record.severa_id, record.number, {"payload": as_it_stands})
    created = create(sides, item, creation)
    answer, sent = created.answer, created.sent or payload
    if answer is None and created.sent is None:
        sent = as_it_stands
    if answer is None and sides.plan is None:
        answer = register.read(record.number)
        register.check(answer, created.sent or {})
    what = "created" if created.answer is not None else "linked"
    return _remember(sides, item, register, record, sent, f"{what}_{register.kind}", answer)


def _give_up_claim(sides: Sides, register: Register, record: Record) -> None:
    """A number stays with the Severa record that has it, unless that one was deleted."""
    with sides.db.reading() as tx:
        other = links.of_fortnox(tx, sides.name, register.kind, record.number)
    if other is None or sides.plan is not None:
        return
    if register.is_there(other.severa_id):
        raise Blocked(register.taken, waits_for=changed_key(register.kind, other.severa_id))
    with sides.db.transaction() as tx:
        links.forget(tx, sides.name, other)


def _look(register: Register, number: str, sent: Payload) -> Found | None:
    try:
        register.check(register.read(number), sent)
    except Missing:
        return None
    return Found(number)


def _keep_in_mind(sides: Sides, known: Link, record: Record) -> Link:
    carried = known.carried | record.carried
    if carried == known.carried or sides.plan is not None:
        return known
    link = Link(known.kind, known.severa_id, known.fortnox_id, carried)
    with sides.db.transaction() as tx:
        links.remember(tx, sides.name, link, sides.clock())
    return link


def _remember(  # noqa: PLR0913 - one sentence with its parts
    sides: Sides,
    item: Item,
    register: Register,
    record: Record,
    payload: Payload,
    what: str,
    answer: Any,
) -> Link:
    number = payload[register.number_field]
    last: Literal["fortnox", "severa"] = "severa"
    carried = record.carried | {"payload": payload, "last": last}
    if answer is not None:
        carried["record"] = register.seen_from_severa(answer)
    link = Link(register.kind, record.severa_id, number, carried)
    if sides.plan is None:
        with sides.db.transaction() as tx:
            now = sides.clock()
            links.remember(tx, sides.name, link, now)
            worklist.describe(tx, item.id, target_id=number, target=number)
            journal.write(tx, sides.name, item.id, what, now, number=number, name=record.name)
    return link
