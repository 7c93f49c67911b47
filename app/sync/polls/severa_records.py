"""Severa's registers, by `changedSince`; a changed address is a change of its customer."""

from app.severa.poll import Window, news, stamp_of
from app.severa.schemas import Changed
from app.sync.polls.keeping import Body, keep, place_of, severa_event
from app.sync.sides import Sides
from app.worklist import Item

ENTITIES = {
    "addresses": "customer",
    "customers": "customer",
    "products": "product",
    "projects": "project",
    "work_types": "work_type",
}


def sync(sides: Sides, item: Item) -> None:
    register = item.key.partition(":")[2]
    window, began = Window.read(place_of(sides, item)), sides.clock()
    changed = sides.severa.changed(register, window.asked_from)
    new, window = news(window, changed, began)
    bodies = {guid: _event(register, guid, one) for one in new if (guid := _guid(register, one))}
    keep(sides, item, list(bodies.values()), window.place())


def _guid(register: str, one: Changed) -> str:
    if register != "addresses":
        return one.guid
    return one.customer.guid.lower() if one.customer else ""


def _event(register: str, guid: str, one: Changed) -> Body:
    return severa_event(f"{ENTITIES[register]}.updated", guid, stamp_of(one))
