"""What the inbox does in three steps, as one statement, for PostgreSQL: finds what is known, marks
the work that the rest points to, and keeps the rest.

Each step by itself would be a journey to the server and back, with all that waits behind it.
"""

from collections.abc import Sequence
from functools import cache
from typing import Any

from sqlalchemy import CTE, Column, Dialect, Select, and_, exists, false, select, true, union_all
from sqlalchemy import Connection as Tx
from sqlalchemy.dialects.postgresql import distinct_on

from app import bulk, worklist
from app.bulk import Answers
from app.db import insert_into
from app.models import events, work

# What a batch says of each event, and of the work it points to, under names of their own.
EVENT = tuple(events.c)
WORK = tuple(Column(f"todo_{name}", work.c[name].type) for name in worklist.NEW)
NAMES = tuple(one.name for one in (*EVENT, *WORK))
_AT = ("connection", "source", "identity")
_TO = ("connection", "kind", "key")


def receive(tx: Tx, rows: Sequence[Sequence[Any]]) -> Answers:
    """`rows`: the values of NAMES, one for each identity. Answers connection, source, identity, id,
    hash, status and whether it is new; without those that another process keeps in this moment.
    """
    return bulk.answers(tx, _text(tx.dialect), bulk.as_json(NAMES, rows))


@cache
def _text(dialect: Dialect) -> str:
    return str(_statement().compile(dialect=dialect))


def _statement() -> Any:
    given = select(bulk.recordset((*EVENT, *WORK))).cte("given")
    known = _known(given)
    is_known = exists().where(*(known.c[name] == given.c[name] for name in _AT))
    fresh = select(given).where(~is_known).cte("fresh")
    marked = _marked(fresh)
    kept = _kept(fresh, marked)
    answer = (*_AT, "id", "body_hash", "status")
    return union_all(
        select(*(kept.c[name] for name in answer), true()),
        select(*(known.c[name] for name in answer), false()),
    )


def _known(given: CTE) -> CTE:
    same = [events.c[name] == given.c[name] for name in _AT]
    found = (*(events.c[name] for name in _AT), events.c.id, events.c.body_hash, events.c.status)
    return select(*found).select_from(given.join(events, and_(*same))).cte("known")


def _marked(fresh: CTE) -> CTE:
    """One row for each record, in the order in which everybody takes them."""
    record = [fresh.c[f"todo_{name}"] for name in _TO]
    each = (
        select(*(fresh.c[one.name] for one in WORK))
        .where(fresh.c.todo_id.is_not(None))
        .ext(distinct_on(*record))
        .order_by(*record)
    )
    columns = [work.c[name] for name in worklist.NEW]
    return worklist.again(insert_into(work, "postgresql").from_select(columns, each)).cte("marked")


def _kept(fresh: CTE, marked: CTE) -> CTE:
    """Sorted, which also means: after all of the work is marked, as everybody does it."""
    points_to = [fresh.c[f"todo_{name}"] == marked.c[name] for name in _TO]
    values = [
        marked.c.id if one is events.c.work_id else bulk.value_of(fresh, one) for one in EVENT
    ]
    rows: Select[Any] = (
        select(*values)
        .select_from(fresh.outerjoin(marked, and_(*points_to)))
        .order_by(*(fresh.c[name] for name in _AT))
    )
    insert = insert_into(events, "postgresql").from_select(EVENT, rows)
    return insert.on_conflict_do_nothing().returning(events).cte("kept")
