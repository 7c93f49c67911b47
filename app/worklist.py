"""What is to be looked at: one row for each (connection, kind, key), with a state and a due time.

queued → running → done | skipped | blocked | failed | waiting → running …
A row that is wanted again while it runs is due again the moment it is settled. The row is the
truth; messages in Redis only say that one is due.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields, replace
from datetime import datetime
from typing import Any, Literal, get_args

from sqlalchemy import (
    ColumnElement,
    Row,
    and_,
    case,
    func,
    literal_column,
    null,
    or_,
    select,
    update,
)
from sqlalchemy import Connection as Tx
from sqlalchemy.dialects.postgresql import Insert
from sqlalchemy.exc import IntegrityError
from sqlalchemy.sql.dml import ReturningInsert

from app import ids, turns, waiting
from app.bulk import Bulk
from app.columns import at, microseconds
from app.db import Database, upsert
from app.errors import Reason
from app.models import work
from app.turns import BACKGROUND as BACKGROUND
from app.turns import LANES, RUNNING
from app.turns import LIVE as LIVE
from app.turns import POLL as POLL
from app.turns import RUNNING_PER_CONNECTION as RUNNING_PER_CONNECTION
from app.waiting import waiting_key

Transfer = Literal["invoice", "payment", "customer", "product", "project", "project_fee"]
TRANSFERS: tuple[Transfer, ...] = get_args(Transfer)
State = Literal["queued", "running", "waiting", "blocked", "done", "skipped", "failed"]
UNSETTLED = ("queued", "running", "waiting")
CLAIM_TRIES = 3
QUEUED: ColumnElement[str] = literal_column("'queued'")
WAITING: ColumnElement[str] = literal_column("'waiting'")


@dataclass(frozen=True)
class Want:
    """`subject`: two rows with the same one never run at once; by default kind and key.

    `batch`: the backfill that wants it.
    """

    connection: str
    kind: str
    key: str
    lane: int = LIVE
    subject: str = ""
    batch: str | None = None

    def __post_init__(self) -> None:
        if self.lane not in LANES:  # nobody would ever look there
            raise ValueError(f"there is no lane {self.lane}")

    @property
    def at(self) -> tuple[str, str, str]:
        return self.connection, self.kind, self.key

    @property
    def of(self) -> str:
        return self.subject or f"{self.kind}:{self.key}"


@dataclass(frozen=True)
class Item:
    """A claimed row: this process, and no other, works on it until it is settled.

    `wanted`: how often it had been by then, the last time included.
    """

    id: str
    connection: str
    kind: str
    key: str
    subject: str
    lane: int
    attempts: int
    tries: int
    failing_since: datetime | None
    claimed_by: str
    received_at: datetime | None = None
    wanted: int = 0


@dataclass(frozen=True)
class Settlement:
    """`due_at`: when it is looked at again by itself; `tries`: runs in a row without success."""

    state: State
    reason: Reason | None = None
    due_at: datetime | None = None
    waits_for: str | None = None
    tries: int = 0
    failing_since: datetime | None = None


def enqueue(tx: Tx, wants: Iterable[Want], now: datetime) -> dict[tuple[str, str, str], str]:
    """Marks rows dirty and due; answers the rows' ids by (connection, kind, key)."""
    unique = {want.at: want for want in wants}
    if not unique:
        return {}
    stamp, made = microseconds(now), ids.several("trf", len(unique))
    # In order, as everybody takes them, or two of them would wait for each other.
    in_order = zip(made, (unique[key] for key in sorted(unique)), strict=True)
    marked = _MARK.insert(tx, [new_row(row_id, want, stamp) for row_id, want in in_order])
    return {(connection, kind, key): row_id for row_id, connection, kind, key in marked}


def again(statement: Insert) -> ReturningInsert[Any]:
    """What a row that is there already becomes: now is when the new one is due.

    Answers its id and what it is about.
    """
    new, state = statement.excluded, work.c.state
    running, queued = state == RUNNING, state == QUEUED
    pending = or_(running, queued, state == WAITING)
    again = {
        "wanted": work.c.wanted + literal_column("1"),
        "state": case((running, RUNNING), else_=QUEUED),
        "due_at": case((or_(running, queued), work.c.due_at), else_=new.due_at),
        "waits_for": case((running, work.c.waits_for), else_=null()),
        "tries": case((running, work.c.tries), else_=new.tries),
        "failing_since": case((running, work.c.failing_since), else_=null()),
        "batch": func.coalesce(new.batch, work.c.batch),
        "received_at": case((pending, work.c.received_at), else_=new.received_at),
        "lane": case((and_(pending, work.c.lane < new.lane), work.c.lane), else_=new.lane),
    }
    return statement.on_conflict_do_update(
        index_elements=[work.c.connection, work.c.kind, work.c.key], set_=again
    ).returning(work.c.id, work.c.connection, work.c.kind, work.c.key)


NEW = (
    *("id", "connection", "kind", "key", "subject", "lane", "state", "wanted", "due_at"),
    *("attempts", "tries", "batch", "received_at"),
)
_MARK = Bulk(work, NEW, again)


