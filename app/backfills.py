"""Carrying over a whole register, or all invoices that wait, and how far that has come."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import Connection as Tx
from sqlalchemy import Row, func, insert, select, update

from app import ids, worklist
from app.connections import Connection
from app.models import backfills, work
from app.worklist import BACKGROUND, Want

Direction = Literal["severa_to_fortnox", "fortnox_to_severa"]
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
    state: Literal["listing", "running", "done"]
    done: int
    failed: int
    total: int
    started_at: datetime
    finished_at: datetime | None
    eta: datetime | None


def start(tx: Tx, connection: str, kind: str, direction: str, now: datetime) -> Row[Any]:
    """One that is still under way for the same register is not started twice."""
    running = tx.execute(
        select(backfills).where(
            backfills.c.connection == connection,
            backfills.c.kind == kind,
            backfills.c.direction == direction,
            backfills.c.finished_at.is_(None),
        )
    ).one_or_none()
    if running is not None:
        return running
    made = tx.execute(
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
    worklist.enqueue(tx, [Want(connection, "backfill", made.id, BACKGROUND)], now)
    return made


def find(tx: Tx, connection: str, backfill_id: str) -> Row[Any] | None:
    return tx.execute(
        select(backfills).where(backfills.c.connection == connection, backfills.c.id == backfill_id)
    ).one_or_none()


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
    counts: dict[str, int] = {}
    query = select(work.c.state, func.count()).where(work.c.batch == row.id)
    for state, count in tx.execute(query.group_by(work.c.state)):
        counts[state] = count
    total = sum(counts.values())
    done = counts.get("done", 0) + counts.get("skipped", 0)
    failed = counts.get("blocked", 0) + counts.get("failed", 0)
    finished_at = row.finished_at
    if row.listed_at and done + failed == total and finished_at is None:
        finished_at = now
        tx.execute(update(backfills).where(backfills.c.id == row.id).values(finished_at=now))
    stage: Literal["listing", "running", "done"] = (
        "done" if finished_at else "running" if row.listed_at else "listing"
    )
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
