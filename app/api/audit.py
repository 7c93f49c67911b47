"""What people made happen: who, when, what, and from where."""

from typing import Annotated, Any

from fastapi import Query
from pydantic import BaseModel, BeforeValidator, Field

from app import audit, clock
from app.api.criteria import Instant, words
from app.api.desk import AtDesk, router
from app.audit import Action

routes = router("audit")
NAME = r"^[0-9a-z_-]{0,63}$"


class AuditListing(BaseModel):
    """`since` ≤ at < `until`; `action` may be repeated or comma-separated; `who`: a key's id."""

    connection: str = Field("", pattern=NAME)
    action: Annotated[list[Action], BeforeValidator(words)] = []
    who: str = Field("", pattern=NAME)
    since: Instant = None
    until: Instant = None
    cursor: str = Field("", pattern=NAME)
    limit: int = Field(50, ge=1, le=200)

    def filter(self) -> audit.Filter:
        return audit.Filter(self.connection, self.action, self.who, self.since, self.until)


class Actor(BaseModel):
    """`kind`: key, session (in the browser), link (a Fortnox administrator) or command."""

    kind: str
    id: str
    name: str
    origin: str


class Entry(BaseModel):
    """`facts`: what exactly, by action; a secret reads `********`."""

    id: str
    at: str
    action: str
    connection: str | None
    who: Actor
    facts: dict[str, Any]


class Entries(BaseModel):
    entries: list[Entry]
    next_cursor: str | None


@routes.get("/audit")
def read_audit(desk: AtDesk, wanted: Annotated[AuditListing, Query()]) -> Entries:
    """Newest first."""
    with desk.hall.db.reading() as tx:
        rows = audit.page(tx, wanted.filter(), wanted.cursor, wanted.limit + 1)
    shown = rows[: wanted.limit]
    return Entries(
        entries=[
            Entry(
                id=row.id,
                at=clock.iso(row.at) or "",
                action=row.action,
                connection=row.connection,
                who=Actor(kind=row.who_kind, id=row.who_id, name=row.who_name, origin=row.origin),
                facts=row.facts,
            )
            for row in shown
        ],
        next_cursor=shown[-1].id if len(rows) > wanted.limit else None,
    )
