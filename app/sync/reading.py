"""An invoice as it stands in Severa now; of many that are due, all are read in few calls.

One that was read ahead counts for a quarter of a minute, and only if nobody has told of it since
before it was read: its row was wanted just as often then. Whoever tells of a change in between,
or asks for a retry, has it read anew.
"""

from collections.abc import Callable, Iterable, Mapping
from datetime import timedelta

from app import links, turns
from app.links import Link
from app.severa.schemas import Invoice
from app.sync.sides import Page, Sides
from app.worklist import Item

FRESH = timedelta(seconds=15)
BUNCH = 10
TOO_MANY = 2000  # the pages of so many cost more than what is served of them in that time
PATIENCE = 5.0  # seconds that a thread waits for another one's reading
NUMBERS = 100  # in one query
MOST_PAID = 200  # no more payments come through in that time
NUMBER = "ExternalInvoiceReference2"

Read = Callable[[Sides, Mapping[str, int]], Page]


def to_carry(sides: Sides, item: Item) -> Invoice:
    """The invoice of this row. Missing: it is not there."""
    return _ahead(sides, item, item.key, _in_transfer) or sides.severa.invoice(item.key)


def to_pay(sides: Sides, item: Item, link: Link) -> Invoice:
    """The invoice whose payment this row is. Missing: it is not there."""
    return _ahead(sides, item, link.severa_id, _carried_over) or sides.severa.invoice(
        link.severa_id
    )


def _ahead(sides: Sides, item: Item, guid: str, read: Read) -> Invoice | None:
    if sides.plan is not None:
        return None
    wanted, known = _page(sides, item.kind, read).invoices.get(guid, (0, None))
    return known if wanted == item.wanted else None


def _page(sides: Sides, kind: str, read: Read) -> Page:
    pages = sides.together.pages
    if not sides.together.reading.acquire(timeout=PATIENCE):
        return Page()
    try:
        read_at, now = pages.get(kind, Page()).read_at, sides.clock()
        if read_at is None or not timedelta(0) <= now - read_at <= FRESH:
            with sides.db.reading() as tx:
                due = turns.coming(tx, sides.name, kind, now, most=TOO_MANY)
            pages[kind] = read(sides, due) if BUNCH <= len(due) < TOO_MANY else Page()
        return pages[kind]
    finally:
        sides.together.reading.release()


def _in_transfer(sides: Sides, due: Mapping[str, int]) -> Page:
    """By the status, which is the queue: Severa's lists are filtered by no GUID."""
    now, transfer = sides.clock(), sides.document.invoice_statuses.transfer
    found = sides.severa.invoices_in_status(transfer) if transfer else []
    return Page(now, dict(_known(found, due)))


def _carried_over(sides: Sides, due: Mapping[str, int]) -> Page:
    """By the numbers that went along to Fortnox."""
    now, some = sides.clock(), list(due)[:MOST_PAID]
    with sides.db.reading() as tx:
        carried = links.of_many(tx, sides.name, "invoice", some)
    sent = [one.carried.get("payload") or {} for one in carried.values()]
    numbers = [one[NUMBER] for one in sent if NUMBER in one]
    found: list[Invoice] = []
    for first in range(0, len(numbers), NUMBERS):
        found += sides.severa.invoices_numbered(numbers[first : first + NUMBERS])
    return Page(now, dict(_known(found, {carried[key].severa_id: due[key] for key in carried})))


def _known(
    found: Iterable[Invoice], wanted: Mapping[str, int]
) -> Iterable[tuple[str, tuple[int, Invoice]]]:
    return ((g, (wanted[g], one)) for one in found if (g := one.guid.lower()) in wanted)
