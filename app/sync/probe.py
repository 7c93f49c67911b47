"""Does the vendor answer again? Asked by itself while an outage or a stopped connection lasts.

Where a connection was stopped for a scope, a licence or a right, the very call that was refused is
tried: the vendor answers others all the while, and to go on would only stop it again.
"""

from datetime import timedelta

from app import connections, outages, waiting
from app.errors import ConnectionBlocked, Missing, Reason, Refused, TryLater, VendorError, because
from app.fortnox.client import Fortnox
from app.links import Link
from app.outages import PROBE_EVERY
from app.severa.client import Severa
from app.sync.refusals import ending_of
from app.sync.sides import Sides
from app.worklist import Item

STOPPED_PROBE_EVERY = timedelta(minutes=5)


def sync(sides: Sides, item: Item) -> Link | None:
    """`item.key`: severa or fortnox. When it answers, all that waited for it is due at once."""
    window = sides.severa if item.key == "severa" else sides.fortnox
    stopped = sides.connection.stopped
    is_ours = stopped is not None and stopped.facts.get("system") == item.key
    try:
        window.is_alive()
        if stopped is not None and is_ours:
            _try_again(window, stopped)
    except VendorError as error:
        raise TryLater(
            because("vendor_silent", system=item.key, words=error.words),
            after=STOPPED_PROBE_EVERY if stopped else PROBE_EVERY,
        ) from error
    with sides.db.transaction() as tx:
        now = sides.clock()
        outages.note_answer(tx, sides.name, window.system, now)
        if is_ours:
            connections.resume(tx, sides.name, now)
            waiting.wake(tx, sides.name, connections.WAITING, now)
    return None


def _try_again(window: Severa | Fortnox, stopped: Reason) -> None:
    """A refusal for any other reason is an answer as well: the call is allowed."""
    at = stopped.facts.get("at")
    if at is None:
        return
    try:
        window.may(at)
    except Missing:
        return
    except Refused as error:
        if isinstance(ending_of(error), ConnectionBlocked):
            raise
