"""Travel expense types: a short list, compared whole, because not every Severa tells what changed.

Source: `changedSince` is on this list in newer documents only.
"""

import hashlib

from app.severa.schemas import Article
from app.sync.polls.keeping import keep, place_of, severa_event
from app.sync.sides import Sides
from app.worklist import Item


def sync(sides: Sides, item: Item) -> None:
    place = place_of(sides, item)
    known: dict[str, str] | None = place.get("known")
    listed = sides.severa.all_articles("travel_expense_type")
    found = {one.guid.lower(): _print(one) for one in listed}
    changed = changes(known, found)
    bodies = [severa_event("travel_expense_type.updated", guid) for guid in changed]
    keep(sides, item, bodies, place | {"known": found})


def changes(known: dict[str, str] | None, found: dict[str, str]) -> list[str]:
    """The first list is what there was; after that, whatever looks otherwise."""
    if known is None:
        return []
    return [guid for guid, print_ in found.items() if known.get(guid) != print_]


def _print(one: Article) -> str:
    return hashlib.sha256(one.model_dump_json().encode()).hexdigest()[:16]
