"""An invoice of ours as Fortnox shows it, which may be some seconds behind what was written.

Fortnox's API deletes no invoice, so one of ours that is not found is looked for again by itself.
After an hour people are told: it was taken away, or this is not the company that it was made in.
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

from app import effects, links
from app.errors import Missing, TryLater, because
from app.sync.patience import waited_for
from app.sync.sides import Sides
from app.worklist import Item

LAG = timedelta(minutes=1)  # nothing is documented: longer than integrators tell of
AGAIN = timedelta(seconds=10)
ABOUT_INVOICE = re.compile(r" /3/invoices/([^/?]+)")
NO_INVOICE = ("", "2000434", "document_not_found")  # other codes tell of what an invoice names


@contextmanager
def looked_for(sides: Sides, item: Item) -> Iterator[None]:
    """A 404 on an invoice of ours, whatever was asked of it, is waited for; not for ever."""
    try:
        yield
    except Missing as error:
        number = _missing_invoice(sides, item, error)
        if number is None:
            raise
        meanwhile = because("invoice_not_shown_yet", number=number)
        told = because("own_invoice_gone", number=number)
        raise waited_for(sides, item, meanwhile, told) from error


def wait_for_our_write(sides: Sides, number: str) -> None:
    """TryLater where what was read may be from before our last write to this invoice."""
    with sides.db.reading() as tx:
        names = {number, f"invoice:{number}"}
        is_fresh = effects.touched_since(tx, sides.name, names, sides.clock() - LAG)
    if is_fresh:
        raise TryLater(because("invoice_not_shown_yet", number=number), after=AGAIN)


def _missing_invoice(sides: Sides, item: Item, error: Missing) -> str | None:
    """The number that was asked for; None where the 404 is about something else."""
    if error.system != "fortnox" or error.code not in NO_INVOICE:
        return None
    asked = ABOUT_INVOICE.search(error.at)
    if asked is not None:
        return asked.group(1)
    if error.code != "document_not_found":
        return None
    with sides.db.reading() as tx:
        link = links.of_severa(tx, sides.name, "invoice", item.key)
    return link.fortnox_id if link else None
