"""What the admin API answers, field by field; instants are ISO 8601 in UTC."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field

from app.documents import Document
from app.errors import Reason
from app.languages import Language
from app.reasons import explain

ReadOnly = {"readOnly": True}


class Explained(BaseModel):
    """Why something stands where it stands, and who can mend it how."""

    code: str
    message: str
    who: str
    next_step: str


class Side(BaseModel):
    """`url` is the address in the vendor's API, `page` the one for people, where it is known."""

    system: Literal["severa", "fortnox"]
    id: str | None
    label: str | None
    url: str | None
    page: str | None = None


class Transfer(BaseModel):
    id: str
    connection: str
    kind: str
    state: str
    source: Side
    target: Side
    reason: Explained | None
    attempts: int
    received_at: str
    started_at: str | None
    settled_at: str | None
    next_attempt_at: str | None


class Moment(BaseModel):
    """`type`: `event` (heard), `log` (a sentence) or `effect` (a write); the rest by type."""

    at: str
    type: Literal["event", "log", "effect"]
    text: str
    id: str
    event_type: str | None = None
    source: str | None = None
    door: str | None = None
    status: str | None = None
    code: str | None = None
    system: str | None = None
    action: str | None = None
    state: str | None = None
    target_id: str | None = None
    sends: int | None = None


class TransferStory(Transfer):
    timeline: list[Moment]


class Transfers(BaseModel):
    transfers: list[Transfer]
    next_cursor: str | None


class Retried(BaseModel):
    """`backfill`: by which many are watched and cancelled, like a backfill; none for one alone."""

    retried: int
    backfill: str | None = None


class Planned(BaseModel):
    """The writes that would happen; `reason`: why the run would end without any."""

    writes: list[dict[str, Any]]
    reason: Explained | None = None


class EndsWithout(BaseModel):
    transfer: str
    reason: Explained


class PlannedMany(BaseModel):
    """Of `matched` transfers the first `planned` were looked at; a write names its `transfer`."""

    writes: list[dict[str, Any]]
    ends: list[EndsWithout]
    matched: int
    planned: int


class EventSummary(BaseModel):
    id: str
    connection: str
    source: str
    door: str
    type: str
    status: str
    reason: Explained | None
    received_at: str
    transfer_id: str | None


class Event(EventSummary):
    """`payload`: null once the retention time is over; texts that may be personal are masked."""

    payload: Any


class Events(BaseModel):
    events: list[EventSummary]
    next_cursor: str | None


class WebhookUrls(BaseModel):
    severa: str
    fortnox: str


class ConnectionDocument(Document):
    """The settings of one connection; secrets read `********`, which in a PUT keeps them."""

    active: Annotated[bool, Field(json_schema_extra=ReadOnly)] = False
    stopped: Annotated[Explained | None, Field(json_schema_extra=ReadOnly)] = None
    updated_at: Annotated[str, Field(json_schema_extra=ReadOnly)] = ""
    webhook_urls: Annotated[WebhookUrls | None, Field(json_schema_extra=ReadOnly)] = None


class ConnectionList(BaseModel):
    connections: list[ConnectionDocument]


def explained(reason: Reason | None, language: Language) -> Explained | None:
    if reason is None:
        return None
    told = explain(reason, language)
    return Explained(code=told.code, message=told.message, who=told.who, next_step=told.next_step)
