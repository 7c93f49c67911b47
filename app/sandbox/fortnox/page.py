"""The page on which a newcomer is the Fortnox user: book, register a payment, cancel."""

from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, select_autoescape

from app.sandbox.fortnox.tenant import Tenant


def _kronor(amount: Decimal | str) -> str:
    """20094 → "20 094,00"."""
    return f"{Decimal(amount):,.2f}".replace(",", "\u00a0").replace(".", ",")


_TEMPLATES = Environment(
    loader=FileSystemLoader(Path(__file__).parent), autoescape=select_autoescape()
)
_TEMPLATES.filters["kronor"] = _kronor


def render(tenants: Sequence[Tenant], tenant: Tenant | None, message: str) -> str:
    paid = {str(each["InvoiceNumber"]) for each in tenant.payments.values()} if tenant else set()
    return _TEMPLATES.get_template("page.html").render(
        tenants=tenants,
        tenant=tenant,
        invoices=list(tenant.invoices.in_order())[::-1][:200] if tenant else [],
        supplier_invoices=list(tenant.supplier_invoices.in_order())[::-1][:100] if tenant else [],
        with_payments=paid,
        message=message,
    )
