"""Many rows set going at once, and taken back as long as nobody else wants them and none has begun.

A row that somebody else wants too, before or since, is none of the batch's to take back: no event
is lost with it. So each is noted as it stood before, and by which count it is wanted.
"""

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection as Tx
from sqlalchemy import Row, Select, delete, insert, select, update

from app import journal, waiting, worklist
from app.errors import because
from app.models import batch_rows, work
from app.worklist import BACKGROUND, Want

AT_ONCE = 200
SETTLED = ("waiting", "blocked", "failed", "done", "skipped")
# Of these it can be asked whether they have come meanwhile. Of a register in Fortnox nobody
# remembers it: who waited for one runs, rather than miss it.
REMEMBERED = ("work:", "outage:", "connection")


def want(tx: Tx, batch: str, wants: Sequence[Want], now: datetime) -> None:
    """As `worklist.enqueue`; all are of one connection and kind."""
    if not wants:
        return
    connection, kind = wants[0].connection, wants[0].kind
    found = _rows(connection).where(work.c.kind == kind, work.c.key.in_([one.key for one in wants]))
    before = tx.execute(found).all()
    marked = worklist.enqueue(tx, wants, now)
    _note(tx, connection, batch, marked.values(), before)


def retry(tx: Tx, connection: str, batch: str, row_ids: Sequence[str], now: datetime) -> int:
    """As `worklist.retry`, behind everything else; answers how many rows."""
    before = tx.execute(_rows(connection).where(work.c.id.in_(row_ids))).all()
    mine = [row.id for row in before]
    worklist.retry(tx, mine, now, BACKGROUND)
    tx.execute(
        update(work).where(work.c.connection == connection, work.c.id.in_(mine)).values(batch=batch)
    )
    _note(tx, connection, batch, mine, before)
    return len(mine)


def take_back(
    tx: Tx, connection: str, batch: str, now: datetime, most: int = AT_ONCE
) -> tuple[int, bool]:
    """Puts some rows back to how they stood: how many, and whether there may be more to look at."""
    noted = tx.execute(
        select(batch_rows, work.c.state.label("stands"), work.c.wanted.label("by_now"))
        .join(work, work.c.id == batch_rows.c.work_id)
        .where(batch_rows.c.connection == connection, batch_rows.c.batch == batch)
        .where(work.c.connection == connection)
        .order_by(batch_rows.c.work_id)
        .limit(most)
        .with_for_update()
    ).all()
    mine = [one for one in noted if _is_ours(tx, one)]
    for one in mine:
        _put_back(tx, one, now)
    forget(tx, connection, batch, [one.work_id for one in noted])
    return len(mine), len(noted) == most


def forget(tx: Tx, connection: str, batch: str, row_ids: Collection[str] | None = None) -> None:
    """What is over cannot be taken back any more."""
    noted = delete(batch_rows).where(
        batch_rows.c.connection == connection, batch_rows.c.batch == batch
    )
    tx.execute(noted if row_ids is None else noted.where(batch_rows.c.work_id.in_(row_ids)))


def _rows(connection: str) -> Select[Any]:
    """Kept for us until they are noted, in the order in which everybody takes them."""
    rows = select(work).where(work.c.connection == connection)
    return rows.order_by(work.c.kind, work.c.key).with_for_update()


def _note(
    tx: Tx, connection: str, batch: str, row_ids: Iterable[str], before: Sequence[Row[Any]]
) -> None:
    stood = {row.id: row for row in before}
    ids = list(row_ids)
    now = tx.execute(
        select(work.c.id, work.c.wanted, work.c.received_at).where(
            work.c.connection == connection, work.c.id.in_(ids)
        )
    ).all()
    noted = [
        {
            "batch": batch,
            "work_id": row.id,
            "connection": connection,
            "wanted": row.wanted,
            "state": stood[row.id].state if row.id in stood else None,
            "due_at": stood[row.id].due_at if row.id in stood else None,
            "waits_for": stood[row.id].waits_for if row.id in stood else None,
            "received_at": stood[row.id].received_at if row.id in stood else row.received_at,
        }
        for row in now
        if (stood[row.id].state in SETTLED if row.id in stood else row.wanted == 1)
    ]
    if noted:
        forget(tx, connection, batch, [one["work_id"] for one in noted])
        tx.execute(insert(batch_rows), noted)


def _is_ours(tx: Tx, one: Row[Any]) -> bool:
    if one.stands != "queued" or one.by_now != one.wanted:
        return False
    if not one.waits_for:
        return True
    known = one.waits_for.startswith(REMEMBERED)
    return known and not waiting.has_come(tx, one.connection, one.waits_for, one.state)


def _put_back(tx: Tx, one: Row[Any], now: datetime) -> None:
    values = {
        "state": one.state,
        "due_at": one.due_at,
        "waits_for": one.waits_for,
        "received_at": one.received_at,
        "batch": None,
    }
    if one.state is None:
        reason = because("taken_back_by_person")
        told = {"code": reason.code, "facts": reason.facts}
        values |= {"state": "skipped", "reason": told, "settled_at": now}
    tx.execute(
        update(work)
        .where(work.c.connection == one.connection, work.c.id == one.work_id)
        .values(values)
    )
    journal.write(tx, one.connection, one.work_id, "put_back_by_person", now)
