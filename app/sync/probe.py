"""Does the vendor answer again? Asked by itself while an outage or a stopped connection lasts."""

from datetime import timedelta

from app import connections, outages, waiting
from app.errors import TryLater, VendorError, because
from app.links import Link
from app.outages import PROBE_EVERY
from app.sync.sides import Sides
from app.worklist import Item

STOPPED_PROBE_EVERY = timedelta(minutes=5)


def sync(sides: Sides, item: Item) -> Link | None:
    """`item.key`: severa or fortnox. When it answers, all that waited for it is due at once."""
    window = sides.severa if item.key == "severa" else sides.fortnox
    stopped = sides.connection.stopped
    try:
        window.is_alive()
    except VendorError as error:
        raise TryLater(
            because("vendor_silent", system=item.key, words=error.words),
            after=STOPPED_PROBE_EVERY if stopped else PROBE_EVERY,
        ) from error
    with sides.db.transaction() as tx:
        now = sides.clock()
        outages.note_answer(tx, sides.name, window.system, now)
        if stopped and stopped.facts.get("system") == item.key:
            connections.resume(tx, sides.name, now)
            waiting.wake(tx, sides.name, connections.WAITING, now)
    return None
