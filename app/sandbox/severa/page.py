"""The page on which a newcomer acts as a Severa user."""

from pathlib import Path
from typing import TYPE_CHECKING

from jinja2 import Environment, FileSystemLoader
from starlette.responses import HTMLResponse, Response

from app.sandbox.severa.veil import Record

if TYPE_CHECKING:
    from app.sandbox.severa import Severa

PAGES = Environment(loader=FileSystemLoader(Path(__file__).parent), autoescape=True)


def _amount(money: Record) -> str:
    """12 345,50 SEK, with spaces that do not break."""
    figures = f"{money['amount'] or 0:,.2f}".replace(",", "\N{NO-BREAK SPACE}").replace(".", ",")
    return f"{figures}\N{NO-BREAK SPACE}{money['currencyCode']}"


PAGES.filters["amount"] = _amount


def render(severa: "Severa") -> Response:
    world = severa.world
    with world.lock:
        html = PAGES.get_template("page.html").render(
            company=world.details["name"],
            invoices=world.all("invoices")[::-1],
            customers=world.all("customers"),
            projects=[p for p in world.all("projects") if not p["isClosed"]],
            statuses=sorted(world.all("invoicestatuses"), key=lambda s: s["sortOrder"]),
            calls=severa.chaos.calls[-8:][::-1],
            faults=severa.chaos.faults,
        )
    return HTMLResponse(html)
