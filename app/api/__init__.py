"""The admin API, `/api/v1`: one file for each resource."""

from fastapi import FastAPI

from app.api import (
    audit,
    backfills,
    checks,
    connections,
    coverage,
    docs,
    events,
    history,
    keys,
    mail,
    people,
    problems,
    retries,
    transfers,
)
from app.api.desk import Desk, Hint, Look, Plan
from app.hall import Hall

__all__ = ["mount"]


def mount(app: FastAPI, hall: Hall, *, hint: Hint, plan: Plan, look: Look) -> None:
    """Adds the admin API, its docs, and problem documents for whatever goes wrong in `app`.

    `hint(n)` says that n rows are due, and never raises; `plan(transfer_id)` answers the writes
    that a run would make; `look(connection)` opens both windows for reading. `app` is made with
    `openapi_url="/api/v1/openapi.json", docs_url=None`.
    """
    app.state.desk = Desk(hall, hint, plan, look)
    problems.install(app)
    for routes in (
        backfills.routes,
        checks.routes,
        connections.routes,
        coverage.routes,
        transfers.routes,
        retries.routes,
        events.routes,
        keys.routes,
        people.routes,
        history.routes,
        audit.routes,
        mail.routes,
    ):
        app.include_router(routes)
    docs.mount(app)
