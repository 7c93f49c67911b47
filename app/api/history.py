"""Every write of a financial year, as a file: how each posting came about, for seven years."""

from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from typing import Any

from sqlalchemy import Row
from starlette.responses import StreamingResponse

from app import clock, retention
from app.api import spreadsheet
from app.api.desk import AtDesk, Desk, router
from app.api.period import First, Last, bound
from app.api.problems import Problem
from app.api.sides import sides

routes = router("transfers")
LONGEST_YEAR_DAYS = 550  # a financial year has at most eighteen months
PAGE = 500
COLUMNS = (
    *("at", "transfer", "kind", "source_system", "source_id", "source_label"),
    *("written_to", "action", "reference", "target_id", "target_label", "sha256"),
)


@routes.get("/connections/{connection}/history.csv", response_class=StreamingResponse)
def read_history(
    desk: AtDesk,
    connection: str,
    since: First,
    until: Last,
) -> StreamingResponse:
    """A line for each write that was done, from the first to the last day, in Swedish time."""
    bound(since, until, LONGEST_YEAR_DAYS)
    if until.year > 9000 or since.year < 1970:
        raise Problem(400, "from: expected a day of our time")
    with desk.hall.db.reading() as tx:
        desk.connection(tx, connection)
    return StreamingResponse(
        _lines(desk, connection, _midnight(since), _midnight(until + timedelta(days=1))),
        media_type=spreadsheet.MEDIA_TYPE,
        headers=spreadsheet.saved_as(f"{connection}-history-{since}-{until}.csv"),
    )


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), clock.STOCKHOLM)


def _lines(desk: Desk, connection: str, since: datetime, until: datetime) -> Iterator[str]:
    yield spreadsheet.lines(COLUMNS, [])
    after = ""
    while True:
        with desk.hall.db.reading() as tx:
            rows = retention.history(tx, connection, (since, until), after, PAGE)
        if not rows:
            return
        yield spreadsheet.lines(COLUMNS, [_line(desk, row) for row in rows], heading=False)
        after = rows[-1].id


def _line(desk: Desk, row: Row[Any]) -> dict[str, Any]:
    source = sides(row, desk.hall.settings)[0] if row.kind else None
    return {
        "at": clock.iso(row.settled_at),
        "transfer": row.work_id,
        "kind": row.kind,
        "source_system": source.system if source else None,
        "source_id": source.id if source else None,
        "source_label": row.source_label,
        "written_to": row.system,
        "action": row.action,
        "reference": row.ref,
        "target_id": row.target_id,
        "target_label": row.target_label,
        "sha256": row.payload_hash or retention.hash_of(row.payload),
    }
