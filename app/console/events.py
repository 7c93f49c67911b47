"""What was heard: the list, and one event with what came of it."""

from collections.abc import Mapping
from dataclasses import asdict, replace
from typing import Any, get_args
from urllib.parse import urlencode

from sqlalchemy import Row
from starlette.responses import Response

from app import eventlog, inbox, transfers
from app.api.desk import is_name
from app.api.problems import not_found
from app.api.timeline import timeline
from app.api.transfers import shown
from app.console import words
from app.console.transfer import masked
from app.console.visit import Here, Visit, router
from app.errors import Reason
from app.eventlog import Filter
from app.inbox import Source
from app.reasons import Explanation, explain
from app.worklist import TRANSFERS

routes = router()
ON_A_PAGE = 50
CHOICES = {
    "source": get_args(Source),
    "door": tuple(words.DOORS),
    "status": tuple(words.HEARD),
    "kind": TRANSFERS,
}


@routes.get("/c/{connection}/events")
def read_events(visit: Here) -> Response:
    connection, given = visit.connection(), visit.request.query_params
    only, before = _only(given), given.get("before", "")
    with visit.desk.hall.db.browsing() as tx:
        start = before if is_name(before) else ""
        rows, more = eventlog.page(tx, visit.name, only, start, ON_A_PAGE)
    is_live = visit.request.headers.get("hx-request")
    return visit.show(
        "events_now.html" if is_live else "events.html",
        connection=connection,
        rows=[(row, _why(visit, row)) for row in rows],
        only=only,
        is_filtered=only != Filter(),
        older=_query(only, before=more) if more else "",
        newest=None if before else _query(only),
        choices=CHOICES,
    )


@routes.get("/c/{connection}/events/{event}")
def read_event(visit: Here, event: str) -> Response:
    """What it said, with everything personal masked; and the transfer that followed."""
    connection = visit.connection()
    with visit.desk.hall.db.reading() as tx:
        row = inbox.find(tx, event) if is_name(event) else None
        if row is None or row.connection != visit.name:
            raise not_found("event")
        work = transfers.find(tx, visit.name, row.work_id) if row.work_id else None
        story = timeline(tx, work.id, visit.tongue.language) if work else []
    return visit.show(
        "event.html",
        connection=connection,
        event=row,
        why=_why(visit, row),
        text=masked(row.body) if visit.session.who.may("configure") else None,
        one=shown(visit.desk, work, visit.tongue.language) if work else None,
        story=[one for one in story if one.type != "event"][::-1],
    )


def _only(given: Mapping[str, str]) -> Filter:
    """What makes no sense is left out."""
    chosen = {name: given.get(name, "") for name in CHOICES}
    known = {name: one for name, one in chosen.items() if one in CHOICES[name]}
    return replace(Filter(**known), q=given.get("q", "").strip()[:200])


def _query(only: Filter, **more: str) -> str:
    text = urlencode({name: value for name, value in (asdict(only) | more).items() if value})
    return f"?{text}" if text else ""


def _why(visit: Visit, row: Row[Any]) -> Explanation | None:
    return explain(Reason(row.reason), visit.tongue.language) if row.reason else None
