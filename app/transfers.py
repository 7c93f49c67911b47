"""The transfer log as it is read: which rows of the work list match, newest first."""

import base64
import binascii
import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Row, Select, Text, and_, or_, select, type_coerce
from sqlalchemy import Connection as Tx

from app.columns import EPOCH, MICROSECOND, uncased
from app.errors import Invalid
from app.models import work
from app.reasons import codes_saying
from app.worklist import TRANSFERS

BATCH = 500
SEARCHED = ("source_label", "target_label", "key", "target_id")


@dataclass(frozen=True)
class Filter:
    """What is left empty does not matter; `until` itself is outside; `q` is in any case.

    `q` is looked for in numbers, names and what the reason says, in any language.
    `reason`: the code of the reason why they stand where they stand.
    """

    states: Sequence[str] = ()
    kinds: Sequence[str] = ()
    ids: Sequence[str] = ()
    q: str = ""
    reason: str = ""
    since: datetime | None = None
    until: datetime | None = None

    def __bool__(self) -> bool:
        given = (self.states, self.kinds, self.ids, self.q, self.reason, self.since, self.until)
        return any(given)


@dataclass(frozen=True)
class Cursor:
    """The last row of a page."""

    received_at: datetime
    id: str

    def __str__(self) -> str:
        text = f"{(self.received_at - EPOCH) // MICROSECOND}:{self.id}"
        return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")

    @classmethod
    def read(cls, text: str) -> "Cursor":
        """Raises Invalid."""
        try:
            plain = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)).decode()
        except (ValueError, binascii.Error):
            plain = ""
        match = re.fullmatch(r"([0-9]{1,16}):([0-9a-z_]{1,40})", plain)
        if match is None:
            raise Invalid("cursor", "is not one of ours")
        return cls(EPOCH + int(match[1]) * MICROSECOND, match[2])


@dataclass(frozen=True)
class Page:
    """`next`: where the next page begins; None on the last one."""

    rows: Sequence[Row[Any]]
    next: Cursor | None


def page(tx: Tx, connection: str, only: Filter, after: Cursor | None, limit: int) -> Page:
    rows = matching(tx, connection, only, limit + 1, after)
    if len(rows) <= limit:
        return Page(rows, None)
    last = rows[limit - 1]
    return Page(rows[:limit], Cursor(last.received_at, last.id))


def matching(
    tx: Tx, connection: str, only: Filter, limit: int, after: Cursor | None = None
) -> list[Row[Any]]:
    """At most `limit` rows, newest first."""
    query = _query(connection, only, after)
    if not only.q:
        return list(tx.execute(query.limit(limit)))
    found: list[Row[Any]] = []
    codes = codes_saying(only.q)
    for row in _stream(tx, query):
        if _speaks_of(row, only.q.lower()) or codes & _codes_of(row):
            found.append(row)
        if len(found) == limit:
            break
    return found


def find(tx: Tx, connection: str, transfer_id: str) -> Row[Any] | None:
    query = select(work).where(work.c.id == transfer_id, work.c.connection == connection)
    return tx.execute(query.where(work.c.kind.in_(TRANSFERS))).one_or_none()


def _query(connection: str, only: Filter, after: Cursor | None) -> Select[Any]:
    query = select(work).where(work.c.connection == connection)
    query = query.where(work.c.kind.in_(only.kinds or TRANSFERS))
    if only.states:
        query = query.where(work.c.state.in_(only.states))
    if only.ids:
        query = query.where(work.c.id.in_(only.ids))
    if only.reason:
        code = json.dumps({"code": only.reason})[:-1]  # how every stored reason begins
        query = query.where(type_coerce(work.c.reason, Text).startswith(code, autoescape=True))
    if only.since:
        query = query.where(work.c.received_at >= only.since)
    if only.until:
        query = query.where(work.c.received_at < only.until)
    if after:
        earlier = work.c.received_at < after.received_at
        same = and_(work.c.received_at == after.received_at, work.c.id < after.id)
        query = query.where(or_(earlier, same))
    if only.q:
        texts = (*(work.c[name] for name in SEARCHED), type_coerce(work.c.reason, Text))
        told = (texts[-1].like(f'%"{code}"%') for code in codes_saying(only.q))
        query = query.where(or_(says(only.q, *texts), *told))
    return query.order_by(work.c.received_at.desc(), work.c.id.desc())


def says(q: str, *columns: ColumnElement[Any]) -> ColumnElement[bool]:
    """Finds at least what `q` finds: only plain letters are compared alike in both databases."""
    pattern = "%" + re.sub(r"[^0-9a-z ]+", "%", q.lower()) + "%"
    return or_(*(uncased(column).like(pattern) for column in columns))


def _stream(tx: Tx, query: Select[Any]) -> Iterator[Row[Any]]:
    with tx.execute(query.execution_options(yield_per=BATCH)) as result:
        yield from result


def _codes_of(row: Row[Any]) -> set[str]:
    """Of its reason, and of the other reasons that are named as the cause of it."""
    reason = row.reason or {}
    return {str(one) for one in (reason.get("code"), *reason.get("facts", {}).values())}


def _speaks_of(row: Row[Any], q: str) -> bool:
    """SQLite's own lower() knows no å, ä or ö, and the facts of a reason lie in JSON."""
    facts = (row.reason or {}).get("facts", {}).values()
    texts = [*(getattr(row, name) for name in SEARCHED), *facts]
    return any(q in str(text).lower() for text in texts if text is not None)
