"""The story of one transfer: what was heard, what was said about it, what was written."""

from typing import Any

from sqlalchemy import Connection as Tx
from sqlalchemy import Row

from app import clock, effects, inbox, journal
from app.api.shapes import Moment
from app.languages import Language
from app.reasons import sentence


def timeline(tx: Tx, work_id: str, language: Language) -> list[Moment]:
    """In time order; of one instant what was heard comes first."""
    heard = [_heard(row, language) for row in inbox.about(tx, work_id)]
    said = [_said(row, language) for row in journal.read(tx, work_id)]
    written = [_written(row, language) for row in effects.of_work(tx, work_id)]
    return sorted([*heard, *written, *said], key=lambda moment: moment.at)


def _heard(row: Row[Any], language: Language) -> Moment:
    facts = {"type": row.type, "source": row.source.capitalize(), "door": row.door}
    return Moment(
        at=clock.iso(row.received_at) or "",
        type="event",
        text=sentence("event_heard", facts, language),
        id=row.id,
        event_type=row.type,
        source=row.source,
        door=row.door,
        status=row.status,
    )


def _said(row: Row[Any], language: Language) -> Moment:
    return Moment(
        at=clock.iso(row.at) or "",
        type="log",
        text=sentence(row.what, row.facts, language),
        id=row.id,
        code=row.what,
    )


def _written(row: Row[Any], language: Language) -> Moment:
    facts = {"system": row.system.capitalize(), "action": row.action, "target": row.target_id or ""}
    return Moment(
        at=clock.iso(row.settled_at or row.sent_at or row.prepared_at) or "",
        type="effect",
        text=sentence(f"effect_{row.state}", facts, language),
        id=row.id,
        system=row.system,
        action=row.action,
        state=row.state,
        target_id=row.target_id,
        sends=row.sends,
    )
