"""What rows of the work list wait for, and how they are woken when it has come."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection as Tx
from sqlalchemy import Select, select, update

from app import cursors
from app.models import connections, outages, work

MENDED = "mended"  # the cursor that says when something was last seen to be mended

# Whom the end of a record sets free. One that was skipped is still missing: who is blocked for want
# of it would only look at it again, and two of those would wake each other for ever.
FREES = {"done": ("waiting", "blocked"), "skipped": ("waiting",)}
# What may have changed a record so that it contradicts another one no longer. One that was blocked
# has not, and two that are would wake each other for ever.
CHANGES = ("done", "skipped")


def waiting_key(kind: str, key: str) -> str:
    """What a row waits for when it needs another row to go through first."""
    return f"work:{kind}:{key}"


def changed_key(kind: str, key: str) -> str:
    """What a row waits for that contradicts another record: a change of that one, whatever it is.

    Of products the key may be `fortnox:<number>` too: the article that bears that number.
    """
    return f"changed:{kind}:{key}"


def wake(
    tx: Tx, connection: str, waits_for: str, now: datetime, states: Sequence[str] = FREES["done"]
) -> int:
    """Everything that waited for this is due at once; answers how many rows."""
    return tx.execute(
        update(work)
        .where(work.c.connection == connection, work.c.waits_for == waits_for)
        .where(work.c.state.in_(states))
        .values(state="queued", due_at=now, waits_for=None)
    ).rowcount


def wake_older(tx: Tx, connection: str, waits_for: str, before: datetime, now: datetime) -> int:
    """The same for those only whose last run began before: they may have looked too early."""
    return tx.execute(
        update(work)
        .where(work.c.connection == connection, work.c.waits_for == waits_for)
        .where(work.c.state.in_(FREES["done"]), work.c.started_at < before)
        .values(state="queued", due_at=now, waits_for=None)
    ).rowcount


def waited_for(tx: Tx, connection: str, prefix: str) -> list[str]:
    """What some row waits for, of all that begins so."""
    found = work.c.waits_for.startswith(prefix, autoescape=True)
    return list(
        tx.scalars(
            select(work.c.waits_for).where(work.c.connection == connection, found).distinct()
        )
    )


def note_mended(tx: Tx, connection: str, now: datetime) -> None:
    """What any process has kept of the registers from before is not to be believed any more."""
    cursors.put(tx, connection, MENDED, now.isoformat(), now, told=False)


def mended(tx: Tx, connection: str) -> str:
    """When that was; empty: never."""
    return cursors.get(tx, connection, MENDED) or ""


def has_come(tx: Tx, connection: str, waits_for: str, state: str, work_id: str = "") -> bool:
    """What a row is about to wait for, in this state, may have come since it was looked at.

    `work_id`: the row; without it nothing is known of changes.
    """
    kind, _, which = waits_for.partition(":")
    if kind == "work":
        other, _, key = which.partition(":")
        rows = select(work.c.state).where(
            work.c.connection == connection, work.c.kind == other, work.c.key == key
        )
        states = _kept_still(tx, rows)
        return bool(states) and all(state in FREES.get(one, ()) for one in states)
    if kind == "changed":
        other, _, key = which.partition(":")
        rows = select(work.c.id).where(
            work.c.connection == connection, work.c.kind == other, work.c.key == key
        )
        began = select(work.c.started_at).where(work.c.id == work_id).scalar_subquery()
        changed = rows.where(work.c.state.in_(CHANGES), work.c.settled_at >= began)
        return bool(_kept_still(tx, changed))
    if kind == "outage":
        rows = select(outages.c.system).where(
            outages.c.connection == connection, outages.c.system == which
        )
        return not _kept_still(tx, rows)
    if kind == "connection":
        return None in _kept_still(
            tx, select(connections.c.stopped).where(connections.c.name == connection)
        )
    return False


def _kept_still(tx: Tx, rows: Select[Any]) -> Sequence[Any]:
    """Nobody may change them until we are written down as waiting: then the change wakes us."""
    return tx.scalars(rows.with_for_update(read=True)).all()
