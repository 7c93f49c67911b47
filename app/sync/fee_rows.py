"""Which rows of a supplier invoice become project fees, and how each of them is known again."""

import hashlib
import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal

from app.fortnox.schemas import SupplierInvoice, SupplierInvoiceRow
from app.sync import money

SEK = "SEK"
# Debt, VAT and rounding; the reverse charge of construction, EU goods and EU services.
NO_COST = frozenset({"TOT", "VAT", "ROV", "CND", "CNC", "PRD", "PRC", "SRD", "SRC"})


@dataclass(frozen=True)
class FeeRow:
    """`booked` in SEK, `billed` in the invoice's currency: debit less credit, without VAT.

    `identity` is made of account, project, article and text, and a number where several rows have
    all of these in common: Fortnox gives rows no id, their places move when rows are edited, and
    the amount is what the fee has to follow.
    """

    identity: str
    project: str
    article: str | None
    text: str
    name: str | None
    booked: Decimal
    billed: Decimal


def fee_rows(invoice: SupplierInvoice, accounts: str) -> list[FeeRow]:
    """Only of a booked invoice; `accounts` like `4000-4999,6000-7999`."""
    if not invoice.booked or invoice.cancelled:
        return []
    return [row for row in _rows(invoice, accounts) if row.booked or row.billed]


def amount_in(invoice: SupplierInvoice, row: FeeRow, currency: str | None) -> tuple[Decimal, str]:
    """In the project's currency where the invoice is in it too; else what was booked, in SEK."""
    if currency is None or currency == SEK or currency != invoice.currency:
        return row.booked, SEK
    return row.billed, currency


def _rows(invoice: SupplierInvoice, accounts: str) -> Iterator[FeeRow]:
    seen: Counter[tuple[str, ...]] = Counter()
    for row in invoice.supplier_invoice_rows:
        project = row.project or invoice.project
        if project is None or row.code in NO_COST or not _lies_in(row.account, accounts):
            continue
        text = (row.transaction_information or row.item_description or "").strip()
        key = (str(row.account), project, row.article_number or "", text)
        identity = _digest([*key, str(seen[key])], 12)
        seen[key] += 1
        booked, billed = _amounts(invoice, row)
        name = text or row.account_description
        yield FeeRow(identity, project, row.article_number, text, name, booked, billed)


def _lies_in(account: int, accounts: str) -> bool:
    for span in accounts.split(","):
        first, _, last = span.strip().partition("-")
        if int(first) <= account <= int(last or first):
            return True
    return False


def _amounts(invoice: SupplierInvoice, row: SupplierInvoiceRow) -> tuple[Decimal, Decimal]:
    """What one of the two currencies does not say follows from the other by the invoice's rate."""
    booked = (row.debit or money.ZERO) - (row.credit or money.ZERO)
    if invoice.currency in (None, SEK):
        return booked, booked
    billed = (row.debit_currency or money.ZERO) - (row.credit_currency or money.ZERO)
    rate = (invoice.currency_rate or Decimal(1)) / (invoice.currency_unit or Decimal(1))
    if not billed:
        billed = money.rounded(booked / rate)
    return booked or money.rounded(billed * rate), billed


def marker(number: str, identity: str, generation: int) -> str:
    """What a fee's description ends with: Severa keeps no reference of ours, so it stands there."""
    return f"[FX-{number}-{_digest([number, identity, str(generation)], 8)}]"


def _digest(parts: list[str], length: int) -> str:
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:length]
