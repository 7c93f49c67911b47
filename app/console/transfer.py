"""One transfer: its story across both systems, and running it again with its writes foretold."""

import json
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection as Tx
from sqlalchemy import Row
from starlette.responses import Response

from app import effects, inbox, transfers
from app.api.desk import is_name
from app.api.events import redacted
from app.api.problems import not_found
from app.api.retries import run_again
from app.api.timeline import timeline
from app.api.transfers import shown
from app.console import words
from app.console.tongue import Tongue
from app.console.visit import Here, Sent, Visit, router
from app.errors import Ending, VendorError
from app.reasons import Explanation, explain

routes = router()


@dataclass(frozen=True)
class Paper:
    """What was heard or sent, with everything personal masked."""

    title: str
    state: str
    text: str


@routes.get("/c/{connection}/transfers/{transfer}")
def read_transfer(visit: Here, transfer: str) -> Response:
    connection = visit.connection()
    with visit.desk.hall.db.reading() as tx:
        row = _found(tx, visit, transfer)
        story = timeline(tx, transfer, visit.tongue.language)
        papers = _papers(tx, transfer, visit.tongue) if visit.session.who.may("configure") else []
    one = shown(visit.desk, row, visit.tongue.language)
    now = visit.request.headers.get("hx-request")
    return visit.show(
        "transfer_now.html" if now else "transfer.html",
        connection=connection,
        one=one,
        row=row,
        story=story[::-1],
        papers=papers,
    )


@routes.get("/c/{connection}/transfers/{transfer}/retry")
def foresee(visit: Here, transfer: str) -> Response:
    """The writes that a run would make now; none is made."""
    visit.need("operate")
    connection = visit.connection()
    with visit.desk.hall.db.reading() as tx:
        row = _found(tx, visit, transfer)
    writes, ends = look_ahead(visit, transfer)
    return visit.show(
        "retry.html",
        connection=connection,
        one=shown(visit.desk, row, visit.tongue.language),
        writes=writes,
        ends=ends,
    )


@routes.post("/c/{connection}/transfers/{transfer}/retry")
def retry(visit: Here, form: Sent, transfer: str) -> Response:  # noqa: ARG001 - looked at
    visit.need("operate")
    with visit.desk.hall.db.reading() as tx:
        _found(tx, visit, transfer)
    run_again(visit.desk, visit.session.who, visit.name, [transfer])
    place = f"/c/{visit.name}/transfers/{transfer}"
    return visit.go(place, visit.tongue.text("It runs again now."))


def look_ahead(visit: Visit, transfer: str) -> tuple[list[dict[str, Any]], Explanation | None]:
    """The writes of a run, or why it would end without any."""
    try:
        return [_shown(one) for one in visit.desk.plan(transfer)], None
    except Ending as ending:
        return [], explain(ending.reason, visit.tongue.language)
    except VendorError as error:
        said = error.words or visit.tongue.text("no answer")
        return [], Explanation("vendor", f"{error.system.capitalize()}: {said}", "", "")


def _shown(write: dict[str, Any]) -> dict[str, Any]:
    return write | {"text": _pretty(write.get("payload"))}


def _found(tx: Tx, visit: Visit, transfer: str) -> Row[Any]:
    row = transfers.find(tx, visit.name, transfer) if is_name(transfer) else None
    if row is None:
        raise not_found("transfer")
    return row


def _papers(tx: Tx, transfer: str, tongue: Tongue) -> list[Paper]:
    return [
        *(_heard(row, tongue) for row in inbox.about(tx, transfer)),
        *(_sent(row, tongue) for row in effects.of_work(tx, transfer)),
    ]


def _heard(row: Row[Any], tongue: Tongue) -> Paper:
    title = f"{row.source.capitalize()}: {words.event(tongue, row.type)}"
    return Paper(title, words.heard(tongue, row.status), masked(row.body))


def _sent(row: Row[Any], tongue: Tongue) -> Paper:
    title = f"{row.system.capitalize()}: {words.write(tongue, row.action)}"
    return Paper(title, words.sent(tongue, row.state), _pretty(redacted(row.payload)))


def masked(body: bytes | None) -> str:
    try:
        return _pretty(redacted(json.loads(body))) if body else ""
    except (ValueError, RecursionError):
        return ""


def _pretty(payload: Any) -> str:
    return "" if payload is None else json.dumps(payload, ensure_ascii=False, indent=2)
