"""What the forms of the checklist say, as changes of the settings document: pure."""

import re
from collections.abc import Callable, Mapping
from typing import Any

from app.documents import MASK
from app.errors import Invalid

Form = Mapping[str, str]
Plain = dict[str, Any]  # the masked document


def severa(form: Form, plain: Plain) -> None:
    _access(form, plain["severa"])


def fortnox(form: Form, plain: Plain) -> None:
    _access(form, plain["fortnox"])
    if form.get("tenant_id", "").strip():
        plain["fortnox"]["tenant_id"] = form["tenant_id"].strip()


def statuses(form: Form, plain: Plain) -> None:
    for name in ("transfer", "received", "paid", "error"):
        plain["invoice_statuses"][name] = form.get(name, "").strip() or None
    chosen = [guid for guid in plain["invoice_statuses"].values() if guid]
    if len(set(chosen)) != len(chosen):
        raise Invalid("invoice_statuses", "the same status was chosen twice")


def attachments(form: Form, plain: Plain) -> None:
    plain["transfer_attachments"] = form.get("transfer_attachments") == "on"


def customers(form: Form, plain: Plain) -> None:
    plain["transfer_all_customers"] = form.get("transfer_all_customers") == "on"
    plain["customer_master"] = form.get("customer_master", "severa")


def products(form: Form, plain: Plain) -> None:
    plain["product_master"] = form.get("product_master", "severa")
    if "default_product" in form:
        plain["default_product"] = form["default_product"].strip() or None


def emails(form: Form, plain: Plain) -> None:
    plain["error_emails"] = [
        one for one in re.split(r"[\s,;]+", form.get("error_emails", "")) if one
    ]


def bookkeeping(form: Form, plain: Plain) -> None:
    plain["cost_centers"] = {
        "from": form.get("from", "row"),
        "map": dict(_pair(line) for line in form.get("map", "").splitlines() if line.strip()),
    }
    plain["invoice_numbering"] = form.get("invoice_numbering", "fortnox")
    plain["bookkeep_invoices"] = form.get("bookkeep_invoices") == "on"
    plain["fee_accounts"] = form.get("fee_accounts", "").strip() or "4000-7999"


def webhooks(form: Form, plain: Plain) -> None:
    for source in ("severa", "fortnox"):
        secrets = form.get(source, "").split()
        plain["webhooks"][source]["secrets"] = secrets


FORMS: dict[str, Callable[[Form, Plain], None]] = {
    "severa": severa,
    "fortnox": fortnox,
    "statuses": statuses,
    "attachments": attachments,
    "customers": customers,
    "products": products,
    "emails": emails,
    "bookkeeping": bookkeeping,
    "webhooks": webhooks,
}


def _access(form: Form, part: Plain) -> None:
    """A secret that is left empty stays as it is."""
    part["client_id"] = form.get("client_id", "").strip()
    secret = form.get("client_secret", "").strip()
    part["client_secret"] = secret or (MASK if part["client_secret"] else "")


def _pair(line: str) -> tuple[str, str | None]:
    """`10 = STH`; nothing after the sign: goes without one."""
    ours, sign, theirs = line.partition("=")
    if not sign or not ours.strip():
        raise Invalid("cost_centers.map", f"expected lines like 10 = STH, not: {line[:40]}")
    return ours.strip(), theirs.strip() or None
