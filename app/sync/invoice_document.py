"""The invoice as Fortnox shall have it, and what its answer is held against."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

from app.errors import Blocked, Reason, because
from app.fortnox import schemas as fortnox
from app.fortnox.text import address_lines, clean, cut
from app.severa.schemas import FreeText, Invoice
from app.sync import invoice_rows, money
from app.sync.invoice_rows import Facts, Rows

SEK = "SEK"
LONGEST_REFERENCE = 50
LONGEST_ORDER_NUMBER = 75
LONGEST_REMARKS = 1024
RATE_DIGITS = Decimal("0.000001")


@dataclass(frozen=True)
class Translation:
    """What is sent, what the answer must say, and what the log should warn of.

    `vats`: the sums that rounding by row, by rate, or Severa's own way lead to; any is right.
    """

    invoice: fortnox.InvoiceIn
    net: Decimal
    vats: frozenset[Decimal]
    warnings: tuple[Reason, ...]


def reference(guid: str) -> str:
    """ExternalInvoiceReference1: always the same for one Severa invoice, 43 characters."""
    return f"severa:{guid}"


def translate(facts: Facts) -> Translation:
    """Blocked when a row has neither code nor account, the rows are not Severa's total, or a
    credit note charges.
    """
    invoice, rows = facts.invoice, invoice_rows.translate(facts)
    net = sum((amount for amount, _ in rows.amounts), money.ZERO)
    _check_total(invoice, net)
    warnings = [*rows.warnings, *_signs(invoice, net)]
    return Translation(_document(facts, rows, warnings), net, _vats(facts, rows), tuple(warnings))


def differences(
    asked: Translation, answer: fortnox.Invoice, *, by_credit: bool = False
) -> list[tuple[str, str, str]]:
    """(field, asked, got) where the answer is not what was asked; öresavrundning is none.

    `by_credit`: Fortnox's own credit note, whose sums are known to be given back whatever sign
    they are shown with. For others the rows must say so.
    """
    sent = asked.invoice
    sign = -1 if shows_without_sign(asked.net, answer, by_credit=by_credit) else 1
    net, vat = sign * (answer.net or money.ZERO), sign * (answer.total_vat or money.ZERO)
    pairs: list[tuple[str, object, object]] = [
        ("CustomerNumber", sent.customer_number, answer.customer_number),
        ("Currency", sent.currency, answer.currency or SEK),
        ("Net", money.plain(asked.net), money.plain(net)),
        ("TotalVAT", money.plain(_nearest(asked.vats, vat)), money.plain(vat)),
        ("Total", money.plain(net + vat), money.plain(sign * unrounded(answer))),
        ("InvoiceRows", len(sent.invoice_rows), len(answer.invoice_rows)),
    ]
    if sent.currency_rate is not None and answer.currency_rate is not None:
        pairs.append(("CurrencyRate", _rate(sent.currency_rate), _rate(answer.currency_rate)))
    return [(field, str(ours), str(theirs)) for field, ours, theirs in pairs if ours != theirs]


def unrounded(answer: fortnox.Invoice) -> Decimal:
    """What the invoice comes to before öresavrundning."""
    return (answer.total or money.ZERO) - (answer.round_off or money.ZERO)


def shows_without_sign(net: Decimal, answer: fortnox.Invoice, *, by_credit: bool) -> bool:
    """Whether a credit note's sums are shown as positive amounts; `net` as Severa has it."""
    if net >= 0 or (answer.net or money.ZERO) <= 0:
        return False
    rows = sum((row.total or money.ZERO for row in answer.invoice_rows), money.ZERO)
    return by_credit or rows < 0


def currency_rate(severa: Decimal | None, register: Decimal | None) -> Decimal | None:
    """Crowns for one unit of the currency. Severa does not say which way round its rate is meant:
    the reading nearer to Fortnox's register is taken; None when neither is anywhere near, or
    the register has no rate to compare with.
    """
    if not severa or severa <= 0:
        return None
    if not register or register <= 0:
        return None
    best = min((severa, 1 / severa), key=lambda one: max(one / register, register / one))
    is_near = max(best / register, register / best) <= 2
    return best.quantize(RATE_DIGITS).normalize() if is_near else None


