"""Customers and products of both systems side by side: linked, nearly alike, contradictory."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, get_args
from urllib.parse import urlencode

from starlette.responses import Response, StreamingResponse

from app.checks.matching import Pair, Verdict
from app.checks.survey import Survey
from app.console import words
from app.console.readings import Reading, Readings
from app.console.spreadsheet import MARK, attachment, line
from app.console.visit import Here, Visit, router
from app.console.words import _
from app.errors import Ending, VendorError

routes = router()
ON_A_PAGE = 50
IN_A_PIECE = 500
Pairs = tuple[Pair, ...]
REGISTERS = {"customers": _("Customers"), "products": _("Products")}
VERDICTS: dict[str, str] = {
    "conflict": _("Conflict"),
    "near_miss": _("Near miss"),
    "only_severa": _("Only in Severa"),
    "only_fortnox": _("Only in Fortnox"),
    "link": _("Would be linked"),
}
MOODS = {"conflict": "error", "near_miss": "warning", "link": "ok"}
WHYS = {
    "same_number_other_name": _("The same number under another name. Is it the same customer?"),
    "same_tax_number_other_number": _(
        "The same organisation number under another number: it would be there twice."
    ),
    "same_name_other_number": _("Nearly the same name under another number: is it the same?"),
    "code_shared": _("Several products in Severa have this code."),
    "same_code_other_name": _("The same code under another name."),
    "same_name_other_code": _("The same name under another code."),
}
TITLES = (
    *(_("Verdict"), _("Number in Severa"), _("Name in Severa"), _("Number in Fortnox")),
    *(_("Name in Fortnox"), _("Likeness in %"), _("Why")),
)


@dataclass(frozen=True)
class Chosen:
    """Which part of a register a page shows; what makes no sense is left out."""

    register: str = "customers"
    verdict: str = ""
    q: str = ""
    page: int = 1

    @classmethod
    def read(cls, given: Mapping[str, str]) -> "Chosen":
        register, verdict = given.get("register", ""), given.get("verdict", "")
        number = given.get("page", "")
        return cls(
            register if register in REGISTERS else "customers",
            verdict if verdict in get_args(Verdict) else "",
            given.get("q", "").strip()[:200],
            int(number) if number.isascii() and number.isdigit() and len(number) < 6 else 1,
        )

    def query(self, **other: object) -> str:
        mine = {"register": self.register, "verdict": self.verdict, "q": self.q}
        return "?" + urlencode({name: one for name, one in (mine | other).items() if one})

    def of(self, pairs: Pairs) -> Pairs:
        """Those that match, what has to be looked at first, the likeliest first."""
        order = list(VERDICTS)
        found = [one for one in pairs if self._fits(one)]
        return tuple(sorted(found, key=lambda one: (order.index(one.verdict), -one.score)))

    def _fits(self, pair: Pair) -> bool:
        if self.verdict and pair.verdict != self.verdict:
            return False
        sides = [one for one in (pair.severa, pair.fortnox) if one]
        return any(self.q.lower() in f"{one.number} {one.name}".lower() for one in sides)


@routes.get("/c/{connection}/registers")
def read_registers(visit: Here) -> Response:
    """A page of what was read last; where nothing was read lately, both systems are read first."""
    connection, chosen = visit.connection(), Chosen.read(visit.request.query_params)
    known = None
    if "anew" not in visit.request.query_params:
        known = _kept(visit).known(connection, chosen.register, visit.desk.hall.clock())
    if known is not None:
        facts = _facts(known, chosen)
        return visit.show("registers.html", connection=connection, **facts)
    if not visit.is_piece():
        return visit.show("registers_unread.html", connection=connection, **_frame(chosen))
    try:
        found = _read(visit, chosen.register)
    except (VendorError, Ending) as error:
        return visit.show("unread.html", why=words.why(visit.tongue, error))
    return visit.show("registers_now.html", connection=connection, **_facts(found, chosen))


@routes.get("/c/{connection}/registers.csv")
def read_file(visit: Here) -> Response:
    """Every pair that matches, a line each, as the page showed them."""
    connection, chosen = visit.connection(), Chosen.read(visit.request.query_params)
    known = _kept(visit).known(connection, chosen.register, visit.desk.hall.clock())
    found = known or _read(visit, chosen.register)
    name = f"{visit.name}-{chosen.register}.csv"
    return StreamingResponse(_lines(visit, chosen.of(found.found)), headers=attachment(name))


def _kept(visit: Visit) -> Readings[Pairs]:
    kept: Readings[Pairs] = visit.request.app.state.registers
    return kept


def _read(visit: Visit, register: str) -> Reading[Pairs]:
    connection = visit.connection()

    def ask() -> Pairs:
        survey = Survey(visit.desk.look(connection))
        return tuple(survey.customer_pairs if register == "customers" else survey.article_pairs)

    return _kept(visit).read(connection, register, visit.desk.hall.clock, ask)


def _frame(chosen: Chosen) -> dict[str, Any]:
    return {"chosen": chosen, "registers": REGISTERS, "verdicts": VERDICTS}


def _facts(reading: Reading[Pairs], chosen: Chosen) -> dict[str, Any]:
    pairs = chosen.of(reading.found)
    pages = max(1, -(-len(pairs) // ON_A_PAGE))
    page = min(max(chosen.page, 1), pages)
    return _frame(chosen) | {
        "pairs": pairs[(page - 1) * ON_A_PAGE : page * ON_A_PAGE],
        "counts": Counter(one.verdict for one in reading.found),
        "many": len(pairs),
        "page": page,
        "pages": pages,
        "read_at": reading.at,
        "moods": MOODS,
        "whys": WHYS,
    }


def _lines(visit: Visit, pairs: Sequence[Pair]) -> Iterator[str]:
    say = visit.tongue.text
    yield MARK + line([say(title) for title in TITLES])
    for first in range(0, len(pairs), IN_A_PIECE):
        yield "".join(line(_cells(visit, one)) for one in pairs[first : first + IN_A_PIECE])


def _cells(visit: Visit, pair: Pair) -> list[str]:
    say = visit.tongue.text
    ours, theirs = pair.severa, pair.fortnox
    return [
        say(VERDICTS[pair.verdict]),
        *((ours.number, ours.name) if ours else ("", "")),
        *((theirs.number, theirs.name) if theirs else ("", "")),
        f"{pair.score:.1f}".replace(".", ",") if ours and theirs else "",
        say(WHYS[pair.why]) if pair.why else "",
    ]
