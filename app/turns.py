"""Whose turn it is: the connection that has the fewest rows running, and waited longest for one.

Chosen connection by connection, not row by row: what a company has waiting costs the others
nothing, however much it is. The statements are built once; they are asked many times a second.
"""

from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Row,
    Select,
    Subquery,
    bindparam,
    case,
    exists,
    func,
    literal,
    literal_column,
    null,
    select,
    union_all,
)
from sqlalchemy import Connection as Tx

from app.columns import EPOCH, Instant, at
from app.models import connections, work

# Polls come before a backlog, however long: they find what somebody waits for, and are few. They
# are no live calls all the same, and leave those their reserve of the rate budget.
LIVE, POLL, BACKGROUND = 0, 3, 5
LANES = (LIVE, POLL, BACKGROUND)
MOST_TURNS = 50  # others may be taking the rows of the first ones in this very moment
# Counted without a lock: on PostgreSQL, processes that choose in the same moment do not see each
# other's choice, and may go over it by one row each. It is for fairness; nothing relies on it.
RUNNING_PER_CONNECTION = 6  # so that one company's backlog does not take every thread

NOW = bindparam("now", type_=Instant())
# Said, not bound: it has to match the condition of the partial index.
RUNNING: ColumnElement[str] = literal_column("'running'")
# What runs for a connection that nothing gets through for.
WHILE_STOPPED: list[ColumnElement[str]] = [literal_column("'mail'"), literal_column("'probe'")]
STOPPED = connections.c.stopped.is_not(None)


def choose(tx: Tx, now: datetime, limit: int) -> list[Row[Any]]:
    """Up to `limit` due rows (id, connection, subject), live lane first, kept for us alone."""
    chosen: list[Row[Any]] = []
    for turn in tx.execute(_turns(), {"now": now}).all():
        rows = _probes() if turn.stopped else _due_rows()
        asked = {"connection": turn.name, "lane": turn.lane, "most": limit - len(chosen)}
        chosen += tx.execute(rows, asked | {"now": now})
        if len(chosen) >= limit:
            break
    return chosen


@cache
def _turns() -> Select[Any]:
    """The connections that have something to run, with the lane it is in, in order."""
    lanes = union_all(*(select(literal(lane).label("lane")) for lane in LANES)).subquery("lanes")
    due = case(
        (~STOPPED, _first_due(lanes.c.lane)), (lanes.c.lane == LIVE, _first_probe()), else_=null()
    )
    running = _running()
    count = func.coalesce(running.c.rows, 0)
    place = (
        select(connections.c.name, STOPPED.label("stopped"), lanes.c.lane)
        .add_columns(due.label("due"), count.label("running"))
        .join_from(connections, lanes, literal(value=True))
        .outerjoin(running, running.c.connection == connections.c.name)
        .where(connections.c.active, count < RUNNING_PER_CONNECTION)
        .cte("place")
        .prefix_with("MATERIALIZED")  # or a column is worked out again wherever it is named
    )
    served = func.coalesce(_last_served(place.c.name), at(EPOCH)).label("served")
    return (
        select(place.c.name, place.c.stopped, place.c.lane, served)
        .where(place.c.due <= NOW)
        .order_by(place.c.lane, place.c.running, served, place.c.due)
        .limit(MOST_TURNS)
    )


def _first_due(lane: ColumnElement[Any]) -> ColumnElement[Any]:
    return (
        select(work.c.due_at)
        .where(work.c.connection == connections.c.name, work.c.lane == lane)
        .where(work.c.due_at <= NOW, ~_same_subject_runs())
        .order_by(work.c.due_at)
        .limit(1)
        .scalar_subquery()
    )


def _first_probe() -> ColumnElement[Any]:
    """Nothing else of a stopped connection may run, and all of it may be due."""
    return (
        select(func.min(work.c.due_at))
        .where(work.c.connection == connections.c.name, work.c.kind.in_(WHILE_STOPPED))
        .scalar_subquery()
    )


def _running() -> Subquery:
    return (
        select(work.c.connection, func.count().label("rows"))
        .where(work.c.state == RUNNING)
        .group_by(work.c.connection)
        .subquery("running")
    )


def _last_served(name: ColumnElement[Any]) -> ColumnElement[Any]:
    return select(func.max(work.c.started_at)).where(work.c.connection == name).scalar_subquery()


@cache
def _due_rows() -> Select[Any]:
    return _of_one_connection(work.c.lane == bindparam("lane"))


@cache
def _probes() -> Select[Any]:
    return _of_one_connection(work.c.kind.in_(WHILE_STOPPED))


def _of_one_connection(which: ColumnElement[bool]) -> Select[Any]:
    return (
        select(work.c.id, work.c.connection, work.c.subject)
        .where(work.c.connection == bindparam("connection"), which)
        .where(work.c.due_at <= NOW, ~_same_subject_runs())
        .order_by(work.c.due_at)
        .limit(bindparam("most"))
        .with_for_update(of=work, skip_locked=True)
    )


def _same_subject_runs() -> ColumnElement[bool]:
    other = work.alias("other")
    return exists().where(
        other.c.state == RUNNING,
        other.c.connection == work.c.connection,
        other.c.subject == work.c.subject,
    )


def coming(tx: Tx, connection: str, kind: str, now: datetime, most: int = 1000) -> dict[str, int]:
    """By key, the rows of this kind that are due: how often each was wanted."""
    rows = tx.execute(
        select(work.c.key, work.c.wanted)
        .where(work.c.connection == connection, work.c.kind == kind, work.c.due_at <= at(now))
        .order_by(work.c.lane, work.c.due_at)
        .limit(most)
    )
    return {row.key: row.wanted for row in rows}
