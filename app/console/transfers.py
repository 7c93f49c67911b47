"""The transfer log: filtered, live while it is open, and as a file."""

from collections.abc import Iterator

from starlette.responses import Response, StreamingResponse

from app import transfers
from app.api.transfers import shown
from app.console import words
from app.console.asked import STATES, Asked
from app.console.spreadsheet import MARK, attachment, line
from app.console.visit import Here, Visit, router
from app.console.words import _
from app.transfers import Cursor
from app.worklist import TRANSFERS

routes = router()
ON_A_PAGE = 50
IN_A_PIECE = 500
TITLES = (
    *(_("Heard"), _("Kind"), _("State"), _("From"), _("To")),
    *(_("Reason"), _("Who"), _("Next step"), _("Id")),
)


@routes.get("/c/{connection}/transfers")
def read_transfers(visit: Here) -> Response:
    asked = Asked.read(visit.request.query_params)
    connection = visit.connection()
    with visit.desk.hall.db.browsing() as tx:
        page = transfers.page(tx, visit.name, asked.filter(), asked.after, ON_A_PAGE)
    rows = [shown(visit.desk, row, visit.tongue.language) for row in page.rows]
    moments = [row.received_at for row in page.rows]
    sheet = "transfers_now.html" if visit.request.headers.get("hx-request") else "transfers.html"
    return visit.show(
        sheet,
        connection=connection,
        asked=asked,
        rows=list(zip(rows, moments, strict=True)),
        next=str(page.next) if page.next else "",
        kinds=TRANSFERS,
        states=STATES,
    )


@routes.get("/c/{connection}/transfers.csv")
def read_file(visit: Here) -> Response:
    """Everything that matches, in the reader's language; opens in Excel as it is."""
    asked, name = Asked.read(visit.request.query_params), visit.connection().name
    return StreamingResponse(_lines(visit, asked), headers=attachment(f"{name}-transfers.csv"))


def _lines(visit: Visit, asked: Asked) -> Iterator[str]:
    say = visit.tongue.text
    yield MARK + line([say(title) for title in TITLES])
    after: Cursor | None = None
    while True:
        with visit.desk.hall.db.browsing() as tx:
            page = transfers.page(tx, visit.name, asked.filter(), after, IN_A_PIECE)
        for row in page.rows:
            yield line(_cells(visit, shown(visit.desk, row, visit.tongue.language)))
        after = page.next
        if after is None:
            return


def _cells(visit: Visit, one: dict[str, object]) -> list[str]:
    source, target, reason = one["source"], one["target"], one["reason"]
    return [
        str(one["received_at"]),
        words.kind(visit.tongue, str(one["kind"])),
        words.state(visit.tongue, str(one["state"])),
        str(getattr(source, "label", "") or ""),
        str(getattr(target, "label", "") or ""),
        getattr(reason, "message", ""),
        getattr(reason, "who", ""),
        getattr(reason, "next_step", ""),
        str(one["id"]),
    ]
