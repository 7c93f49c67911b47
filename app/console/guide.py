"""The start guide's checklist: its steps in its order, in its words, and which of them are done."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol
from urllib.parse import urlsplit

from app.connections import Connection
from app.console.words import _
from app.settings import Settings


class Status(Protocol):
    """An invoice status of Severa's, with its flags."""

    @property
    def guid(self) -> str: ...
    @property
    def name(self) -> str: ...
    @property
    def is_active(self) -> bool: ...
    @property
    def is_paid(self) -> bool: ...
    @property
    def is_sent(self) -> bool: ...


Mark = Literal["done", "open", "optional"]


@dataclass(frozen=True)
class Step:
    """`words`: what the start guide says; `needed`: the settings it cannot do without; `seen_to`:
    the systems where a person sees to it.
    """

    name: str
    title: str
    words: str
    needed: tuple[str, ...] = ()
    seen_to: tuple[str, ...] = ()


STEPS = (
    Step(
        "severa",
        _("Severa: credentials"),
        _(
            "To start using the integration you need licences for Severa and Fortnox. Create API"
            " credentials in Severa's settings, and give them here."
        ),
        ("severa.client_id", "severa.client_secret"),
        ("severa",),
    ),
    Step(
        "fortnox",
        _("Fortnox: app and consent"),
        _(
            "You need an available integration licence in Fortnox; more can be bought if need be."
            " The integration is authenticated by a Fortnox administrator. Activate project"
            " accounting in Fortnox if project fees are to be carried over."
        ),
        ("fortnox.client_id", "fortnox.client_secret", "fortnox.tenant_id"),
        ("fortnox",),
    ),
    Step(
        "statuses",
        _("Invoice statuses"),
        _(
            "You need one invoice status that triggers the transfer to Fortnox, and another to"
            " which the invoice is moved when Fortnox has received it. You may also choose a"
            " status for invoices that are paid in Fortnox; that is not required."
        ),
        ("invoice_statuses.transfer", "invoice_statuses.received"),
        ("severa",),
    ),
    Step(
        "attachments",
        _("Invoice attachments"),
        _(
            "Choose whether attachments of invoices are carried over. The invoice picture is not,"
            " because Fortnox makes its own when the invoicing is done there."
        ),
    ),
    Step(
        "customers",
        _("Customers"),
        _(
            "Choose whether all customers are carried over; that is needed only for customers that"
            " were there before the integration was activated. Choose whether Severa is the master"
            " for customers. This concerns updates only: new customers are carried over whichever"
            " system they were made in. Usually it makes most sense that Severa is the master,"
            " because of its CRM."
        ),
        seen_to=("severa", "fortnox"),
    ),
    Step(
        "products",
        _("Products"),
        _(
            "Choose whether Severa is the master for products. This concerns updates only. The"
            " default product is put on project fees that come from Fortnox; it is strongly"
            " recommended if you carry over project fees. Its code must be numeric."
        ),
        seen_to=("severa", "fortnox"),
    ),
    Step(
        "emails",
        _("Addresses for errors"),
        _(
            "Give at least one e-mail address for integration errors. It is not required, but"
            " strongly recommended: errors are easily missed otherwise."
        ),
    ),
    Step(
        "bookkeeping",
        _("Cost centres and bookkeeping"),
        _(
            "Severa's cost centres or business units become Fortnox's by this list, many to one."
            " One that is not in the list is left empty."
        ),
    ),
    Step(
        "webhooks",
        _("Webhooks, if you have any"),
        _(
            "Not needed: changes are heard without them. A relay that calls webhooks can make it"
            " faster still; it signs with the secret that you give here."
        ),
    ),
)


def mark(step: Step, connection: Connection) -> Mark:
    document = connection.document
    if step.needed:
        missing = document.missing()
        return "open" if any(one in missing for one in step.needed) else "done"
    said = {
        "emails": bool(document.error_emails),
        "products": document.default_product is not None,
        "bookkeeping": bool(document.cost_centers.map),
        "webhooks": bool(document.webhooks.severa.secrets or document.webhooks.fortnox.secrets),
    }
    return "done" if said.get(step.name, True) else "optional"


def homes(settings: Settings) -> dict[str, str]:
    """Where people log in to both systems: beside the addresses that we call."""
    severa, fortnox = urlsplit(settings.severa_url), urlsplit(settings.fortnox_auth_url)
    below = "/_sandbox/" if settings.sandbox else "/"
    return {
        "severa": f"{severa.scheme}://{severa.netloc.removeprefix('api.')}{below}",
        "fortnox": f"{fortnox.scheme}://{fortnox.netloc}{below}",
    }


def suggested(statuses: Sequence[Status]) -> dict[str, str]:
    """Which status could be which, by Severa's own flags and by what they are called."""
    usable = [one for one in statuses if one.is_active]
    ways: dict[str, Callable[[Status], bool]] = {
        "paid": lambda one: one.is_paid,
        "error": lambda one: _called(one, "fel", "error"),
        "received": lambda one: _called(one, "mottag", "received") and not one.is_paid,
        "transfer": lambda one: _called(one, "fortnox", "överför", "transfer"),
    }
    found: dict[str, str] = {}
    for name, fits in ways.items():
        for one in usable:
            if fits(one) and one.guid not in found.values():
                found[name] = one.guid
                break
    if "received" not in found:
        sent = [one for one in usable if one.is_sent and one.guid not in found.values()]
        found |= {"received": sent[0].guid} if sent else {}
    return found


def _called(status: Status, *parts: str) -> bool:
    return any(part in status.name.casefold() for part in parts)
