"""The transfer log: found, and read as a story."""

from typing import Annotated, Any

from fastapi import Query, Request
from sqlalchemy import Row

from app import clock, transfers
from app.api.criteria import Listing
from app.api.desk import AtDesk, Desk, is_name, language, router
from app.api.problems import not_found
from app.api.shapes import Transfer, Transfers, TransferStory, explained
from app.api.sides import sides
from app.api.timeline import timeline
from app.errors import Reason
from app.languages import Language
from app.worklist import UNSETTLED

routes = router("transfers")


@routes.get("/connections/{connection}/transfers")
def list_transfers(
    desk: AtDesk, request: Request, connection: str, wanted: Annotated[Listing, Query()]
) -> Transfers:
    """The transfer log, newest first; `state` and `kind` may be repeated or comma-separated."""
    after, only = wanted.after(), wanted.filter()
    with desk.hall.db.browsing() as tx:
        spoken = language(request, desk.connection(tx, connection))
        page = transfers.page(tx, connection, only, after, wanted.limit)
    return Transfers(
        transfers=[Transfer(**shown(desk, row, spoken)) for row in page.rows],
        next_cursor=str(page.next) if page.next else None,
    )


@routes.get("/connections/{connection}/transfers/{transfer}", response_model_exclude_unset=True)
def read_transfer(desk: AtDesk, request: Request, connection: str, transfer: str) -> TransferStory:
    """One transfer with its timeline: what was heard, said and written."""
    with desk.hall.db.reading() as tx:
        spoken = language(request, desk.connection(tx, connection))
        row = transfers.find(tx, connection, transfer) if is_name(transfer) else None
        if row is None:
            raise not_found("transfer")
        story = timeline(tx, transfer, spoken)
    return TransferStory(**shown(desk, row, spoken), timeline=story)


def shown(desk: Desk, row: Row[Any], spoken: Language) -> dict[str, Any]:
    """A row of the work list in the words of the contract, without outcomes of earlier runs."""
    source, target = sides(row, desk.hall.settings)
    reason = None if row.state in ("queued", "running") or not row.reason else Reason(**row.reason)
    return {
        "id": row.id,
        "connection": row.connection,
        "kind": row.kind,
        "state": row.state,
        "source": source,
        "target": target,
        "reason": explained(reason, spoken),
        "attempts": row.attempts,
        "received_at": clock.iso(row.received_at),
        "started_at": clock.iso(row.started_at),
        "settled_at": None if row.state in UNSETTLED else clock.iso(row.settled_at),
        "next_attempt_at": clock.iso(row.due_at),
    }
