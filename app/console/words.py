"""What our own words for kinds, states and systems are called on a page."""

import re

from app.console.tongue import Tongue
from app.errors import Ending, VendorError
from app.reasons import explain, word
from app.sync.refusals import ending_of


def _(text: str) -> str:
    """Marks a text for the catalogue; it is translated when it is shown."""
    return text


KINDS = {
    "invoice": _("Invoice"),
    "payment": _("Payment"),
    "customer": _("Customer"),
    "product": _("Product"),
    "project": _("Project"),
    "project_fee": _("Project fee"),
}
DOORS = {
    "webhook": _("webhook"),
    "listener": _("live connection"),
    "poll": _("regular check"),
}
ACTS = {
    "connection.created": _("Connection added"),
    "connection.changed": _("Settings changed"),
    "connection.deleted": _("Connection removed"),
    "connection.activated": _("Integration activated"),
    "connection.deactivated": _("Integration switched off"),
    "transfers.retried": _("Transfers run again"),
    "mail.tested": _("Test mail sent"),
    "backfill.started": _("Register carried over: begun"),
    "backfill.cancelled": _("Register carried over: cancelled"),
    "consent.invited": _("Link for consent in Fortnox made"),
    "consent.given": _("Consent given in Fortnox"),
    "key.created": _("Key made"),
    "key.revoked": _("Key revoked"),
    "person.added": _("Person added"),
    "person.changed": _("Person changed"),
    "person.removed": _("Person removed"),
    "secrets.resealed": _("Secrets encrypted anew"),
}
ADMIN_KEY = {"ADMIN_KEY": _("Admin key")}  # how the one that stands in no table is called
RECORDS = {  # of which both systems tell, beside our own kinds
    "work_type": _("Work type"),
    "travel_expense_type": _("Travel expense type"),
    "article": _("Article"),
    "invoicepayment": _("Payment"),
    "supplier-invoice": _("Supplier invoice"),
    "voucher": _("Voucher"),
    "account": _("Account"),
    "cost-center": _("Cost centre"),
    "currency": _("Currency"),
    "financial-year": _("Financial year"),
    "termsofpayments": _("Terms of payment"),
}
HAPPENED = {
    "created": _("made"),
    "updated": _("changed"),
    "status_changed": _("new status"),
    "deleted": _("removed"),
    "bookkeep": _("booked"),
    "cancelled": _("cancelled"),
}
VERSION = re.compile(r"-v\d+$")
HEARD = {"accepted": _("Accepted"), "ignored": _("Nothing follows")}
SENT = {
    "prepared": _("Not sent yet"),
    "sending": _("No answer yet"),
    "done": _("Accepted"),
    "refused": _("Refused"),
}
WAYS = {
    "severa_to_fortnox": _("Severa → Fortnox"),
    "fortnox_to_severa": _("Fortnox → Severa"),
}
BATCHES = {
    "customer": _("All customers"),
    "product": _("All products, work types and travel expenses"),
    "project": _("All projects"),
    "invoice": _("All invoices in the transfer status"),
    "project_fee": _("All booked supplier invoices, as project fees"),
    "retry": _("Transfers that a person runs again"),
}
STAGES = {
    "listing": _("Being read"),
    "running": _("Under way"),
    "done": _("Done"),
    "cancelled": _("Cancelled"),
}
STATES = {
    "queued": _("In turn"),
    "running": _("Under way"),
    "waiting": _("Waiting"),
    "blocked": _("Blocked"),
    "failed": _("Failed"),
    "done": _("Done"),
    "skipped": _("Nothing to do"),
}
GUID = re.compile(r"(?:[a-z_]+:)*([0-9a-f]{8})-[0-9a-f-]{27}", re.IGNORECASE)
ROLES = {"view": _("View"), "operate": _("Operate"), "configure": _("Configure")}
CHECKS = {
    "settings": _("Required settings"),
    "severa_registers": _("Permissions in Severa"),
    "severa_access": _("Severa lets us in"),
    "fortnox_access": _("Fortnox lets us in"),
    "fortnox_registers": _("Licences and scopes in Fortnox"),
    "project_accounting": _("Project accounting in Fortnox"),
    "status_transfer": _("Invoice status that triggers the transfer"),
    "status_received": _("Invoice status for received invoices"),
    "status_paid": _("Invoice status for paid invoices"),
    "status_error": _("Invoice status for errors"),
    "default_product": _("Default product"),
    "error_emails": _("Addresses for errors"),
    "statuses": _("Invoice statuses"),
    "product_codes": _("Codes of products"),
    "units": _("Units in Fortnox"),
    "product_conflicts": _("Products that contradict each other"),
    "products_near_miss": _("Products that are nearly alike"),
    "customers": _("Customers"),
    "customers_without_vat_number": _("Customers' VAT numbers"),
    "customers_with_invalid_vat_number": _("VAT numbers that are none"),
    "customers_without_address": _("Customers' addresses"),
    "customers_without_number": _("Customers' numbers"),
    "customers_near_miss": _("Customers that are nearly alike"),
    "cost_centers": _("Cost centres in Fortnox"),
    "currencies": _("Currencies in Fortnox"),
    "financial_year": _("Financial year in Fortnox"),
}


def kind(tongue: Tongue, word: str) -> str:
    return tongue.text(KINDS.get(word, word))


def door(tongue: Tongue, word: str) -> str:
    return tongue.text(DOORS.get(word, word))


def act(tongue: Tongue, action: str) -> str:
    return tongue.text(ACTS.get(action, action))


def who(tongue: Tongue, name: str) -> str:
    return tongue.text(ADMIN_KEY.get(name, name))


def sent(tongue: Tongue, state: str) -> str:
    """How it went for a write in one of the systems."""
    return tongue.text(SENT.get(state, state))


def event(tongue: Tongue, type_: str) -> str:
    """`invoice.status_changed`, `article-updated-v1`; as it came where it is no word of ours."""
    plain = VERSION.sub("", type_)
    record, _dot, happened = plain.rpartition("." if "." in plain else "-")
    named = (KINDS | RECORDS).get(record)
    if named is None or happened not in HAPPENED:
        return type_
    return f"{tongue.text(named)}: {tongue.text(HAPPENED[happened])}"


def write(tongue: Tongue, action: str) -> str:
    return word("action", action, tongue.language)


def heard(tongue: Tongue, word: str) -> str:
    return tongue.text(HEARD.get(word, word))


def way(tongue: Tongue, word: str) -> str:
    return tongue.text(WAYS.get(word, word)) if word else ""


def batch(tongue: Tongue, word: str) -> str:
    return tongue.text(BATCHES.get(word, word))


def stage(tongue: Tongue, word: str) -> str:
    return tongue.text(STAGES.get(word, word))


def state(tongue: Tongue, word: str) -> str:
    return tongue.text(STATES.get(word, word))


def role(tongue: Tongue, word: str) -> str:
    return tongue.text(ROLES.get(word, word))


def short(label: str | None) -> str:
    """A record whose name is not known yet is called by the beginning of its id."""
    found = GUID.fullmatch(label or "")
    return f"{found[1]}…" if found else label or "–"


def check(tongue: Tongue, code: str) -> str:
    return tongue.text(CHECKS.get(code, code))


def why(tongue: Tongue, error: VendorError | Ending) -> str:
    """What a system answered instead of what it was asked for, and what to do about it."""
    reason = error.reason if isinstance(error, Ending) else ending_of(error).reason
    told = explain(reason, tongue.language)
    return f"{told.message} {told.next_step}".strip()
