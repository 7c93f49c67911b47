"""What we are about to write, are writing, wrote: recorded before it is sent.

prepared → sending → done | refused
A creating write that is `sending` may have happened or not; nothing is sent again before its
`not_before` has passed and the target was asked twice.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import Connection as Tx
from sqlalchemy import Row, Select, insert, or_, select, update

from app import ids
from app.errors import System
from app.models import effects

LATEST = 200
EffectState = Literal["prepared", "sending", "done", "refused"]


@dataclass(frozen=True)
class Effect:
    """`sends`: attempts of unknown outcome, the present one included; `looks`: empty ones since."""

    id: str
    state: EffectState
    payload: Any
    generation: int
    sends: int
    looks: int
    not_before: datetime | None
    target_id: str | None
    settled_at: datetime | None = None


@dataclass(frozen=True)
class Intent:
    """`ref` names what is created in every attempt; `generation` grows when it is made anew."""

    connection: str
    work_id: str
    system: System
    action: str
    ref: str
    payload: Any
    creates: bool = True
    generation: int = 1


def open_intent(tx: Tx, intent: Intent, now: datetime) -> Effect:
    """The effect of this intent: the one that was begun before, else a new one.

    The payload of one that was never sent is brought up to date; of one in flight it is frozen.
    """
    row = _begun(tx, intent) if intent.creates else None
    if row is None:
        return _new(tx, intent, now)
    if row.state in ("prepared", "refused"):
        change(tx, row.id, state="prepared", payload=intent.payload, work_id=intent.work_id)
        row = tx.execute(select(effects).where(effects.c.id == row.id)).one()
    return _effect(row)


def begun(tx: Tx, intent: Intent) -> Effect | None:
    """What was recorded before for this creating write, if anything."""
    row = _begun(tx, intent)
    return None if row is None else _effect(row)


def sent_for(tx: Tx, work_id: str, action: str) -> list[Row[Any]]:
    """The creating writes of this kind that are done, or may be: oldest first."""
    rows = tx.execute(
        select(effects)
        .where(effects.c.work_id == work_id, effects.c.action == action, effects.c.creates)
        .where(effects.c.state.in_(("sending", "done")))
        .order_by(effects.c.id)
    )
    return list(rows)


def last(tx: Tx, intent: Intent) -> Effect | None:
    """What was recorded for this creating write in its youngest generation."""
    row = tx.execute(_of(intent).order_by(effects.c.generation.desc()).limit(1)).one_or_none()
    return None if row is None else _effect(row)


def latest(tx: Tx, work_id: str, action: str) -> Row[Any] | None:
    """The last write of this kind that was recorded for a row of the work list."""
    return tx.execute(
        select(effects)
        .where(effects.c.work_id == work_id, effects.c.action == action)
        .order_by(effects.c.id.desc())
        .limit(1)
    ).one_or_none()


def change(tx: Tx, effect_id: str, **values: Any) -> None:
    tx.execute(update(effects).where(effects.c.id == effect_id).values(values))


def of_work(tx: Tx, work_id: str) -> list[Row[Any]]:
    return list(
        tx.execute(select(effects).where(effects.c.work_id == work_id).order_by(effects.c.id))
    )


def makers(tx: Tx, connection: str, action: str, ref: str) -> dict[System, str]:
    """By system: the row that has begun to make this there, whether it knows the outcome or not."""
    rows = tx.execute(
        select(effects.c.system, effects.c.work_id).where(
            effects.c.connection == connection,
            effects.c.action == action,
            effects.c.ref == ref,
            effects.c.creates,
            effects.c.sends > 0,
        )
    )
    return {row.system: row.work_id for row in rows}


def touched_since(tx: Tx, connection: str, names: Collection[str], since: datetime) -> bool:
    """Whether we wrote lately to a record with one of these names, on either side."""
    own = select(effects).where(effects.c.connection == connection)
    latest = own.order_by(effects.c.id.desc()).limit(LATEST).subquery()
    named = or_(latest.c.target_id.in_(names), latest.c.ref.in_(names))
    query = select(latest.c.id).where(latest.c.prepared_at >= since, named)
    return tx.execute(query.limit(1)).first() is not None


def leave_alone(tx: Tx, work_ids: Collection[str], until: datetime) -> None:
    """What these rows were creating when their run was cut off: no look at it is believed before.

    Whoever ran them may have sent it in his last moment, long after he said that he would.
    """
    tx.execute(
        update(effects)
        .where(effects.c.work_id.in_(work_ids), effects.c.state == "sending", effects.c.creates)
        .where(or_(effects.c.not_before.is_(None), effects.c.not_before < until))
        .values(not_before=until, looks=0)
    )


def forgive(tx: Tx, work_id: str) -> None:
    """A person has decided that a write of unknown outcome may be tried again, after new looks."""
    tx.execute(
        update(effects)
        .where(effects.c.work_id == work_id, effects.c.state == "sending", effects.c.sends > 1)
        .values(sends=1, looks=0)
    )


def _begun(tx: Tx, intent: Intent) -> Row[Any] | None:
    query = _of(intent).where(effects.c.generation == intent.generation)
    return tx.execute(query).one_or_none()


def _of(intent: Intent) -> Select[Any]:
    return select(effects).where(
        effects.c.connection == intent.connection,
        effects.c.system == intent.system,
        effects.c.action == intent.action,
        effects.c.ref == intent.ref,
        effects.c.creates,
    )


def _new(tx: Tx, intent: Intent, now: datetime) -> Effect:
    effect = Effect(ids.new("eff"), "prepared", intent.payload, intent.generation, 0, 0, None, None)
    tx.execute(
        insert(effects).values(
            id=effect.id,
            connection=intent.connection,
            work_id=intent.work_id,
            system=intent.system,
            action=intent.action,
            ref=intent.ref,
            generation=intent.generation,
            creates=intent.creates,
            state=effect.state,
            payload=intent.payload,
            sends=0,
            looks=0,
            prepared_at=now,
        )
    )
    return effect


def _effect(row: Row[Any]) -> Effect:
    return Effect(
        row.id,
        row.state,
        row.payload,
        row.generation,
        row.sends,
        row.looks,
        row.not_before,
        row.target_id,
        row.settled_at,
    )
