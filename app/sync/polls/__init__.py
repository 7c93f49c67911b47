"""The third door: asks both systems what has changed, for a company that has nothing else.

A poll is a row of the work list like everything that happens later: kind `poll`, key
`<system>:<register>`, due again after each run (rhythm.py), put there by the sweeper (planting.py).
"""

from collections.abc import Callable, Mapping

from app.errors import ConnectionBlocked, Ending
from app.sync.polls import (
    fortnox_invoices,
    fortnox_records,
    mending,
    severa_invoices,
    severa_records,
    travel_types,
)
from app.sync.sides import Sides
from app.worklist import Item

POLLS: Mapping[str, Callable[[Sides, Item], None]] = {
    "severa:invoices": severa_invoices.sync,
    "severa:customers": severa_records.sync,
    "severa:addresses": severa_records.sync,
    "severa:products": severa_records.sync,
    "severa:work_types": severa_records.sync,
    "severa:travel_expense_types": travel_types.sync,
    "severa:projects": severa_records.sync,
    "fortnox:invoices": fortnox_invoices.modified,
    "fortnox:final_payments": fortnox_invoices.final_payments,
    "fortnox:customers": fortnox_records.sync,
    "fortnox:articles": fortnox_records.sync,
    "fortnox:supplier_invoices": fortnox_records.sync,
    "fortnox:registers": mending.sync,
}
NEEDED = {"severa:invoices", "fortnox:invoices"}  # without these nothing is carried over at all
OWN_LOSS = {
    "fortnox_licence_missing",
    "fortnox_right_missing",
    "fortnox_scope_missing",
    "severa_addon_missing",
    "severa_permission_denied",
    "severa_scope_missing",
}


def sync(sides: Sides, item: Item) -> None:
    POLLS[item.key](sides, item)


def stops_connection(item: Item, ending: Ending) -> bool:
    """A register that a company has no licence for, and no use of, stops nothing else."""
    is_for_all = item.key in NEEDED or ending.reason.code not in OWN_LOSS
    return isinstance(ending, ConnectionBlocked) and is_for_all
