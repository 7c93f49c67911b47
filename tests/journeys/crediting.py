"""What tests of credit notes are told in."""

from datetime import date, timedelta
from typing import Any

from app import sync, worklist
from app.sandbox.chaos import Fault, Kind
from app.sandbox.severa import TRANSFER
from app.worklist import Want
from tests.workshop import Workshop

CREDIT = r"/3/invoices/\d+/credit$"
YESTERDAY = (date.today() - timedelta(days=1)).isoformat()  # noqa: DTZ011 - the books are of today


def carry(shop: Workshop, guid: str) -> str:
    """Stands in the transfer status and was looked at."""
    shop.partners.severa.set_status(guid, TRANSFER)
    shop.look_at("invoice", guid)
    return guid


def booked_original(shop: Workshop, **fields: Any) -> str:
    """Number 1 in Fortnox."""
    guid = carry(shop, shop.partners.severa.add_simple_invoice(**fields)["guid"])
    shop.partners.books.book("1")
    return guid


def note_on(shop: Workshop, original: str, quantity: float | None = None, **fields: Any) -> str:
    """A credit note on the whole invoice, or on so much of its first row."""
    severa = shop.partners.severa
    rows = None if quantity is None else {severa.rows(original)[0]["guid"]: quantity}
    guid: str = severa.add_credit_note(original, rows, **fields)["guid"]
    return guid


def invoice(shop: Workshop, number: str) -> dict[str, Any]:
    found: dict[str, Any] = shop.partners.books.invoices[number]
    return found


def numbers(shop: Workshop) -> list[str]:
    return list(shop.partners.books.invoices)


def fail_once(shop: Workshop, kind: Kind, **fields: Any) -> None:
    shop.partners.fortnox.chaos.faults.append(Fault(kind, CREDIT, "PUT", **fields))


def creating_calls(shop: Workshop) -> int:
    calls = shop.partners.fortnox.chaos.calls
    return sum(
        (call.method, call.path) == ("POST", "/3/invoices") or call.path.endswith("/credit")
        for call in calls
    )


def planned(shop: Workshop, guid: str) -> list[str]:
    """The writes that a dry run tells of."""
    sides = shop.process.room.sides(shop.connection(), worklist.LIVE)
    item = worklist.imagined(Want(shop.name, "invoice", guid))
    return [one.action for one in sync.plan(sides, item)]
