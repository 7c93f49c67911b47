"""What every kind of record has in common: how it is made, changed and removed."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

from app.sandbox.severa.fields import Field
from app.sandbox.severa.problems import Problem
from app.sandbox.severa.veil import Record
from app.sandbox.severa.world import World


def _nobody(_: Record) -> Iterable[str]:
    return ()


def _nothing(_: World, __: Record) -> None:
    return None


def _no_change(_: World, __: Record, ___: Record) -> None:
    return None


@dataclass(frozen=True)
class Entity:
    """`blank`: properties that only Severa fills; `event`: its name in notifications, and
    `part_of` the guid that is told instead of its own, as `updated`.

    `born` completes a new record, `settled` adds what belongs to it; `changing` adds to the
    changes or refuses them, `guard` does so for clients only; `changed` and `removing` carry on
    to other records; `used_in` names (table, property) pairs that forbid removal; `aliases` are
    other paths of patches.
    """

    table: str
    fields: Mapping[str, Field]
    blank: Mapping[str, Any]
    event: str = ""
    part_of: Callable[[Record], str] | None = None
    stamped: bool = True
    parents: Callable[[Record], Iterable[str]] = _nobody
    born: Callable[[World, Record], None] = _nothing
    settled: Callable[[World, Record], None] = _nothing
    guard: Callable[[World, Record, Record], None] = _no_change
    changing: Callable[[World, Record, Record], None] = _no_change
    changed: Callable[[World, Record], None] = _nothing
    removing: Callable[[World, Record], None] = _nothing
    used_in: tuple[tuple[str, str], ...] = ()
    aliases: Mapping[str, str] = field(default_factory=dict)


def announcement(entity: Entity, verb: str, record: Record) -> tuple[str, str] | None:
    """(event, guid) of a change, if anybody is told of such records."""
    if not entity.event:
        return None
    if entity.part_of:
        return f"{entity.event}.updated", entity.part_of(record)
    return f"{entity.event}.{verb}", record["guid"]


def create(
    world: World, entity: Entity, given: Mapping[str, Any], guid: str | None = None
) -> Record:
    lowered = {name.lower(): value for name, value in given.items()}
    record = {**entity.blank, "guid": guid or str(uuid4())}
    for name, kind in entity.fields.items():
        record[name] = kind.parse(world, name, lowered.get(name.lower()))
    entity.born(world, record)
    parents = list(entity.parents(record))
    world.insert(entity.table, record, parents, stamped=entity.stamped)
    entity.settled(world, record)
    return record


def apply(world: World, entity: Entity, record: Record, changes: Record) -> Record:
    if changes:
        entity.changing(world, record, changes)
        before = set(entity.parents(record))
        world.change(record, **changes)
        _move(world, entity, record, before)
        entity.changed(world, record)
    return record


def _move(world: World, entity: Entity, record: Record, before: set[str]) -> None:
    after = set(entity.parents(record))
    for parent in before - after:
        world.release(entity.table, record, parent)
    for parent in after - before:
        world.adopt(entity.table, record, parent)


def parse_changes(world: World, entity: Entity, given: Mapping[str, Any]) -> Record:
    known = {name.lower(): name for name in entity.fields}
    changes = {}
    for word, value in given.items():
        name = known.get(word.lower())
        if name is None:
            raise Problem("InvalidParameter", f"There is no field '{word}' to change.", name=word)
        changes[name] = entity.fields[name].parse(world, name, value)
    return changes


def remove(world: World, entity: Entity, record: Record) -> None:
    for table, path in entity.used_in:
        if any(_points_at(other.get(path), record["guid"]) for other in world.all(table)):
            raise Problem("InvalidOperation", f"It is in use by {table}.", "PathParameter", "guid")
    entity.removing(world, record)
    world.remove(entity.table, record)


def _points_at(value: Any, guid: str) -> bool:
    if isinstance(value, list):
        return any(_points_at(part, guid) for part in value)
    return isinstance(value, dict) and value.get("guid") == guid
