"""What our own words for kinds, states and systems are called on a page."""

import re

from app.console.tongue import Tongue


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


def kind(tongue: Tongue, word: str) -> str:
    return tongue.text(KINDS.get(word, word))


def state(tongue: Tongue, word: str) -> str:
    return tongue.text(STATES.get(word, word))


def role(tongue: Tongue, word: str) -> str:
    return tongue.text(ROLES.get(word, word))


def short(label: str | None) -> str:
    """A record whose name is not known yet is called by the beginning of its id."""
    found = GUID.fullmatch(label or "")
    return f"{found[1]}…" if found else label or "–"
