"""An invoice of ours as Fortnox shows it, which may be some seconds behind what was written.

Invoices are never deleted in Fortnox: one of ours that is not found is not shown yet.
"""

from datetime import timedelta

from app import effects
from app.errors import Missing, TryLater, because
from app.fortnox import schemas as fortnox
from app.sync.sides import Sides

LAG = timedelta(minutes=1)  # nothing is documented: longer than integrators tell of
AGAIN = timedelta(seconds=10)


def shown(sides: Sides, number: str) -> fortnox.Invoice:
    try:
        return sides.fortnox.invoice(number)
    except Missing as error:
        raise not_yet(number) from error


def not_yet(number: str) -> TryLater:
    return TryLater(because("invoice_not_shown_yet", number=number))


def wait_for_our_write(sides: Sides, number: str) -> None:
    """TryLater where what was read may be from before our last write to this invoice."""
    with sides.db.reading() as tx:
        names = {number, f"invoice:{number}"}
        is_fresh = effects.touched_since(tx, sides.name, names, sides.clock() - LAG)
    if is_fresh:
        raise TryLater(because("invoice_not_shown_yet", number=number), after=AGAIN)
