"""What tests of a company that is only polled are told in."""

from datetime import timedelta
from typing import Any

from sqlalchemy import func, select

from app import transfers
from app.models import events
from tests.journeys.test_invoices import order
from tests.workshop import Workshop

MINUTE = timedelta(minutes=1)
SEVERA_CALLS, FORTNOX_CALLS = 7, 5  # of one round of polls that find nothing


def rounds(shop: Workshop, count: int = 1) -> None:
    """In every minute each poll has its turn once, and then what it wanted."""
    for _ in range(count):
        shop.clock.move_on(MINUTE)
        shop.run()


def calls(shop: Workshop) -> tuple[int, int]:
    """To Severa and to Fortnox; tokens are not counted."""
    both = (shop.partners.severa.chaos.calls, shop.partners.fortnox.chaos.calls)
    severa, fortnox = (sum("token" not in call.path for call in calls) for calls in both)
    return severa, fortnox


def heard(shop: Workshop) -> int:
    with shop.hall.db.reading() as tx:
        return tx.scalar(select(func.count()).select_from(events)) or 0


def carried(shop: Workshop) -> tuple[str, str]:
    """The GUID and the Fortnox number of an invoice that was carried over and booked."""
    guid = order(shop)
    rounds(shop)
    number = next(iter(shop.partners.books.invoices))
    shop.partners.books.book(number)
    return guid, number


def paid_on(shop: Workshop, guid: str) -> tuple[str, str | None]:
    invoice = shop.partners.severa.find("invoices", guid)
    return invoice["status"]["guid"], invoice["paymentDate"]


def transfers_of(shop: Workshop) -> list[Any]:
    with shop.hall.db.reading() as tx:
        return list(transfers.page(tx, shop.name, transfers.Filter(), None, 100).rows)
