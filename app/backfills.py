"""Carrying over a whole register, or all invoices that wait, and how far that has come."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import Connection as Tx
from sqlalchemy import Row, func, insert, or_, select, update

from app import batches, ids, worklist
from app.connections import Connection
from app.models import backfills, work
from app.worklist import BACKGROUND, Want

Direction = Literal["severa_to_fortnox", "fortnox_to_severa"]
Stage = Literal["listing", "running", "done", "cancelled"]
RETRY = "retry"  # the kind of a batch that no register is carried over with
WAYS: dict[str, tuple[Direction, ...]] = {
    "customer": ("severa_to_fortnox", "fortnox_to_severa"),
    "product": ("severa_to_fortnox", "fortnox_to_severa"),
    "project": ("severa_to_fortnox",),
    "invoice": ("severa_to_fortnox",),
    "project_fee": ("fortnox_to_severa",),
}


@dataclass(frozen=True)
class Progress:
    """`total` grows while the register is being read; `eta`: None until that can be said."""

    id: str
    connection: str
    kind: str
    direction: str
    state: Stage
    done: int
    failed: int
    total: int
    started_at: datetime
    finished_at: datetime | None
    eta: datetime | None


def start(tx: Tx, connection: str, kind: str, direction: str, now: datetime) -> Row[Any]:
    """One that is still under way for the same register is not started twice.

    That it has ended is noted when somebody looks: here too, or the next one would never begin.
    """
    running = tx.execute(
        select(backfills).where(
            backfills.c.connection == connection,
            backfills.c.kind == kind,
            backfills.c.direction == direction,
            backfills.c.finished_at.is_(None),
        )
    ).one_or_none()
    if running is not None and progress(tx, running, now).finished_at is None:
        return running
    made = _begun(tx, connection, kind, direction, now)
    worklist.enqueue(tx, [Want(connection, "backfill", made.id, BACKGROUND)], now)
    return made


def begin_retry(tx: Tx, connection: str, now: datetime) -> str:
    """The id of a batch of rows that a person runs again."""
    return str(_begun(tx, connection, RETRY, "", now).id)


def _begun(tx: Tx, connection: str, kind: str, direction: str, now: datetime) -> Row[Any]:
    return tx.execute(
        insert(backfills)
        .values(
            id=ids.new("bfl"),
            connection=connection,
            kind=kind,
            direction=direction,
            started_at=now,
        )
        .returning(backfills)
    ).one()


def find(tx: Tx, connection: str, backfill_id: str) -> Row[Any] | None:
    return tx.execute(
        select(backfills).where(backfills.c.connection == connection, backfills.c.id == backfill_id)
    ).one_or_none()


def latest(tx: Tx, connection: str, limit: int) -> list[Row[Any]]:
    """The newest first."""
    query = select(backfills).where(backfills.c.connection == connection)
    return list(tx.execute(query.order_by(backfills.c.id.desc()).limit(limit)))


def is_cancelled(tx: Tx, backfill_id: str) -> bool:
    """Whoever cancels it waits until what is wanted in this transaction is committed."""
    found = select(backfills.c.cancelled_at).where(backfills.c.id == backfill_id)
    return tx.scalar(found.with_for_update(read=True)) is not None


def cancel(tx: Tx, row: Row[Any], now: datetime) -> bool:
    """From now on nothing more is wanted; what is wanted is taken back in `batches`.

    False when it had ended by itself. Once cancelled it may be cancelled again, to go on with that.
    """
    stopped = update(backfills).where(
        backfills.c.id == row.id,
        or_(backfills.c.finished_at.is_(None), backfills.c.cancelled_at.is_not(None)),
    )
    return bool(tx.execute(stopped.values(finished_at=now, cancelled_at=now)).rowcount)


def wanted(tx: Tx, backfill_id: str, kind: str, keys: list[str]) -> set[str]:
    """Which of these records this backfill has wanted before: a listing that starts anew."""
    return set(
        tx.scalars(
            select(work.c.key).where(
                work.c.batch == backfill_id, work.c.kind == kind, work.c.key.in_(keys)
            )
        )
    )


def listed(tx: Tx, backfill_id: str, now: datetime) -> None:
    tx.execute(update(backfills).where(backfills.c.id == backfill_id).values(listed_at=now))


def progress(tx: Tx, row: Row[Any], now: datetime) -> Progress:
    """Also notes that it is finished, the first time it is seen to be."""
    done, failed, total = _counted(tx, row)
    finished_at = row.finished_at
    if row.listed_at and done + failed == total and finished_at is None:
        finished_at = now
        ended = update(backfills).where(backfills.c.id == row.id)
        tx.execute(ended.values(finished_at=now, done=done, failed=failed))
        batches.forget(tx, row.connection, row.id)
    stage = _stage(row, finished_at)
    settled = done + failed
    eta = None
    if stage == "running" and settled:
        eta = now + (now - row.started_at) / settled * (total - settled)
    return Progress(
        row.id,
        row.connection,
        row.kind,
        row.direction,
        stage,
        done,
        failed,
        total,
        row.started_at,
        finished_at,
        eta,
    )


def _counted(tx: Tx, row: Row[Any]) -> tuple[int, int, int]:
    """Done, failed and all; as it was when it ended by itself."""
    if row.done is not None:
        return row.done, row.failed, row.done + row.failed
    query = select(work.c.state, func.count()).where(work.c.batch == row.id)
    counts: dict[str, int] = {}
    for state, count in tx.execute(query.group_by(work.c.state)):
        counts[state] = count
    done = counts.get("done", 0) + counts.get("skipped", 0)
    return done, counts.get("blocked", 0) + counts.get("failed", 0), sum(counts.values())


def _stage(row: Row[Any], finished_at: datetime | None) -> Stage:
    if row.cancelled_at:
        return "cancelled"
    if finished_at:
        return "done"
    return "running" if row.listed_at else "listing"


def start_wanted(tx: Tx, known: Iterable[Connection], now: datetime) -> int:
    """`transfer_all_customers`: once for each connection that is active, the master's way."""
    started = 0
    for one in known:
        if not one.active or not one.document.transfer_all_customers:
            continue
        direction: Direction = (
            "severa_to_fortnox" if one.document.customer_master == "severa" else "fortnox_to_severa"
        )
        before = tx.scalar(
            select(func.count()).where(
                backfills.c.connection == one.name,
                backfills.c.kind == "customer",
                backfills.c.direction == direction,
            )
        )
        if not before:
            start(tx, one.name, "customer", direction, now)
            started += 1
    return started
