"""What an invoice is translated from: read in Severa, and what Fortnox lacks carried over first."""

from collections.abc import Sequence
from decimal import Decimal

from app import links
from app.errors import Blocked, Missing, because
from app.links import Link
from app.severa.billed import BilledItem
from app.severa.schemas import Invoice, InvoiceRow
from app.sync import article_names, credit_note, invoice_rows, money
from app.sync.credit_note import Original
from app.sync.invoice_document import SEK
from app.sync.invoice_rows import Facts
from app.sync.sides import Sides
from app.waiting import changed_key

UNTAXED = ("EUREVERSEDVAT", "EXPORT")  # Fortnox: rows have no VAT then


def gather(sides: Sides, invoice: Invoice, original: Original | None) -> Facts:
    """Reads what the translation needs; what Fortnox lacks of it is carried over first."""
    rows = sides.severa.invoice_rows(invoice.guid)
    payer = invoice.billing_customer or invoice.customer
    if payer is None:
        raise Blocked(because("invoice_without_customer"))
    customer = sides.ensure("customer", payer.guid.lower())
    _check_vat(sides, invoice, rows, customer)
    projects = {
        one.guid: sides.ensure("project", one.guid.lower()) for one in invoice.projects or []
    }
    rate, unit = _register_rate(sides, invoice)
    return Facts(
        invoice=invoice,
        rows=rows,
        document=sides.document,
        customer_number=customer.fortnox_id,
        projects={
            guid: (link.fortnox_id, link.carried.get("business_unit"))
            for guid, link in projects.items()
        },
        articles={code: _article(sides, code) for code in _codes(rows)},
        items=_items(sides, invoice, rows),
        flat_rates=_flat_rates(sides, invoice, rows),
        terms=frozenset(
            sides.registers.get(
                "terms", lambda: {one.code for one in sides.fortnox.terms_of_payments()}
            )
        ),
        register_rate=rate,
        register_unit=unit,
        credits=original.number if original else credit_note.severa_number(invoice),
    )


def _check_vat(sides: Sides, invoice: Invoice, rows: Sequence[InvoiceRow], customer: Link) -> None:
    """VAT on a sale that Fortnox makes without any would be dropped there, refused or misbooked.

    What we gave the customer tells whether to ask; what Fortnox has now decides.
    """
    taxed = next(((at, vat) for at, vat in invoice_rows.vats(invoice, rows) if vat), None)
    given = customer.carried.get("payload") or {}
    if taxed is None or given.get("VATType") not in UNTAXED:
        return
    number = customer.fortnox_id
    try:
        vat_type = sides.fortnox.customer(number).vat_type
    except Missing:  # nothing but the invoice itself can say that
        return
    if vat_type in UNTAXED:
        place, vat = taxed
        facts = {"row": place, "vat": money.plain(vat), "customer": number, "vat_type": vat_type}
        raise Blocked(
            because("vat_on_untaxed_sale", **facts), waits_for=f"fortnox:customers/{number}"
        )


def _codes(rows: Sequence[InvoiceRow]) -> list[str]:
    return list(dict.fromkeys(code for row in rows for code in invoice_rows.codes_of(row)))


def _article(sides: Sides, code: str) -> str:
    """The article of a code: known, carried over now, or in Fortnox without a record in Severa."""
    with sides.db.reading() as tx:
        if links.of_fortnox(tx, sides.name, "product", code):
            return code
    found = sides.severa.articles_by_code(code)
    keys = [article_names.key_of(*one) for one in found]
    if len(keys) > 1:  # each of them has to say so, or be parted from the other
        for key in keys:
            sides.ensure("product", key)
        raise article_names.shared(code, found)
    if keys:
        return sides.ensure("product", keys[0]).fortnox_id
    try:
        return sides.fortnox.article(code).article_number
    except Missing as error:
        raise Blocked(
            because("product_unknown", number=code),
            waits_for=changed_key("product", f"fortnox:{code}"),
        ) from error


def _items(
    sides: Sides, invoice: Invoice, rows: Sequence[InvoiceRow]
) -> dict[str, list[BilledItem]]:
    if not invoice_rows.needs_items(invoice, rows):
        return {}
    grouped: dict[str, list[BilledItem]] = {}
    has_groups = any(len(invoice_rows.codes_of(row)) > 1 for row in rows)
    for one in sides.severa.billed_items(invoice.guid, credit_note=invoice.is_credit_note):
        known = _with_code(sides, one) if has_groups else one
        grouped.setdefault(one.invoice_row_guid or "", []).append(known)
    return grouped


def _with_code(sides: Sides, item: BilledItem) -> BilledItem:
    """What stands behind a credit note is named without its code; the registers tell it."""
    if item.coded is None or item.coded.code or not item.coded.guid:
        return item
    code = sides.registers.get("codes", sides.severa.codes).get(item.coded.guid.lower())
    return item.coded_as(code)


def _flat_rates(sides: Sides, invoice: Invoice, rows: Sequence[InvoiceRow]) -> dict[str, str]:
    if len(invoice.projects or []) < 2 or not any(row.flat_rate_guid for row in rows):
        return {}
    return {
        rate.guid: rate.project.guid
        for rate in sides.severa.flat_rates(invoice.guid)
        if rate.guid and rate.project and rate.project.guid
    }


def _register_rate(sides: Sides, invoice: Invoice) -> tuple[Decimal | None, Decimal]:
    """Crowns for so many units, as Fortnox's register of currencies has it."""
    code = invoice.currency.code if invoice.currency else SEK
    if code == SEK:
        return None, Decimal(1)
    try:
        known = sides.registers.get(f"currency {code}", lambda: sides.fortnox.currency(code))
    except Missing as error:
        raise Blocked(
            because("currency_missing", currency=code), waits_for="fortnox:currencies"
        ) from error
    return known.sell_rate or known.buy_rate, known.unit or Decimal(1)
