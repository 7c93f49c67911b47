"""What becomes of a claimed row besides its outcome: another subject, given back, taken back."""

from collections.abc import Collection
from datetime import datetime, timedelta

from sqlalchemy import select, update
from sqlalchemy.exc import IntegrityError

from app import effects
from app.db import Database
from app.models import work
from app.worklist import Item


def change_subject(db: Database, item: Item, subject: str, now: datetime) -> None:
    """The row turned out to be about something else: it is due at once under that name."""
    with db.transaction() as tx:
        tx.execute(
            update(work)
            .where(work.c.id == item.id, work.c.claimed_by == item.claimed_by)
            .values(subject=subject, state="queued", due_at=now, claimed_by=None)
        )


def take_subject(db: Database, item: Item, subject: str) -> bool:
    """A running row goes on under another subject; False when another row is running under it."""
    try:
        with db.transaction() as tx:
            tx.execute(
                update(work)
                .where(work.c.id == item.id, work.c.claimed_by == item.claimed_by)
                .where(work.c.state == "running")
                .values(subject=subject)
            )
    except IntegrityError:
        return False
    return True


def let_go(db: Database, item: Item, now: datetime) -> None:
    """A claimed row that this process will not run after all."""
    with db.transaction() as tx:
        tx.execute(
            update(work)
            .where(work.c.id == item.id, work.c.claimed_by == item.claimed_by)
            .values(state="queued", due_at=now, claimed_by=None)
        )


def take_back(
    db: Database, holder: str, held: Collection[str], now: datetime, quarantine: timedelta
) -> int:
    """What a process left behind is due at once; answers how many rows.

    The process has ended, and holds nothing; or it is this one, which alone may say what it still
    holds. A creating call may have been its last act: it counts as sent now.
    """
    with db.transaction() as tx:
        running = tx.scalars(
            select(work.c.id).where(work.c.claimed_by == holder, work.c.state == "running")
        )
        lost = [row_id for row_id in running if row_id not in held]
        if not lost:
            return 0
        effects.leave_alone(tx, lost, now + quarantine)
        return tx.execute(
            update(work)
            .where(work.c.id.in_(lost), work.c.claimed_by == holder, work.c.state == "running")
            .values(state="queued", due_at=now, claimed_by=None)
        ).rowcount
