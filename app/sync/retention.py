"""Forgets what is older than the retention time, in small commits that hold nobody up."""

import structlog

from app import retention
from app.links import Link
from app.sync.sides import Sides
from app.worklist import Item

log = structlog.get_logger()


def sync(sides: Sides, _item: Item) -> Link | None:
    """Until nothing is left; cut off, it goes on where it was in the next run."""
    with sides.db.reading() as tx:
        names = retention.served_by(tx, sides.name)
    before = retention.limits(sides.clock(), sides.retention)
    forgotten = 0
    while some := _forget_some(sides, names, before):
        forgotten += some
    if forgotten:
        log.info("retention.forgotten", connection=sides.name, rows=forgotten)
    return None


def _forget_some(sides: Sides, names: list[str], before: retention.Limits) -> int:
    with sides.db.transaction() as tx:
        return retention.forget(tx, names, before)
