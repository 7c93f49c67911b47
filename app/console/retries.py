"""Running many transfers again, chosen by the filter of the log, behind whatever comes in."""

from typing import Any

from starlette.responses import Response

from app import transfers
from app.api.problems import Problem
from app.api.retries import MOST, run_many_again
from app.console.asked import Asked
from app.console.transfer import look_ahead
from app.console.visit import Here, Sent, Visit, router

routes = router()
FORETOLD = 5  # each takes several calls to both systems


@routes.get("/c/{connection}/retry")
def foresee(visit: Here) -> Response:
    """How many match, and what the first of them would write; nothing is written."""
    visit.need("operate")
    connection, asked = visit.connection(), Asked.read(visit.request.query_params)
    rows = _matching(visit, asked)
    foretold = [(row, *look_ahead(visit, row.id)) for row in rows[:FORETOLD]]
    return visit.show(
        "retry_many.html", connection=connection, asked=asked, many=len(rows), foretold=foretold
    )


@routes.post("/c/{connection}/retry")
def retry(visit: Here, form: Sent) -> Response:  # noqa: ARG001 - its token was looked at
    visit.need("operate")
    visit.connection()
    asked = Asked.read(visit.request.query_params)
    rows = _matching(visit, asked)
    many, _batch = run_many_again(
        visit.desk, visit.session.who, visit.name, [row.id for row in rows]
    )
    said = visit.tongue.texts(
        "%(number)s transfer runs again.",
        "%(number)s transfers run again, behind what comes in meanwhile.",
        many,
    )
    return visit.go(f"/c/{visit.name}/backfills", said)


def _matching(visit: Visit, asked: Asked) -> list[Any]:
    if not asked:
        raise Problem(400, visit.tongue.text("Choose which transfers, in the log."))
    with visit.desk.hall.db.browsing() as tx:
        rows = transfers.matching(tx, visit.name, asked.filter(), MOST + 1)
    if len(rows) > MOST:
        raise Problem(400, visit.tongue.text("Too many match: narrow the choice."))
    return rows
