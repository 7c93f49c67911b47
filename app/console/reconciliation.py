"""Do the books agree? Invoices, payments and fees of a period; each difference as a sentence."""

from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any
from urllib.parse import urlencode

from starlette.responses import Response, StreamingResponse

from app import clock
from app.api.checks import LONGEST_PERIOD_DAYS
from app.api.problems import Problem
from app.checks import reconcile
from app.checks.comparison import FINE, Line, Reconciliation
from app.connections import Connection
from app.console import words
from app.console.readings import Reading, Readings
from app.console.spreadsheet import MARK, amount, attachment, line
from app.console.visit import Here, Visit, router
from app.console.words import _
from app.errors import Ending, VendorError

routes = router()
SHOWN = 200
SENTENCES = {
    "agrees": _("Both systems say the same."),
    "pending": _("It is about to be carried over."),
    "vat_rounded": _("Both have the same amounts, and rounded the VAT on them differently."),
    "partly_paid": _("A part is paid. Severa shows an invoice as paid when all of it is."),
    "amount_differs": _("The amounts differ. Somebody changed one side after the transfer."),
    "invoice_date_differs": _("It has another invoice date in Fortnox than in Severa."),
    "missing_in_fortnox": _("It is not in Fortnox, though Severa shows it as carried over."),
    "surplus_in_fortnox": _("It is in Fortnox, but not in Severa any more."),
    "twice_in_fortnox": _("It is in Fortnox more than once. One of them has to be cancelled."),
    "missing_in_severa": _("It is booked in Fortnox, and there is no fee for it in Severa."),
    "surplus_in_severa": _("The fee is in Severa, and nothing in Fortnox answers to it."),
    "twice_in_severa": _("The same fee is in Severa more than once. One has to be removed."),
    "paid_only_in_fortnox": _("It is paid in Fortnox, but Severa does not show that."),
    "paid_only_in_severa": _("Severa shows it as paid, but in Fortnox something remains."),
    "payment_date_differs": _("It is paid in both systems, on different dates."),
}
SUBJECTS = {"invoice": _("Invoice"), "payment": _("Payment"), "fee": _("Project fee")}
TITLES = (
    *(_("Kind"), _("What it means"), _("Currency"), _("Amount in Severa")),
    *(_("Amount in Fortnox"), _("Difference"), _("Number in Severa"), _("Number in Fortnox")),
)


@routes.get("/c/{connection}/reconciliation")
def read_reconciliation(visit: Here) -> Response:
    """The page; what it says comes when both systems have been read."""
    connection, (first, last) = visit.connection(), _period(visit)
    period = _query(first, last)
    if not visit.is_piece():
        given = {"first": first, "last": last, "period": period, "periods": _periods(visit)}
        return visit.show("reconciliation.html", connection=connection, **given)
    try:
        reading = _books(visit).read(
            connection,
            period,
            visit.desk.hall.clock,
            lambda: _read(visit, connection, first, last),
        )
    except (VendorError, Ending) as error:
        return visit.show("unread.html", why=words.why(visit.tongue, error))
    return visit.show("reconciliation_now.html", connection=connection, **_facts(reading))


@routes.get("/c/{connection}/reconciliation.csv")
def read_file(visit: Here) -> Response:
    """Every comparison of the period, a line each, as the page showed them."""
    connection, (first, last) = visit.connection(), _period(visit)
    reading = _books(visit).get(
        connection,
        _query(first, last),
        visit.desk.hall.clock,
        lambda: _read(visit, connection, first, last),
    )
    name = f"{visit.name}-{first}-{last}.csv"
    return StreamingResponse(_lines(visit, reading.found), headers=attachment(name))


def _books(visit: Visit) -> Readings[Reconciliation]:
    books: Readings[Reconciliation] = visit.request.app.state.books
    return books


def _read(visit: Visit, connection: Connection, first: date, last: date) -> Reconciliation:
    return reconcile.run(visit.desk.look(connection), first, last)


def _facts(reading: Reading[Reconciliation]) -> dict[str, Any]:
    books = reading.found
    pending = sum(one.verdict == "pending" for one in books.lines)
    return {
        "books": books,
        "read_at": reading.at,
        "count": len(books.differences),
        "differences": books.differences[:SHOWN],
        "pending": pending,
        "agreeing": sum(one.verdict in FINE for one in books.lines) - pending,
        "sentences": SENTENCES,
        "subjects": SUBJECTS,
        "story": _story,
    }


def _story(one: Line) -> str:
    """Where the log tells of it."""
    kind = "project_fee" if one.subject == "fee" else one.subject
    number = one.fortnox_number if one.subject == "fee" else one.severa_number or one.fortnox_number
    return urlencode({"kind": kind, "q": number})


def _period(visit: Visit) -> tuple[date, date]:
    """Both days included; what makes no sense is this month until today."""
    today = clock.today(visit.desk.hall.clock())
    given = visit.request.query_params
    first = _day(given.get("since", "")) or today.replace(day=1)
    last = _day(given.get("until", "")) or max(today, first)
    if last < first or (last - first).days > LONGEST_PERIOD_DAYS:
        said = visit.tongue.text(
            "Choose a last day within %(days)s days after the first.", days=LONGEST_PERIOD_DAYS
        )
        raise Problem(400, said)
    return first, last


def _periods(visit: Visit) -> list[tuple[str, str]]:
    """The months that are asked for most, as links: (query, name)."""
    month = clock.today(visit.desk.hall.clock()).replace(day=1)
    found = []
    for _n in range(3):
        following = (month + timedelta(days=31)).replace(day=1)
        found.append((_query(month, following - timedelta(days=1)), visit.tongue.month(month)))
        month = (month - timedelta(days=1)).replace(day=1)
    return found


def _query(first: date, last: date) -> str:
    return f"?since={first}&until={last}"


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def _lines(visit: Visit, books: Reconciliation) -> Iterator[str]:
    say = visit.tongue.text
    yield MARK + line([say(title) for title in TITLES])
    for one in sorted(books.lines, key=lambda one: one.verdict in FINE):
        yield line(
            [
                say(SUBJECTS[one.subject]),
                say(SENTENCES[one.verdict]),
                one.currency,
                *(amount(of) for of in (one.severa_amount, one.fortnox_amount, one.difference)),
                one.severa_number,
                one.fortnox_number,
            ]
        )
