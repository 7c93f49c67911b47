"""Running transfers again at a person's word, or only saying what such a run would write."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated

import structlog
from fastapi import Query, Request
from pydantic import BaseModel
from sqlalchemy import Connection as Tx
from starlette.responses import JSONResponse

from app import audit, backfills, batches, effects, journal, transfers, worklist
from app.api.criteria import Manner, Selection
from app.api.desk import AtDesk, Desk, is_name, language, router, who
from app.api.problems import Problem, not_found
from app.api.shapes import EndsWithout, Planned, PlannedMany, Retried, explained
from app.errors import Ending, Invalid
from app.identity import Identity
from app.languages import Language
from app.worklist import LIVE

log = structlog.get_logger()
routes = router("transfers")
MOST = 10_000
MOST_PLANNED = 100
CHUNK = 200  # rows in one transaction, so that events can be stored in between

How = Annotated[Manner, Query()]


@routes.post(
    "/connections/{connection}/transfers/{transfer}/retry",
    status_code=202,
    response_model=Retried,
    response_model_exclude_none=True,
    responses={200: {"model": Planned}},
)
def retry_one(
    desk: AtDesk, request: Request, connection: str, transfer: str, how: How
) -> Retried | JSONResponse:
    """Runs it again now, with the whole retry schedule ahead."""
    with desk.hall.db.reading() as tx:
        spoken = language(request, desk.connection(tx, connection))
        row = transfers.find(tx, connection, transfer) if is_name(transfer) else None
    if row is None:
        raise not_found("transfer")
    if how.dry_run:
        return _answer(_look_ahead(desk, row.id, spoken))
    return Retried(retried=run_again(desk, who(request), connection, [row.id]))


@routes.post(
    "/connections/{connection}/transfers/retry",
    status_code=202,
    response_model=Retried,
    response_model_exclude_none=True,
    responses={200: {"model": PlannedMany}},
)
def retry_many(
    desk: AtDesk, request: Request, connection: str, selection: Selection, how: How
) -> Retried | JSONResponse:
    """Runs again everything that meets all criteria; a dry run looks at the first 100."""
    chosen, spoken = _chosen(desk, request, connection, selection)
    if how.dry_run:
        return _answer(_look_ahead_many(desk, chosen, spoken))
    if len(chosen) < 2:
        return Retried(retried=run_again(desk, who(request), connection, chosen))
    many, batch = run_many_again(desk, who(request), connection, chosen)
    return Retried(retried=many, backfill=batch)


def _chosen(
    desk: Desk, request: Request, connection: str, selection: Selection
) -> tuple[list[str], Language]:
    only = selection.filter()
    if not only:
        raise Invalid("body", "give at least one of state, kind, q, ids, since, until")
    with desk.hall.db.browsing() as tx:
        spoken = language(request, desk.connection(tx, connection))
        rows = transfers.matching(tx, connection, only, MOST + 1)
    if len(rows) > MOST:
        raise Problem(400, f"More than {MOST} transfers match: narrow the criteria.")
    return [row.id for row in rows], spoken


def _look_ahead(desk: Desk, transfer: str, spoken: Language) -> Planned:
    try:
        return Planned(writes=desk.plan(transfer))
    except Ending as ending:
        return Planned(writes=[], reason=explained(ending.reason, spoken))


def _look_ahead_many(desk: Desk, chosen: Sequence[str], spoken: Language) -> PlannedMany:
    looked_at = chosen[:MOST_PLANNED]
    writes, ends = [], []
    for one in looked_at:
        planned = _look_ahead(desk, one, spoken)
        writes += [write | {"transfer": one} for write in planned.writes]
        if planned.reason:
            ends.append(EndsWithout(transfer=one, reason=planned.reason))
    return PlannedMany(writes=writes, ends=ends, matched=len(chosen), planned=len(looked_at))


def _answer(planned: BaseModel) -> JSONResponse:
    return JSONResponse(planned.model_dump(mode="json", exclude_none=True))


def run_again(desk: Desk, by: Identity, connection: str, chosen: Sequence[str]) -> int:
    """One, in front of everything else."""
    with desk.hall.db.transaction() as tx:
        now = desk.hall.clock()
        for one in chosen:
            _forgive(tx, connection, one, now)
        due = worklist.retry(tx, chosen, now, LIVE)
        audit.write(tx, by, "transfers.retried", connection, now, transfers=list(chosen))
    desk.hint(due)
    log.info("transfers.retried", connection=connection, retried=due)
    return due


def run_many_again(
    desk: Desk, by: Identity, connection: str, chosen: Sequence[str]
) -> tuple[int, str]:
    """Behind what comes in meanwhile: how many, and the batch by which they can be taken back."""
    if not chosen:
        return 0, ""
    with desk.hall.db.transaction() as tx:
        batch = backfills.begin_retry(tx, connection, desk.hall.clock())
    retried = 0
    for start in range(0, len(chosen), CHUNK):
        some = chosen[start : start + CHUNK]
        with desk.hall.db.transaction() as tx:
            now = desk.hall.clock()
            if backfills.is_cancelled(tx, batch):
                break
            for one in some:
                _forgive(tx, connection, one, now)
            due = batches.retry(tx, connection, batch, some, now)
            audit.write(tx, by, "transfers.retried", connection, now, transfers=list(some))
            if start + CHUNK >= len(chosen):
                backfills.listed(tx, batch, now)
        desk.hint(due)
        retried += due
    log.info("transfers.retried", connection=connection, retried=retried, batch=batch)
    return retried, batch


def _forgive(tx: Tx, connection: str, transfer: str, now: datetime) -> None:
    effects.forgive(tx, transfer)
    journal.write(tx, connection, transfer, "retried_by_person", now)
