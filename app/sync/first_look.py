"""The look before a first attempt, made once for many invoices.

Before we send for the first time, nothing of ours can be in Fortnox, unless this database is an
old copy: then what was made since the copy is there under our references. One list shows that for
every invoice that waits. First all of ours are listed; from then on what was changed since the
last look, with an overlap. Where a reference is listed, or anything is doubtful, Fortnox is asked
for that very reference, as after an attempt of unknown outcome.

A look counts for ten seconds, and for a process only after it has looked itself: a database that
was exchanged under the others has ended their locks, and the processes with them.
"""

from datetime import timedelta

import structlog

from app import looks, turns
from app.columns import EPOCH
from app.fortnox.poll import OVERLAP, wall_time
from app.looks import NEVER, Look
from app.sync.sides import Sides
from app.tokens import fingerprint

log = structlog.get_logger()

PREFIX = "severa:"
FRESH = timedelta(seconds=10)
SHOWN_AFTER = timedelta(minutes=2)  # what was made is listed by then, with a margin
LONG_AGO = timedelta(days=1)  # so much may take many pages, which few invoices are not worth
BUNCH = 10
PATIENCE = 5.0  # seconds that a thread waits for another one's look


def is_surely_new(sides: Sides, reference: str) -> bool:
    """Whether no invoice bears this reference; False: that very reference has to be asked for."""
    if not sides.is_alone():  # what another connection has just made is in no look of ours
        return False
    if not sides.together.looking.acquire(timeout=PATIENCE):
        return False
    try:
        look = _latest(sides)
    finally:
        sides.together.looking.release()
    return look.looked_at is not None and reference not in look.strangers


def _latest(sides: Sides) -> Look:
    with sides.db.reading() as tx:
        known = looks.find(tx, sides.name, _company(sides))
    if sides.together.has_looked and _is_younger(sides, known, FRESH):
        return known
    if not _is_worth_it(sides, known):
        return NEVER
    with sides.db.transaction() as tx:
        is_mine = looks.begin(tx, sides.name, _company(sides), sides.clock())
    if is_mine:
        return _look(sides, known)
    return known if sides.together.has_looked and _is_younger(sides, known, 2 * FRESH) else NEVER


def _is_younger(sides: Sides, look: Look, age: timedelta) -> bool:
    """One of the future is none: then somebody's clock is wrong."""
    if look.looked_at is None:
        return False
    return -timedelta(seconds=1) <= sides.clock() - look.looked_at <= age


def _is_worth_it(sides: Sides, known: Look) -> bool:
    """A first list is believed only where it can be tried, and takes pages that must pay."""
    now = sides.clock()
    if known.looked_at is not None and now - known.looked_at <= LONG_AGO:
        return True
    with sides.db.reading() as tx:
        can_be_tried = known.looked_at or looks.witness(tx, sides.name, EPOCH, now - SHOWN_AFTER)
        return bool(can_be_tried) and len(turns.coming(tx, sides.name, "invoice", now)) >= BUNCH


def _look(sides: Sides, known: Look) -> Look:
    """By what was changed since the look that is known, or else by all of ours."""
    now = sides.clock()
    since = min(known.looked_at, now) - OVERLAP if known.looked_at else EPOCH
    with sides.db.reading() as tx:
        witness = looks.witness(tx, sides.name, since + OVERLAP / 5, now - SHOWN_AFTER)
    if since == EPOCH:
        listed = sides.fortnox.invoices_with_prefix(PREFIX)
    else:
        listed = sides.fortnox.invoices_modified(wall_time(since))
    references = {one.external_invoice_reference1 or "" for one in listed}
    if witness is not None and witness not in references:
        log.warning("look.not_believed", connection=sides.name, reference=witness)
        with sides.db.transaction() as tx:
            looks.disbelieve(tx, sides.name)
        return NEVER
    ours = {one for one in references if one.startswith(PREFIX)} | known.strangers
    with sides.db.transaction() as tx:
        look = looks.keep(tx, sides.name, _company(sides), now, ours)
    sides.together.has_looked = True
    return look


def _company(sides: Sides) -> str:
    """Whose books they are; a new consent may have been given by another company."""
    access, consented = sides.document.fortnox, str(sides.connection.consented_at or "")
    return fingerprint(access.client_id, access.tenant_id, consented)
