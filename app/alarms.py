"""Which causes people must know of, and the mails that tell them: written down before they go out.

A cause appears → (it has stood for a little while) → first → daily, every morning while it stands
→ (it has been gone for a while) → solved. Five hundred records with one cause are one cause.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Literal

from sqlalchemy import Connection as Tx
from sqlalchemy import Row, and_, case, delete, insert, or_, select, update

from app import causes, clock, ids, worklist
from app.causes import Cause
from app.connections import MAIL, Connection
from app.db import Database, upsert
from app.errors import Reason
from app.models import alarms, connections, mails, work
from app.worklist import LIVE, Want

Kind = Literal["first", "daily", "solved"]

EVERY = timedelta(minutes=1)
QUIET = timedelta(minutes=15)  # a retry that ends where it began has solved nothing
MORNING = 7  # o'clock in Stockholm
KEPT = timedelta(days=30)  # that a mail went out, not what it said


@dataclass(frozen=True)
class Mail:
    """One that has to go out; `content`: causes as they are told."""

    id: str
    kind: Kind
    identity: str
    content: Mapping[str, Any]
    made_at: datetime


@dataclass(frozen=True)
class _Letter:
    """`about`: what there is one mail of this kind for: a cause since it came back, or a day."""

    connection: str
    kind: Kind
    about: str

    @property
    def identity(self) -> str:
        """The same for every attempt to send it."""
        text = f"{self.connection} {self.kind} {self.about}"
        return hashlib.sha256(text.encode()).hexdigest()[:40]


def plant(db: Database, now: datetime) -> None:
    """A row of the work list for every active connection that has none."""
    going = select(work.c.connection).where(
        work.c.kind == MAIL[0], or_(work.c.due_at.is_not(None), work.c.state == "running")
    )
    missing = select(connections.c.name).where(
        connections.c.active, connections.c.deleted_at.is_(None), connections.c.name.not_in(going)
    )
    with db.reading() as tx:
        names = tx.scalars(missing).all()
    if names:
        with db.transaction() as tx:
            for name in names:
                worklist.plant(tx, Want(name, *MAIL, LIVE), now, now)


def watch(tx: Tx, of: Connection, now: datetime) -> None:
    """Compares what stands with what has been told, and writes down the mails that follow."""
    old = and_(mails.c.state != "waiting", mails.c.made_at < now - KEPT)
    tx.execute(delete(mails).where(mails.c.connection == of.name, old))
    if not of.document.error_emails:
        for table in (alarms, mails):
            tx.execute(delete(table).where(table.c.connection == of.name))
        return
    standing = {cause.key: cause for cause in causes.standing(tx, of, now)}
    for cause in standing.values():
        _note(tx, of.name, cause, now)
    known = tx.execute(select(alarms).where(alarms.c.connection == of.name)).all()
    for alarm in known:
        if alarm.cause in standing:
            cause = standing[alarm.cause]
            standing[alarm.cause] = replace(cause, since=min(cause.since, alarm.since))
            _tell_first(tx, alarm, standing[alarm.cause], now)
        else:
            _tell_solved(tx, alarm, now)
    _tell_daily(tx, of.name, standing, known, now)


def unsent(tx: Tx, connection: str) -> list[Mail]:
    """Oldest first."""
    rows = tx.execute(
        select(mails)
        .where(mails.c.connection == connection, mails.c.state == "waiting")
        .order_by(mails.c.id)
    )
    return [Mail(row.id, row.kind, row.identity, row.content, row.made_at) for row in rows]


def sent(tx: Tx, mail_id: str, now: datetime) -> None:
    """That it went out is kept; whom and what it named is not."""
    tx.execute(
        update(mails).where(mails.c.id == mail_id).values(state="sent", content=None, sent_at=now)
    )


def _note(tx: Tx, connection: str, cause: Cause, now: datetime) -> None:
    fresh = {
        "connection": connection,
        "cause": cause.key,
        "reason": {"code": cause.reason.code, "facts": cause.reason.facts},
        "records": cause.count,
        "since": now,
    }
    statement = upsert(tx, alarms).values(fresh)
    most = case(
        (statement.excluded.records > alarms.c.records, statement.excluded.records),
        else_=alarms.c.records,
    )
    tx.execute(
        statement.on_conflict_do_update(
            index_elements=[alarms.c.connection, alarms.c.cause],
            set_={"gone_at": None, "reason": statement.excluded.reason, "records": most},
        )
    )


def _tell_first(tx: Tx, alarm: Row[Any], cause: Cause, now: datetime) -> None:
    if alarm.told_at is not None or now - alarm.since < cause.patience:
        return
    _write(tx, _letter(alarm, "first"), [cause.told()], now)
    tx.execute(update(alarms).where(*_same(alarm)).values(told_at=now))


def _tell_solved(tx: Tx, alarm: Row[Any], now: datetime) -> None:
    if alarm.told_at is None:
        tx.execute(delete(alarms).where(*_same(alarm)))
    elif alarm.gone_at is None:
        tx.execute(update(alarms).where(*_same(alarm)).values(gone_at=now))
    elif now - alarm.gone_at >= QUIET:
        gone = Cause(alarm.cause, Reason(**alarm.reason), alarm.since, alarm.records)
        _write(tx, _letter(alarm, "solved"), [gone.told()], now)
        tx.execute(delete(alarms).where(*_same(alarm)))


def _tell_daily(
    tx: Tx,
    connection: str,
    standing: Mapping[str, Cause],
    known: Sequence[Row[Any]],
    now: datetime,
) -> None:
    """One for all that was told before this morning. One that never went out gives way to it."""
    local = now.astimezone(clock.STOCKHOLM)
    morning = local.replace(hour=MORNING, minute=0, second=0, microsecond=0)
    told_before = {one.cause for one in known if one.told_at and one.told_at < morning}
    old = [cause for key, cause in standing.items() if key in told_before]
    if local < morning or not old:
        return
    letter = _Letter(connection, "daily", str(local.date()))
    if _is_written(tx, letter):
        return
    tx.execute(
        update(mails)
        .where(mails.c.connection == connection, mails.c.kind == "daily")
        .where(mails.c.state == "waiting")
        .values(state="replaced", content=None)
    )
    old.sort(key=lambda one: (-one.count, one.key))
    _write(tx, letter, [one.told() for one in old], now)


def _write(tx: Tx, letter: _Letter, told: list[dict[str, Any]], now: datetime) -> None:
    tx.execute(
        insert(mails).values(
            id=ids.new("mail"),
            connection=letter.connection,
            kind=letter.kind,
            identity=letter.identity,
            state="waiting",
            content={"causes": told},
            made_at=now,
        )
    )


def _is_written(tx: Tx, letter: _Letter) -> bool:
    same = select(mails.c.id).where(
        mails.c.connection == letter.connection, mails.c.identity == letter.identity
    )
    return tx.scalar(same) is not None


def _letter(alarm: Row[Any], kind: Kind) -> _Letter:
    return _Letter(alarm.connection, kind, f"{alarm.cause} {clock.iso(alarm.since)}")


def _same(alarm: Row[Any]) -> tuple[Any, ...]:
    return alarms.c.connection == alarm.connection, alarms.c.cause == alarm.cause
