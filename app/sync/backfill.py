"""Wants every record of a register, page by page; resumable, because wanting twice is once."""

from collections.abc import Iterator

from app import backfills, batches
from app.links import Link
from app.severa.client import ARTICLE_REGISTERS
from app.sync.sides import Sides
from app.worklist import BACKGROUND, Item, Want

AT_ONCE = 100


def sync(sides: Sides, item: Item) -> Link | None:
    """`item.key`: the id of the backfill."""
    with sides.db.reading() as tx:
        backfill = backfills.find(tx, sides.name, item.key)
    if backfill is None or backfill.cancelled_at:
        return None
    found = list(keys(sides, backfill.kind, backfill.direction))
    for first in range(0, len(found), AT_ONCE):
        page = found[first : first + AT_ONCE]
        with sides.db.transaction() as tx:
            if backfills.is_cancelled(tx, item.key):
                return None
            known = backfills.wanted(tx, item.key, backfill.kind, page)
            wants = [
                Want(sides.name, backfill.kind, key, BACKGROUND, batch=item.key)
                for key in page
                if key not in known
            ]
            batches.want(tx, item.key, wants, sides.clock())
    with sides.db.transaction() as tx:
        backfills.listed(tx, item.key, sides.clock())
    return None


def keys(sides: Sides, kind: str, direction: str) -> Iterator[str]:
    """The keys of the work list for every record of the register, in the register's own order."""
    severa, fortnox = sides.severa, sides.fortnox
    if (kind, direction) == ("customer", "fortnox_to_severa"):
        yield from (f"fortnox:{one.customer_number}" for one in fortnox.all_customers())
    elif (kind, direction) == ("product", "fortnox_to_severa"):
        yield from (f"fortnox:{one.article_number}" for one in fortnox.all_articles())
    elif kind == "project_fee":
        listed = fortnox.all_supplier_invoices()
        yield from (one.given_number for one in listed if one.booked and not one.cancelled)
    elif kind == "customer":
        yield from (one.guid.lower() for one in severa.all_customers())
    elif kind == "project":
        yield from (one.guid.lower() for one in severa.all_projects())
    elif kind == "product":
        for register in ARTICLE_REGISTERS:
            yield from (f"{register}:{one.guid.lower()}" for one in severa.all_articles(register))
    elif kind == "invoice" and (status := sides.document.invoice_statuses.transfer):
        yield from (one.guid.lower() for one in severa.invoices_in_status(status))
