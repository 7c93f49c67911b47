"""The table of contents for what is heard: which kind of event leads to looking at what.

Ignored is a decision; an event in none of the tables is unknown, and said to be.
"""

from collections.abc import Callable
from dataclasses import dataclass

from app.fortnox.webhook import FortnoxEvent
from app.severa.webhook import SeveraEvent
from app.worklist import Want

SEVERA_KINDS = {
    "invoice": "invoice",
    "customer": "customer",
    "product": "product",
    "work_type": "product",
    "travel_expense_type": "product",
    "project": "project",
}
SEVERA_VERBS = ("created", "updated", "status_changed", "deleted")

FORTNOX: dict[str, Callable[[FortnoxEvent], tuple[str, str]]] = {
    "customer-created": lambda event: ("customer", f"fortnox:{event.entity_id}"),
    "customer-updated": lambda event: ("customer", f"fortnox:{event.entity_id}"),
    "customer-deleted": lambda event: ("customer", f"fortnox:{event.entity_id}"),
    "article-created": lambda event: ("product", f"fortnox:{event.entity_id}"),
    "article-updated": lambda event: ("product", f"fortnox:{event.entity_id}"),
    "article-deleted": lambda event: ("product", f"fortnox:{event.entity_id}"),
    "invoice-updated": lambda event: ("payment", event.entity_id),
    "invoice-bookkeep": lambda event: ("payment", event.entity_id),
    "invoice-cancelled": lambda event: ("payment", event.entity_id),
    "invoicepayment-bookkeep": lambda event: _payment(event),
    "invoicepayment-deleted": lambda event: _payment(event),
    "supplier-invoice-created": lambda event: ("project_fee", event.entity_id),
    "supplier-invoice-updated": lambda event: ("project_fee", event.entity_id),
    "supplier-invoice-bookkeep": lambda event: ("project_fee", event.entity_id),
    "supplier-invoice-cancelled": lambda event: ("project_fee", event.entity_id),
    "voucher-created": lambda event: ("voucher", _voucher_key(event)),
    "voucher-updated": lambda event: ("voucher", _voucher_key(event)),
}

IGNORED = {
    "invoice-created",  # a new invoice is not paid; ours come back as this event
    "reminder-sent",  # a reminder moves no money
    "voucher-deleted",  # the payment or invoice behind it has an event of its own
    "send-push-notification-queued",  # people's phones are not accounting
}
IGNORED_TOPICS = {
    "bureau-activities",  # the accounting firm's own work
    "bureau-assignments",
    "messages",
    "offers",  # Severa has the sales process
    "orders",
    "suppliers",
    "termsofdeliveries",  # nothing is shipped
    "warehouse-stockbalances",
    "waysofdeliveries",
}


TOPICS = {  # of the records that the types of events begin with
    "account": "financial-years",
    "article": "articles",
    "cost-center": "cost-centers",
    "currency": "currencies",
    "customer": "customers",
    "financial-year": "financial-years",
    "invoice": "invoices",
    "invoicepayment": "invoices",
    "project": "projects",
    "supplier-invoice": "supplier-invoices",
    "termsofpayments": "termsofpayments",
    "voucher": "vouchers",
}


def topics() -> list[str]:
    """The topics of Fortnox's WebSocket from which something follows."""
    return sorted({TOPICS[kind.rpartition("-")[0]] for kind in FORTNOX})


@dataclass(frozen=True)
class Follows:
    """What follows from an event: something to look at, or the reason why nothing."""

    want: Want | None
    reason: str | None = None


def of_severa(connection: str, event: SeveraEvent) -> Follows:
    kind = SEVERA_KINDS.get(event.entity)
    if kind is None or event.verb not in SEVERA_VERBS:
        return Follows(None, "unknown_event_type")
    key = f"{event.entity}:{event.guid}" if kind == "product" else event.guid
    return Follows(Want(connection, kind, key))


def of_fortnox(connection: str, event: FortnoxEvent) -> Follows:
    if event.type in IGNORED or event.topic in IGNORED_TOPICS:
        return Follows(None, "nothing_follows")
    if event.type not in FORTNOX:
        return Follows(None, "unknown_event_type")
    kind, key = FORTNOX[event.type](event)
    return Follows(Want(connection, kind, key))


def _payment(event: FortnoxEvent) -> tuple[str, str]:
    """The invoice where the event names it; else the payment has to be read to know."""
    if event.invoice_id:
        return "payment", event.invoice_id
    return "invoice_payment", event.entity_id


def _voucher_key(event: FortnoxEvent) -> str:
    return f"{event.year}/{event.series}/{event.number}"
