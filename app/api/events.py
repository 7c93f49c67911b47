"""What was heard, as it may be shown: the words of the envelope, and nothing of the letter."""

import base64
import binascii
import json
from typing import Annotated, Any, Literal

from fastapi import Query, Request
from pydantic import BaseModel, Field
from sqlalchemy import Row, Select, select

from app import clock, inbox
from app.api.desk import AtDesk, is_name, language, router
from app.api.problems import not_found
from app.api.shapes import Event, Events, EventSummary, explained
from app.documents import MASK
from app.errors import Invalid, Reason
from app.languages import DEFAULT, Language, language_of
from app.models import events

routes = router("events")
SHOWN = frozenset(
    (
        *("type", "timestamp", "topic", "offset", "tenantId", "entityId", "year", "series"),
        *("id", "guid", "invoiceId", "fullyPaid"),
    )
)


class Listing(BaseModel):
    status: Literal["accepted", "ignored"] | None = None
    cursor: str = Field("", max_length=100)
    limit: int = Field(50, ge=1, le=200)


@routes.get("/events/{event}")
def read_event(desk: AtDesk, request: Request, event: str) -> Event:
    """One stored event; texts of its payload that are not ids are masked."""
    with desk.hall.db.reading() as tx:
        row = inbox.find(tx, event) if is_name(event) else None
        known = desk.known(tx, row.connection) if row else None
    if row is None:
        raise not_found("event")
    default = known.document.language if known else DEFAULT
    spoken = language_of(request.headers.get("accept-language", ""), default)
    return Event(**_summary(row, spoken), payload=_payload(row.body))


@routes.get("/connections/{connection}/events")
def list_events(
    desk: AtDesk, request: Request, connection: str, wanted: Annotated[Listing, Query()]
) -> Events:
    """What was heard for one connection, newest first, without payloads."""
    query = _query(connection, wanted)
    with desk.hall.db.reading() as tx:
        spoken = language(request, desk.connection(tx, connection))
        rows = tx.execute(query.limit(wanted.limit + 1)).all()
    shown = rows[: wanted.limit]
    return Events(
        events=[EventSummary(**_summary(row, spoken)) for row in shown],
        next_cursor=_cursor(shown[-1].id) if len(rows) > wanted.limit else None,
    )


def redacted(said: Any, *, name: str = "") -> Any:
    """Every text masked that does not stand in a field of the envelope."""
    if isinstance(said, dict):
        return {key: redacted(value, name=key) for key, value in said.items()}
    if isinstance(said, list):
        return [redacted(value, name=name) for value in said]
    return MASK if isinstance(said, str) and name not in SHOWN else said


def _query(connection: str, wanted: Listing) -> Select[Any]:
    query = select(events).where(events.c.connection == connection)
    if wanted.status:
        query = query.where(events.c.status == wanted.status)
    if wanted.cursor:
        query = query.where(events.c.id < _read_cursor(wanted.cursor))
    return query.order_by(events.c.id.desc())


def _summary(row: Row[Any], spoken: Language) -> dict[str, Any]:
    return {
        "id": row.id,
        "connection": row.connection,
        "source": row.source,
        "door": row.door,
        "type": row.type,
        "status": row.status,
        "reason": explained(Reason(row.reason) if row.reason else None, spoken),
        "received_at": clock.iso(row.received_at),
        "transfer_id": row.work_id,
    }


def _payload(body: bytes | None) -> Any:
    if body is None:
        return None
    try:
        return redacted(json.loads(body))
    except (ValueError, RecursionError):
        return None


def _cursor(event_id: str) -> str:
    return base64.urlsafe_b64encode(event_id.encode()).decode().rstrip("=")


def _read_cursor(text: str) -> str:
    try:
        event_id = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)).decode()
    except (ValueError, binascii.Error):
        event_id = ""
    if not is_name(event_id):
        raise Invalid("cursor", "is not one of ours")
    return event_id
