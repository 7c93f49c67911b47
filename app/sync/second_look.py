"""An event may come before what it tells of can be read: then the record is looked at again.

Integrators of Fortnox read once more after half a second to some seconds; nothing is documented. So
a run to which a fresh event led, and which found nothing to carry over, is repeated 2 and 10
seconds after the event; what shows even later is found by the polls. No look is spent on an event
that is answered already: something was carried over for the record since a little before it came,
or we wrote to the record ourselves and the event is the echo of that.
"""

from dataclasses import replace
from datetime import datetime, timedelta

from app import effects, inbox, journal
from app.db import Tx
from app.worklist import Item, Settlement

LOOKS = (timedelta(seconds=2), timedelta(seconds=10))  # after the newest event
TOGETHER = timedelta(seconds=5)  # one change is told in several events


def arranged(tx: Tx, item: Item, settlement: Settlement, now: datetime) -> Settlement:
    """The settlement, due again where another look is worth it."""
    if not _found_nothing(settlement) or settlement.due_at is not None:
        return settlement
    told = inbox.last_told(tx, item.id)
    if told is None or now >= told + LOOKS[-1] or _is_answered(tx, item, told - TOGETHER):
        return settlement
    return replace(settlement, due_at=next(told + wait for wait in LOOKS if told + wait > now))


def _found_nothing(settlement: Settlement) -> bool:
    """A record that is not there may only not be there yet."""
    if settlement.state == "blocked":
        return settlement.reason is not None and settlement.reason.facts.get("status") == "404"
    return settlement.state in ("done", "skipped")


def _is_answered(tx: Tx, item: Item, since: datetime) -> bool:
    if journal.said_since(tx, item.id, since):
        return True
    names = {item.key, item.key.rpartition(":")[2]}
    return effects.touched_since(tx, item.connection, names, since)
