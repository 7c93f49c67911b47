"""Carrying over a record whose number is its own: customers, articles and projects alike.

The target refuses a second record with the same number, so an attempt may be repeated at once.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel

from app import journal, links, worklist
from app.effects import Intent
from app.errors import Missing
from app.links import Link
from app.sync.sides import Sides
from app.sync.writing import Creation, Found, change, create, frozen
from app.worklist import Item

Payload = dict[str, Any]


@dataclass(frozen=True)
class Register:
    """`read` raises Missing; `check` raises Blocked when what has our number is something else."""

    kind: str
    number_field: str
    read: Callable[[str], Any]
    create: Callable[[Payload], Any]
    update: Callable[[str, Payload], Any]
    check: Callable[[Any], None] = lambda _record: None


@dataclass(frozen=True)
class Record:
    """What is to stand in the target; `carried`: what else of it later benches want to know."""

    severa_id: str
    number: str
    name: str
    content: BaseModel
    carried: Payload


def carry_over(sides: Sides, item: Item, register: Register, record: Record) -> Link:
    """Creates, links or updates; the link tells what was carried over."""
    payload = frozen(record.content)
    with sides.db.transaction() as tx:
        worklist.describe(tx, item.id, source=f"{record.number} {record.name}")
        known = links.of_severa(tx, sides.name, register.kind, record.severa_id)
    if known is None:
        return _create(sides, item, register, record, payload)
    payload[register.number_field] = known.fortnox_id
    if known.carried.get("payload") == payload:
        return known
    intent = Intent(
        sides.name,
        item.id,
        "fortnox",
        f"update_{register.kind}",
        f"{register.kind}:{known.fortnox_id}",
        payload,
        creates=False,
    )
    change(
        sides, intent, lambda: register.update(known.fortnox_id, payload), number=known.fortnox_id
    )
    return _remember(sides, item, register, record, payload, f"updated_{register.kind}")


def _create(sides: Sides, item: Item, register: Register, record: Record, payload: Payload) -> Link:
    ref = f"{register.kind}:{record.number}"
    creation: Creation[Any] = Creation(
        Intent(sides.name, item.id, "fortnox", f"create_{register.kind}", ref, payload),
        look=lambda: _look(register, record.number),
        send=register.create,
        number=lambda _answer: record.number,
        unique=True,
    )
    created = create(sides, item, creation)
    what = "created" if created.answer is not None else "linked"
    return _remember(sides, item, register, record, payload, f"{what}_{register.kind}")


def _look(register: Register, number: str) -> Found | None:
    try:
        register.check(register.read(number))
    except Missing:
        return None
    return Found(number)


def _remember(  # noqa: PLR0913 - one sentence with six parts
    sides: Sides, item: Item, register: Register, record: Record, payload: Payload, what: str
) -> Link:
    number = payload[register.number_field]
    carried = record.carried | {"payload": payload}
    link = Link(register.kind, record.severa_id, number, carried)
    if sides.plan is None:
        with sides.db.transaction() as tx:
            now = sides.clock()
            links.remember(tx, sides.name, link, now)
            worklist.describe(tx, item.id, target_id=number, target=number)
            journal.write(tx, sides.name, item.id, what, now, number=number, name=record.name)
    return link
