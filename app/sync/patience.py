"""What mends itself as a rule is waited for; what has not within an hour is told to people."""

from datetime import timedelta

from app import overview
from app.errors import Blocked, Ending, Reason, TryLater
from app.sync.sides import Sides
from app.worklist import Item

PATIENCE = timedelta(hours=1)


def waited_for(sides: Sides, item: Item, meanwhile: Reason, told: Reason) -> Ending:
    """TryLater with `meanwhile`; Blocked with `told` after an hour of it, and from then on.

    What went wrong in that hour for another reason does not count: the last run must have ended
    with `meanwhile` as well.
    """
    with sides.db.reading() as tx:
        _, last = overview.standing(tx, item.connection, item.kind, item.key)
    code, since = last.code if last else "", item.failing_since
    is_long = since is not None and sides.clock() - since >= PATIENCE
    if code == told.code or (code == meanwhile.code and is_long):
        return Blocked(told)
    return TryLater(meanwhile)
