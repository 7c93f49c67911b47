"""How rows of the work list stand. Nothing here changes one."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection as Tx
from sqlalchemy import Row, exists, func, or_, select

from app import turns
from app.errors import Reason
from app.models import connections, work
from app.worklist import UNSETTLED


def rows_of(tx: Tx, connection: str, kind: str, keys: Collection[str]) -> dict[str, Row[Any]]:
    """The rows that there are, by their keys."""
    rows = tx.execute(
        select(work).where(
            work.c.connection == connection, work.c.kind == kind, work.c.key.in_(keys)
        )
    )
    return {row.key: row for row in rows}


def polls(tx: Tx, names: Collection[str]) -> list[Row[Any]]:
    """The rows of the polls of these connections: key, state, due time and what they wait for."""
    known = (work.c.connection, work.c.key, work.c.state, work.c.due_at, work.c.waits_for)
    return [*tx.execute(select(*known).where(work.c.connection.in_(names), work.c.kind == "poll"))]


def is_open(tx: Tx, connection: str, kind: str, key: str) -> bool:
    """Whether this record may still be carried over: it waits, runs, or needs a person."""
    state = tx.scalar(
        select(work.c.state).where(
            work.c.connection == connection, work.c.kind == kind, work.c.key == key
        )
    )
    return state in (*UNSETTLED, "blocked")


def standing(tx: Tx, connection: str, kind: str, key: str) -> tuple[str, Reason | None]:
    """State and reason of a row; `queued` where there is none yet."""
    row = tx.execute(
        select(work.c.state, work.c.reason).where(
            work.c.connection == connection, work.c.kind == kind, work.c.key == key
        )
    ).one_or_none()
    if row is None:
        return "queued", None
    return row.state, Reason(**row.reason) if row.reason else None


def running(tx: Tx, connection: str, kind: str) -> list[str]:
    """The keys of this kind that are being looked at just now."""
    return list(
        tx.scalars(
            select(work.c.key).where(
                work.c.connection == connection, work.c.kind == kind, work.c.state == "running"
            )
        )
    )


def running_holders(tx: Tx) -> list[str]:
    """The names of the processes that hold rows."""
    rows = tx.execute(select(work.c.claimed_by).where(work.c.state == "running").distinct())
    return [row.claimed_by for row in rows if row.claimed_by]


@dataclass(frozen=True)
class Backlog:
    """`oldest`: since when the longest waiting row that may run has been due."""

    due: int
    oldest: datetime | None


def backlog(tx: Tx, now: datetime) -> Backlog:
    row = tx.execute(
        select(func.count(), func.min(work.c.due_at)).where(work.c.due_at <= now, _may_run())
    ).one()
    return Backlog(row[0], row[1])


def _may_run() -> Any:
    return exists().where(
        connections.c.name == work.c.connection,
        connections.c.active,
        or_(connections.c.stopped.is_(None), work.c.kind.in_(turns.WHILE_STOPPED)),
    )
