"""What is looked at as a whole: the preflight before activation, and the books of a period."""

from datetime import date
from typing import Any, Literal

from fastapi import Request, Response
from pydantic import BaseModel

from app.api import spreadsheet
from app.api.desk import AtDesk, Desk, language, router
from app.api.period import First, Last, bound
from app.api.shapes import Explained, explained
from app.checks import preflight, reconcile
from app.checks.comparison import Line, Reconciliation
from app.checks.matching import Pair
from app.checks.survey import Survey
from app.sync import money

routes = router("checks")
MOST_PAIRS = 1000
LONGEST_PERIOD_DAYS = 400
COLUMNS = (
    "subject",
    "verdict",
    "currency",
    "severa_amount",
    "fortnox_amount",
    "difference",
    "severa_number",
    "fortnox_number",
    "severa_id",
)


class Finding(BaseModel):
    """`about`: the records it is about."""

    check: str
    status: Literal["ok", "warning", "error"]
    reason: Explained | None
    about: list[str]


class Compared(BaseModel):
    """`score`: how alike the names are, in percent."""

    verdict: str
    score: float
    why: str
    severa: dict[str, str] | None
    fortnox: dict[str, str] | None


class RegisterSideBySide(BaseModel):
    """`counts` of every verdict; `pairs` without those that would simply link, the first 1,000."""

    counts: dict[str, int]
    pairs: list[Compared]


class Preflight(BaseModel):
    ok: bool
    checks: list[Finding]
    customers: RegisterSideBySide
    products: RegisterSideBySide


class Difference(BaseModel):
    """Amounts are decimal strings in `currency`: of invoices and payments with VAT and without
    öresavrundning, of fees without VAT.

    Of a fee, `fortnox_number` is the supplier invoice's and `severa_number` the project's.
    """

    subject: str
    verdict: str
    currency: str
    severa_amount: str
    fortnox_amount: str
    difference: str
    severa_number: str
    fortnox_number: str
    severa_id: str


class Amounts(BaseModel):
    """All invoices, payments or fees of one currency."""

    subject: str
    currency: str
    severa: str
    fortnox: str
    difference: str


class Books(BaseModel):
    """`differences`: how many lines are neither in agreement nor merely on their way."""

    since: str
    until: str
    differences: int
    sums: list[Amounts]
    lines: list[Difference]


@routes.get("/connections/{connection}/preflight")
def read_preflight(desk: AtDesk, request: Request, connection: str) -> Preflight:
    """Every condition of the start guide, and both registers side by side; nothing is written."""
    with desk.hall.db.reading() as tx:
        found = desk.connection(tx, connection)
    spoken = language(request, found)
    report = preflight.run(Survey(desk.look(found)))
    return Preflight(
        ok=report.is_clear,
        checks=[
            Finding(
                check=one.code,
                status=one.status,
                reason=explained(one.reason, spoken),
                about=list(one.about),
            )
            for one in report.findings
        ],
        customers=_register(report.customers),
        products=_register(report.articles),
    )


@routes.get("/connections/{connection}/reconciliation")
def read_reconciliation(
    desk: AtDesk,
    connection: str,
    since: First,
    until: Last,
) -> Books:
    """Invoices, payments and fees of both systems, compared to the öre."""
    books = _reconciled(desk, connection, since, until)
    return Books(
        since=since.isoformat(),
        until=until.isoformat(),
        differences=len(books.differences),
        sums=[
            Amounts(
                subject=one.subject,
                currency=one.currency,
                severa=_amount(one.severa),
                fortnox=_amount(one.fortnox),
                difference=_amount(one.fortnox - one.severa),
            )
            for one in books.sums
        ],
        lines=[Difference(**_line(line)) for line in books.lines],
    )


@routes.get("/connections/{connection}/reconciliation.csv", response_class=Response)
def read_reconciliation_csv(
    desk: AtDesk,
    connection: str,
    since: First,
    until: Last,
) -> Response:
    """The same, a line each."""
    books = _reconciled(desk, connection, since, until)
    text = spreadsheet.lines(COLUMNS, [_line(line) for line in books.lines])
    headers = spreadsheet.saved_as(f"{connection}-{since}-{until}.csv")
    return Response(text, media_type=spreadsheet.MEDIA_TYPE, headers=headers)


def _reconciled(desk: Desk, connection: str, since: date, until: date) -> Reconciliation:
    bound(since, until, LONGEST_PERIOD_DAYS)
    with desk.hall.db.reading() as tx:
        found = desk.connection(tx, connection)
    return reconcile.run(desk.look(found), since, until)


def _register(pairs: tuple[Pair, ...]) -> RegisterSideBySide:
    counts: dict[str, int] = {}
    for one in pairs:
        counts[one.verdict] = counts.get(one.verdict, 0) + 1
    told = [one for one in pairs if one.verdict != "link"][:MOST_PAIRS]
    return RegisterSideBySide(counts=counts, pairs=[_compared(one) for one in told])


def _compared(one: Pair) -> Compared:
    return Compared(
        verdict=one.verdict,
        score=one.score,
        why=one.why,
        severa=_entry(one.severa),
        fortnox=_entry(one.fortnox),
    )


def _entry(entry: Any) -> dict[str, str] | None:
    return {"id": entry.id, "number": entry.number, "name": entry.name} if entry else None


def _line(line: Line) -> dict[str, str]:
    return {
        "subject": line.subject,
        "verdict": line.verdict,
        "currency": line.currency,
        "severa_amount": _amount(line.severa_amount),
        "fortnox_amount": _amount(line.fortnox_amount),
        "difference": _amount(line.difference),
        "severa_number": line.severa_number,
        "fortnox_number": line.fortnox_number,
        "severa_id": line.severa_id,
    }


def _amount(amount: Any) -> str:
    return f"{money.rounded(amount):f}"
