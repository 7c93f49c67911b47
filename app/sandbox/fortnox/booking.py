"""What ends an invoice's life as a draft: booking, cancelling, crediting and sending."""

from collections import defaultdict
from decimal import Decimal
from typing import Any

from app.sandbox.fortnox import amounts, errors, invoice_rows, invoices, vouchers
from app.sandbox.fortnox.books import Books
from app.sandbox.fortnox.chart import VAT_ACCOUNTS
from app.sandbox.fortnox.documents import Document, words
from app.sandbox.fortnox.errors import Refused
from app.sandbox.fortnox.shapes import cents

ZERO = Decimal(0)


def bookkeep(books: Books, invoice: Document) -> Document:
    """Voucher in series B; nothing to pay counts as paid at once."""
    invoices.check_unbooked(invoice)
    _check_complete(books, invoice)
    voucher = vouchers.write(books, books.series("INVOICE"), _entry(books, invoice))
    books.change(invoice, touch=books.options.booking_touches_invoices)
    invoice["Booked"] = True
    invoice["VoucherSeries"] = voucher["VoucherSeries"]
    invoice["VoucherNumber"] = voucher["VoucherNumber"]
    invoice["VoucherYear"] = voucher["Year"]
    if not invoice["Total"]:
        invoice["FinalPayDate"] = invoice["InvoiceDate"]
    if invoice.credits and books.options.credit_sets_off:
        _set_off(books, invoice, books.shelves["invoices"][invoice.credits])
    name = invoice["DocumentNumber"]
    books.signal("invoices", "invoice-updated", name)
    books.signal("invoices", "invoice-bookkeep", name)
    return invoice


def _check_complete(books: Books, invoice: Document) -> None:
    books.check_open(invoice["InvoiceDate"])
    for row in invoice["InvoiceRows"]:
        if (
            Decimal(row["DeliveredQuantity"])
            and not row["Description"]
            and not row["ArticleNumber"]
        ):
            raise Refused(errors.INCOMPLETE_ROW, "En rad med antal saknar benämning eller artikel.")
        if row["AccountNumber"]:
            books.check_account(row["AccountNumber"], errors.ROW_ACCOUNT)


def _entry(books: Books, invoice: Document) -> vouchers.Entry:
    sums = amounts.totals(books, invoice)
    rate = Decimal(invoice["CurrencyRate"]) / invoice["CurrencyUnit"]
    name = invoice["DocumentNumber"]
    entry = vouchers.Entry(f"Kundfaktura {name}", invoice["InvoiceDate"], "INVOICE", name)
    entry.add(books.account("CUSTOMERCLAIM"), cents(sums.total * rate))
    for (account, project, cost_center), amount in _sales(invoice).items():
        coding = {"Project": project, "CostCenter": cost_center}
        entry.add(account, -cents(invoice.sign * amount * rate), **coding)
    for percent, amount in sums.vat.items():
        entry.add(books.account(VAT_ACCOUNTS.get(percent, "OUTVAT_MP1")), -cents(amount * rate))
    if sums.freight:
        entry.add(books.account("FREIGHT"), -cents(sums.freight * rate))
    if sums.fee:
        entry.add(books.account("ADMINFEE"), -cents(sums.fee * rate))
    entry.add(books.account("ROUNDOFF"), entry.residue())
    return entry


def _sales(invoice: Document) -> dict[tuple[int, str, str], Decimal]:
    sales: dict[tuple[int, str, str], Decimal] = defaultdict(lambda: ZERO)
    for row in invoice["InvoiceRows"]:
        if row["TotalExcludingVAT"]:
            sales[row["AccountNumber"], row["Project"], row["CostCenter"]] += row[
                "TotalExcludingVAT"
            ]
    return sales


def _set_off(books: Books, note: Document, original: Document) -> None:
    """The note pays the invoice it credits, as far as that is still open."""
    amount = min(abs(note["Balance"]), max(original["Balance"], ZERO))
    if not amount:
        return
    books.change(original, touch=books.options.payments_touch_invoices)
    original["Balance"] -= amount
    note["Balance"] -= amount.copy_sign(note["Balance"])
    for each in (original, note):
        if not each["Balance"]:
            each["FinalPayDate"] = note["InvoiceDate"]
    books.signal("invoices", "invoice-updated", original["DocumentNumber"])


def cancel(books: Books, invoice: Document) -> Document:
    invoices.check_unbooked(invoice)
    books.change(invoice)
    invoice["Cancelled"], invoice["Balance"] = True, ZERO
    books.signal("invoices", "invoice-cancelled", invoice["DocumentNumber"])
    return invoice


def credit(books: Books, invoice: Document) -> Document:
    """Makes an unbooked credit note; answers the original, which now names it."""
    options, name = books.options, invoice["DocumentNumber"]
    if invoice["Cancelled"]:
        raise Refused(errors.ALREADY_CANCELLED, f"Fakturan {name} är makulerad.")
    if options.credit_needs_booked and not invoice["Booked"]:
        raise Refused(errors.NOT_BOOKED, f"Fakturan {name} är inte bokförd.")
    if invoice["CreditInvoiceReference"] != "0":
        raise Refused(errors.ALREADY_CREDITED, f"Fakturan {name} är redan krediterad.")
    note = invoices.create(books, _draft_of(invoice, copy=options.credit_copies_references))
    note["InvoiceRows"] = [
        _credited(row, options.credit_quantities) for row in invoice["InvoiceRows"]
    ]
    note.sign = -1 if options.credit_quantities == "positive" else 1
    note.credits = name
    note["CurrencyRate"], note["CurrencyUnit"] = invoice["CurrencyRate"], invoice["CurrencyUnit"]
    if options.credit_refers_back:
        note["CreditInvoiceReference"] = name
    amounts.write_totals(books, note)
    invoice_rows.renumber(books, note)
    books.change(invoice)
    invoice["CreditInvoiceReference"] = note["DocumentNumber"]
    books.signal("invoices", "invoice-updated", name)
    return invoice


def _draft_of(invoice: Document, *, copy: bool) -> dict[str, Any]:
    names = words(
        "CustomerNumber Currency VATIncluded TermsOfPayment OurReference YourReference"
        " YourOrderNumber Project CostCenter Language Freight AdministrationFee"
    )
    names += invoices.REFERENCES if copy else ()
    draft = {name: invoice[name] for name in names}
    for fee in ("Freight", "AdministrationFee"):
        draft[fee] = -draft[fee]
    return draft


def _credited(row: dict[str, Any], quantities: str) -> dict[str, Any]:
    quantity = row["DeliveredQuantity"]
    if quantities == "negative" and Decimal(quantity):
        quantity = quantity[1:] if quantity.startswith("-") else f"-{quantity}"
    return row | {"DeliveredQuantity": quantity}


def mark_sent(books: Books, invoice: Document) -> Document:
    """Printing and e-mailing work after booking too."""
    books.change(invoice)
    invoice["Sent"] = True
    books.signal("invoices", "invoice-updated", invoice["DocumentNumber"])
    return invoice
