"""Which processes of the bridge are alive: each says so in the database now and then."""

from datetime import datetime

from sqlalchemy import Connection as Tx
from sqlalchemy import delete, exists, select

from app.db import Database, upsert
from app.models import processes


def beat(db: Database, name: str, kind: str, now: datetime) -> None:
    with db.transaction() as tx:
        row = {"name": name, "kind": kind, "started_at": now, "seen_at": now}
        tx.execute(
            upsert(tx, processes)
            .values(row)
            .on_conflict_do_update(index_elements=[processes.c.name], set_={"seen_at": now})
        )


def seen_since(tx: Tx, kind: str, instant: datetime) -> list[str]:
    """The names of the processes of that kind that gave a sign of life at or after `instant`."""
    seen = processes.c.seen_at >= instant
    query = select(processes.c.name).where(processes.c.kind == kind, seen)
    return list(tx.scalars(query.order_by(processes.c.name)))


def forget_old(tx: Tx, instant: datetime) -> int:
    """Forgets those not seen since `instant`, but the last of each kind; answers how many."""
    later = processes.alias()
    followed = exists().where(
        later.c.kind == processes.c.kind, later.c.seen_at > processes.c.seen_at
    )
    old = processes.c.seen_at < instant
    return tx.execute(delete(processes).where(old, followed)).rowcount
