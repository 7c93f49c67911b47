"""The admin API, `/api/v1`: one file for each resource."""

from fastapi import FastAPI

from app.api import connections, docs, events, problems, retries, transfers
from app.api.desk import Desk, Hint, Plan
from app.hall import Hall

__all__ = ["mount"]


def mount(app: FastAPI, hall: Hall, *, hint: Hint, plan: Plan) -> None:
    """Adds the admin API, its docs, and problem documents for whatever goes wrong in `app`.

    `hint(n)` says that n rows are due, and never raises; `plan(transfer_id)` answers the writes
    that a run would make. `app` is made with `openapi_url="/api/v1/openapi.json", docs_url=None`.
    """
    app.state.desk = Desk(hall, hint, plan)
    problems.install(app)
    for routes in (connections.routes, transfers.routes, retries.routes, events.routes):
        app.include_router(routes)
    docs.mount(app)
