"""The events as they are read: which match, newest first, each with how its transfer stands."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any

from sqlalchemy import ColumnElement, CompoundSelect, Row, Select, and_, func, select, union
from sqlalchemy import Connection as Tx

from app.models import events, work
from app.transfers import says

BATCH = 500
LATEST = 2_000
OF_EVENT = ("id", "identity", "type")
OF_WORK = ("key", "source_label", "target_label", "target_id")
SHOWN = ("id", "source", "door", "identity", "type", "status", "reason", "work_id", "received_at")


@dataclass(frozen=True)
class Filter:
    """What is left empty does not matter; `kind` is of the transfer; `q` in any case."""

    source: str = ""
    door: str = ""
    kind: str = ""
    status: str = ""
    q: str = ""


def page(
    tx: Tx, connection: str, only: Filter, before: str, limit: int
) -> tuple[Sequence[Row[Any]], str]:
    """The rows, and the id with which the next page is asked for; empty on the last one."""
    query = _query(connection, only, before)
    parts = _searched(tx, query, connection, only, before) if only.q else [query.limit(limit + 1)]
    found: list[Row[Any]] = []
    for row in chain.from_iterable(_stream(tx, part) for part in parts):
        if _speaks_of(row, only.q.lower()):
            found.append(row)
        if len(found) > limit:
            return found[:limit], found[limit - 1].id
    return found, ""


def _query(connection: str, only: Filter, before: str) -> Select[Any]:
    own = (work.c.kind, work.c.state, *(work.c[name] for name in OF_WORK))
    query = (
        select(*(events.c[name] for name in SHOWN), *own)
        .outerjoin(
            work, and_(work.c.id == events.c.work_id, work.c.connection == events.c.connection)
        )
        .where(events.c.connection == connection, *_chosen(only))
    )
    if only.kind:
        query = query.where(work.c.kind == only.kind)
    if before:
        query = query.where(events.c.id < before)
    return query.order_by(events.c.id.desc())


def _chosen(only: Filter) -> list[ColumnElement[bool]]:
    """What an event must be by itself, whatever its transfer is."""
    chosen = {name: getattr(only, name) for name in ("source", "door", "status")}
    return [events.c[name] == wanted for name, wanted in chosen.items() if wanted]


def _searched(
    tx: Tx, query: Select[Any], connection: str, only: Filter, before: str
) -> Iterator[Select[Any]]:
    """First among the latest, where most of what is sought is found; then among all the others."""
    texts = (*(events.c[name] for name in OF_EVENT), *(work.c[name] for name in OF_WORK))
    oldest, many = tx.execute(_latest(connection, only, before)).one()
    if many:
        yield query.where(events.c.id >= oldest, says(only.q, *texts))
    if many == LATEST:
        yield query.where(events.c.id < oldest, events.c.id.in_(_matching(connection, only)))


def _latest(connection: str, only: Filter, before: str) -> Select[str | None, int]:
    """Where the latest that could match begin, and how many these are."""
    query = select(events.c.id).where(events.c.connection == connection, *_chosen(only))
    if before:
        query = query.where(events.c.id < before)
    latest = query.order_by(events.c.id.desc()).limit(LATEST).subquery()
    return select(func.min(latest.c.id), func.count(latest.c.id))


def _matching(connection: str, only: Filter) -> CompoundSelect[str]:
    """Each table is gone through once, by itself: together it takes longer by half and more."""
    found = select(work.c.id).where(
        work.c.connection == connection, says(only.q, *(work.c[name] for name in OF_WORK))
    )
    own = select(events.c.id).where(
        events.c.connection == connection, says(only.q, *(events.c[name] for name in OF_EVENT))
    )
    theirs = select(events.c.id).where(events.c.work_id.in_(found))
    return union(*(arm.where(*_chosen(only)) for arm in (own, theirs)))


def _stream(tx: Tx, query: Select[Any]) -> Iterator[Row[Any]]:
    with tx.execute(query.execution_options(yield_per=BATCH)) as result:
        yield from result


def _speaks_of(row: Row[Any], q: str) -> bool:
    """SQLite's own lower() knows no å, ä or ö: what SQL found is looked at once more."""
    texts = (getattr(row, name) for name in (*OF_EVENT, *OF_WORK))
    return not q or any(q in text.lower() for text in texts if text)
