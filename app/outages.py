"""A vendor that does not answer: counted per connection; after a few, it is probed, not flooded.

closed → (three calls in a row without an answer) → open → a probe is answered → closed, and
everything that waited for it is due at once.
"""

from datetime import datetime, timedelta

from sqlalchemy import Connection as Tx
from sqlalchemy import case, delete, select

from app import waiting, worklist
from app.columns import at
from app.db import upsert
from app.errors import System
from app.models import outages
from app.worklist import Want

OPENS_AFTER = 3
PROBE_EVERY = timedelta(seconds=3)


def waiting_key(system: str) -> str:
    return f"outage:{system}"


def note_failure(tx: Tx, connection: str, system: System, now: datetime) -> None:
    statement = upsert(tx, outages).values(
        connection=connection, system=system, failures=1, since=now
    )
    row = tx.execute(
        statement.on_conflict_do_update(
            index_elements=[outages.c.connection, outages.c.system],
            set_={
                "failures": outages.c.failures + 1,
                "probe_at": case((outages.c.failures + 1 >= OPENS_AFTER, at(now)), else_=None),
            },
        ).returning(outages.c.failures)
    ).one()
    if row.failures >= OPENS_AFTER:
        worklist.enqueue(tx, [Want(connection, "probe", system)], now)


def note_answer(tx: Tx, connection: str, system: System, now: datetime) -> int:
    """It answers again; tells how many rows it set free."""
    tx.execute(
        delete(outages).where(outages.c.connection == connection, outages.c.system == system)
    )
    return waiting.wake(tx, connection, waiting_key(system), now)


def known(tx: Tx, connection: str) -> dict[System, bool]:
    """The vendors that did not answer lately, and whether they are left alone by now."""
    rows = tx.execute(select(outages).where(outages.c.connection == connection))
    return {row.system: row.failures >= OPENS_AFTER for row in rows}