def _document(facts: Facts, rows: Rows, warnings: list[Reason]) -> fortnox.InvoiceIn:
    invoice = facts.invoice
    address = invoice.receiver_address
    first, second = address_lines(address.addressline if address else None)
    term = str(invoice.payment_term) if invoice.payment_term is not None else ""
    projects = [
        facts.projects[one.guid] for one in invoice.projects or [] if one.guid in facts.projects
    ]
    return fortnox.InvoiceIn(
        customer_number=facts.customer_number,
        document_number=_own_number(facts),
        invoice_date=invoice.date,
        due_date=invoice.due_date,
        terms_of_payment=term if term in facts.terms else None,
        currency=invoice.currency.code if invoice.currency else SEK,
        currency_rate=_currency_rate(facts, warnings),
        language=_language(invoice),
        our_reference=cut(invoice.our_reference, LONGEST_REFERENCE),
        your_reference=cut(invoice.your_reference, LONGEST_REFERENCE),
        your_order_number=cut(invoice.order_number, LONGEST_ORDER_NUMBER),
        remarks=_remarks(facts),
        address1=first,
        address2=second,
        zip_code=cut(address.postal_code, 10) if address else None,
        city=cut(address.city, 1024) if address else None,
        country=cut(address.country, 1024) if address else None,
        project=projects[0][0] if len(projects) == 1 else None,
        external_invoice_reference1=reference(invoice.guid.lower()),
        external_invoice_reference2=str(invoice.number) if invoice.number is not None else None,
        invoice_rows=rows.rows,
    )


def _check_total(invoice: Invoice, net: Decimal) -> None:
    """Before anything is sent: what cannot add up there does not leave here."""
    total = invoice.total_excluding_tax.amount if invoice.total_excluding_tax else None
    if total is not None and money.rounded(total) != net:
        raise Blocked(
            because(
                "rows_differ_from_total",
                rows=money.plain(net),
                total=money.plain(total),
                currency=invoice.currency.code if invoice.currency else SEK,
            )
        )


def _signs(invoice: Invoice, net: Decimal) -> list[Reason]:
    """A credit note that charges is nobody's credit; an invoice may be negative, and is warned of.

    Severa does not say which sign the rows of a credit note have, so it is never guessed.
    """
    facts = {
        "total": money.plain(net),
        "currency": invoice.currency.code if invoice.currency else SEK,
    }
    if invoice.is_credit_note and net > 0:
        raise Blocked(because("credit_note_charges", **facts))
    if not invoice.is_credit_note and net < 0:
        return [because("invoice_below_zero", **facts)]
    return []


def _vats(facts: Facts, rows: Rows) -> frozenset[Decimal]:
    ways = set(money.vats(rows.amounts))
    tax = facts.invoice.total_tax.amount if facts.invoice.total_tax else None
    if tax is not None and any(abs(tax - way) <= money.ORE * len(rows.amounts) for way in ways):
        ways.add(money.rounded(tax))
    return frozenset(ways)


def _own_number(facts: Facts) -> str | None:
    if facts.document.invoice_numbering != "severa":
        return None
    if facts.invoice.number is None:
        raise Blocked(because("invoice_number_missing"))
    return str(facts.invoice.number)


def _currency_rate(facts: Facts, warnings: list[Reason]) -> Decimal | None:
    invoice = facts.invoice
    if invoice.currency is None or invoice.currency.code == SEK:
        return None
    one = facts.register_rate / facts.register_unit if facts.register_rate else None
    rate = currency_rate(invoice.currency_rate, one)
    if rate is None:
        warnings.append(
            because("rate_left_out", currency=invoice.currency.code, rate=invoice.currency_rate)
        )
        return None
    return (rate * facts.register_unit).normalize()


def _language(invoice: Invoice) -> Literal["SV", "EN"]:
    code = (invoice.language.code or "sv") if invoice.language else "sv"
    return "SV" if code.lower().startswith("sv") else "EN"


def _remarks(facts: Facts) -> str | None:
    """A credit note has to name what it credits; then come the notes and free texts."""
    invoice = facts.invoice
    texts = [_credits(facts), invoice.notes, _free(invoice.free_text1), _free(invoice.free_text2)]
    return cut("\n".join(clean(text) for text in texts if clean(text)), LONGEST_REMARKS)


def _credits(facts: Facts) -> str | None:
    if facts.credits is None:
        return None
    words = "Krediterar faktura" if _language(facts.invoice) == "SV" else "Credits invoice"
    return f"{words} {facts.credits}"


def _free(text: FreeText | None) -> str | None:
    return (text.plain_text or text.text or text.value) if text else None


def _nearest(ways: frozenset[Decimal], vat: Decimal) -> Decimal:
    return min(ways, key=lambda way: abs(way - vat))


def _rate(rate: Decimal) -> str:
    return money.plain(rate.quantize(Decimal("0.0001")))