def claim(db: Database, me: str, now: datetime, limit: int = 1) -> list[Item]:
    """Takes up to `limit` due rows, live lane first; empty when there is nothing to take."""
    for _ in range(CLAIM_TRIES):
        try:
            with db.transaction() as tx:
                chosen = turns.choose(tx, now, limit)
                one_of_each = {(row.connection, row.subject): row.id for row in reversed(chosen)}
                return _take(tx, list(one_of_each.values()), me, now)
        except IntegrityError:  # another process took a row of the same subject in this moment
            continue
    return []


def claim_now(db: Database, me: str, want: Want, now: datetime) -> Item | None:
    """Takes this very row, made if need be, due or not; None when it is running elsewhere."""
    try:
        with db.transaction() as tx:
            row_id = enqueue(tx, [want], now)[want.at]
            taken = _take(tx, [row_id], me, now)
    except IntegrityError:
        return None
    return taken[0] if taken else None


def settle(db: Database, item: Item, settlement: Settlement, now: datetime) -> None:
    """Writes the outcome unless the row was taken over meanwhile, and wakes what waited for it."""
    with db.transaction() as tx:
        if settlement.waits_for and waiting.has_come(
            tx, item.connection, settlement.waits_for, settlement.state, item.id
        ):
            settlement = replace(settlement, state="queued", due_at=now, waits_for=None)
        again = work.c.wanted > work.c.claimed_wanted
        reason = settlement.reason
        written = tx.execute(
            update(work)
            .where(work.c.id == item.id, work.c.claimed_by == item.claimed_by)
            .where(work.c.state == "running")
            .values(
                state=case((again, "queued"), else_=settlement.state),
                due_at=case((again, at(now)), else_=at(settlement.due_at)),
                received_at=case((again, at(now)), else_=work.c.received_at),
                tries=case((again, 0), else_=settlement.tries),
                failing_since=settlement.failing_since,
                waits_for=case((again, None), else_=settlement.waits_for),
                reason={"code": reason.code, "facts": reason.facts} if reason else None,
                settled_at=None if settlement.state in UNSETTLED else now,
                claimed_by=None,
                claimed_wanted=None,
            )
        )
        freed = waiting.FREES.get(settlement.state)
        if written.rowcount and freed:
            waiting.wake(tx, item.connection, waiting_key(item.kind, item.key), now, freed)


def plant(tx: Tx, want: Want, first: datetime, now: datetime) -> None:
    """A row that comes back by itself: put there, or set going again where it stands still."""
    new = dict(zip(NEW, new_row(ids.new("trf"), want, microseconds(now)), strict=True))
    new |= {"due_at": first, "received_at": now}
    statement = upsert(tx, work).values(new)
    stands_still = and_(
        work.c.due_at.is_(None), work.c.waits_for.is_(None), work.c.state != "running"
    )
    tx.execute(
        statement.on_conflict_do_update(
            index_elements=[work.c.connection, work.c.kind, work.c.key],
            set_={"state": "queued", "due_at": at(first)},
            where=stands_still,
        )
    )


def describe(
    tx: Tx,
    item_id: str,
    *,
    source: str | None = None,
    target_id: str | None = None,
    target: str | None = None,
) -> None:
    """What people call the record on either side; None leaves what is known."""
    known = {"source_label": source, "target_id": target_id, "target_label": target}
    values = {name: value[:255] for name, value in known.items() if value is not None}
    if values:
        tx.execute(update(work).where(work.c.id == item_id).values(values))


def look(tx: Tx, row_id: str) -> Item | None:
    """A row as a run would see it, without claiming it."""
    row = tx.execute(select(work).where(work.c.id == row_id)).one_or_none()
    return None if row is None else _item(row, "")


def imagined(want: Want) -> Item:
    """A row that is not there, for a dry run."""
    return Item("", want.connection, want.kind, want.key, want.of, want.lane, 0, 0, None, "")


def retry(tx: Tx, row_ids: Sequence[str], now: datetime, lane: int = LIVE) -> int:
    """Due now, with the whole retry schedule ahead; a running row runs once more after this run."""
    running = work.c.state == "running"
    return tx.execute(
        update(work)
        .where(work.c.id.in_(row_ids))
        .values(
            wanted=work.c.wanted + 1,
            state=case((running, "running"), else_="queued"),
            due_at=case((running, work.c.due_at), else_=at(now)),
            waits_for=case((running, work.c.waits_for), else_=None),
            received_at=case((work.c.state.in_(UNSETTLED), work.c.received_at), else_=at(now)),
            tries=0,
            failing_since=None,
            lane=lane,
        )
    ).rowcount


def new_row(row_id: str, want: Want, now: int) -> tuple[Any, ...]:
    """The values of NEW; `now`: as it is stored."""
    about = (want.connection, want.kind, want.key, want.of, want.lane)
    return row_id, *about, "queued", 1, now, 0, 0, want.batch, now


def _take(tx: Tx, row_ids: Sequence[str], me: str, now: datetime) -> list[Item]:
    if not row_ids:
        return []
    rows = tx.execute(
        update(work)
        .where(work.c.id.in_(row_ids), work.c.state != "running")
        .values(
            state="running",
            claimed_by=me,
            claimed_wanted=work.c.wanted,
            due_at=None,
            attempts=work.c.attempts + 1,
            started_at=now,
        )
        .returning(work)
    )
    return [_item(row, me) for row in rows]


def _item(row: Row[Any], holder: str) -> Item:
    columns = {one.name: getattr(row, one.name) for one in fields(Item)}
    return Item(**columns | {"claimed_by": holder})
