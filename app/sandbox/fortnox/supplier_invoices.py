"""Supplier invoices: written, booked, credited, cancelled, corrected and paid."""

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from app.sandbox.fortnox import errors, supplier_rows, vouchers
from app.sandbox.fortnox.books import Books
from app.sandbox.fortnox.document_fields import SUPPLIER_INVOICE
from app.sandbox.fortnox.documents import Document, plain
from app.sandbox.fortnox.errors import Refused
from app.sandbox.fortnox.shapes import cents
from app.sandbox.fortnox.supplier_rows import money

ZERO = Decimal(0)
AMOUNTS = ("Total", "VAT", "Freight", "AdministrationFee", "RoundOffValue")


def create(books: Books, payload: Any) -> Document:
    patch = SUPPLIER_INVOICE.read(payload, books.options)
    SUPPLIER_INVOICE.require(patch)
    supplier = books.shelves["suppliers"].get(patch["SupplierNumber"])
    if supplier is None:
        raise Refused(errors.NO_SUPPLIER, "Kan inte hitta leverantören.")
    invoice = books.new(SUPPLIER_INVOICE.blank())
    invoice["SupplierName"] = supplier["Name"]
    invoice["Currency"] = supplier["Currency"] or "SEK"
    invoice["YourReference"] = supplier["YourReference"] or ""
    _apply(books, invoice, patch)
    taken = patch.get("GivenNumber")
    if taken and taken in books.shelves["supplierinvoices"]:
        raise Refused(errors.NUMBER_TAKEN, f"Löpnummer {taken} används redan.")
    invoice["GivenNumber"] = taken or books.next_number("supplierinvoices")
    invoice["@url"] = books.url("supplierinvoices", invoice["GivenNumber"])
    books.shelves["supplierinvoices"][invoice["GivenNumber"]] = invoice
    _signal(books, invoice, "created")
    return invoice


def update(books: Books, invoice: Document, payload: Any) -> Document:
    _check_unbooked(invoice)
    _change(books, invoice, payload)
    _signal(books, invoice, "updated")
    return invoice


def _change(books: Books, invoice: Document, payload: Any) -> None:
    patch = SUPPLIER_INVOICE.read(payload, books.options)
    patch.pop("GivenNumber", None)
    draft = books.new(dict(invoice))
    _apply(books, draft, patch)
    books.change(invoice)
    invoice.update(draft)


def _signal(books: Books, invoice: Document, what: str) -> None:
    books.signal("supplier-invoices", f"supplier-invoice-{what}", invoice["GivenNumber"])


def _apply(books: Books, invoice: Document, patch: dict[str, Any]) -> None:
    rows = patch.pop("SupplierInvoiceRows", None)
    books.check_references(patch)
    for name in {*AMOUNTS, "CurrencyRate"} & patch.keys():
        patch[name] = patch[name].replace(",", ".")
    invoice.update(patch)
    if "CurrencyRate" not in patch and invoice["Currency"] != "SEK":
        rate, unit = books.rate(invoice["Currency"])
        invoice["CurrencyRate"], invoice["CurrencyUnit"] = plain(rate), Decimal(unit)
    _apply_dates(books, invoice)
    if rows is not None or not invoice["SupplierInvoiceRows"]:
        sent = set(patch)
        invoice["SupplierInvoiceRows"] = supplier_rows.complete(books, invoice, rows or [], sent)
        invoice["Balance"] = invoice["Total"]


def _apply_dates(books: Books, invoice: Document) -> None:
    invoice["InvoiceDate"] = invoice["InvoiceDate"] or books.today()
    if not invoice["DueDate"]:
        due = date.fromisoformat(invoice["InvoiceDate"]) + timedelta(days=30)
        invoice["DueDate"] = due.isoformat()
    if books.options.locked_period_refuses_new:
        books.check_open(invoice["InvoiceDate"])


def _check_unbooked(invoice: Document) -> None:
    if invoice["Booked"]:
        raise Refused(errors.ALREADY_BOOKED, "Leverantörsfakturan är bokförd och kan inte ändras.")
    if invoice["Cancelled"]:
        raise Refused(errors.ALREADY_CANCELLED, "Leverantörsfakturan är makulerad.")


def approve(books: Books, invoice: Document) -> Document:
    books.change(invoice)
    _signal(books, invoice, "updated")
    return invoice


def bookkeep(books: Books, invoice: Document) -> Document:
    """Voucher in series D, with every row's project and cost centre."""
    _check_unbooked(invoice)
    entry = _entry(invoice, f"Leverantörsfaktura {invoice['GivenNumber']}")
    voucher = vouchers.write(books, books.series("SUPPLIERINVOICE"), entry)
    books.change(invoice)
    invoice["Booked"] = True
    _refer(invoice, voucher)
    _signal(books, invoice, "updated")
    _signal(books, invoice, "bookkeep")
    return invoice


def _entry(invoice: Document, text: str) -> vouchers.Entry:
    day, name = invoice["InvoiceDate"], invoice["GivenNumber"]
    entry = vouchers.Entry(text, day, "SUPPLIERINVOICE", name)
    for row in invoice["SupplierInvoiceRows"]:
        coding = {
            "Project": row["Project"] or (invoice["Project"] if row["Code"] == "PRE" else ""),
            "CostCenter": row["CostCenter"],
            "TransactionInformation": row["TransactionInformation"],
        }
        entry.add(row["Account"], row["Debit"] - row["Credit"], **coding)
    return entry


def _refer(invoice: Document, voucher: Document) -> None:
    found = {
        "Number": voucher["VoucherNumber"],
        "ReferenceType": voucher["ReferenceType"],
        "Series": voucher["VoucherSeries"],
        "Year": voucher["Year"],
    }
    invoice["Vouchers"] = [*invoice["Vouchers"], found]
    invoice["VoucherNumber"], invoice["VoucherSeries"] = found["Number"], found["Series"]
    invoice["VoucherYear"] = found["Year"]


def correct(books: Books, invoice: Document, payload: dict[str, Any]) -> Document:
    """As a person corrects a booked invoice: the old voucher is reversed, a new one is written."""
    if not invoice["Booked"]:
        return update(books, invoice, payload)
    _undo_voucher(books, invoice)
    _change(books, invoice, payload)
    text = f"Korrigerad leverantörsfaktura {invoice['GivenNumber']}"
    series = books.series("SUPPLIERINVOICE")
    _refer(invoice, vouchers.write(books, series, _entry(invoice, text)))
    _signal(books, invoice, "updated")
    return invoice


def _undo_voucher(books: Books, invoice: Document) -> None:
    last = invoice["Vouchers"][-1]
    _refer(invoice, vouchers.reverse(books, last["Series"], last["Number"], last["Year"]))


def cancel(books: Books, invoice: Document, *, by_hand: bool = False) -> Document:
    """The API refuses a booked one; a person may, and a reversing voucher is written."""
    if not (by_hand and invoice["Booked"] and not invoice["Cancelled"]):
        _check_unbooked(invoice)
    books.change(invoice)
    if invoice["Booked"]:
        _undo_voucher(books, invoice)
    invoice["Cancelled"], invoice["Balance"] = True, "0"
    _signal(books, invoice, "cancelled")
    return invoice


def credit(books: Books, invoice: Document) -> Document:
    """Makes an unbooked credit note with all rows on the other side."""
    if not invoice["Booked"]:
        raise Refused(errors.NOT_BOOKED, "Leverantörsfakturan är inte bokförd.")
    if invoice["CreditReference"]:
        raise Refused(errors.ALREADY_CREDITED, "Leverantörsfakturan är redan krediterad.")
    names = "SupplierNumber InvoiceNumber Currency CurrencyRate Project CostCenter SalesType"
    draft = {name: invoice[name] for name in names.split()}
    rows = [supplier_rows.mirrored(row) for row in invoice["SupplierInvoiceRows"]]
    note = create(books, draft | {"SupplierInvoiceRows": rows})
    note["Credit"], note["CreditReference"] = True, int(invoice["GivenNumber"])
    books.change(invoice)
    invoice["CreditReference"] = int(note["GivenNumber"])
    _signal(books, invoice, "updated")
    return note if books.options.supplier_credit_answers == "note" else invoice


def pay(books: Books, invoice: Document, amount: Decimal | None, day: str) -> Document:
    """A person pays: voucher in series E, the balance falls. SEK, or the invoice's currency."""
    if not invoice["Booked"]:
        raise Refused(errors.NOT_BOOKED, "Leverantörsfakturan är inte bokförd.")
    paid = Decimal(invoice["Balance"]) if amount is None else amount
    rate = Decimal(invoice["CurrencyRate"]) / Decimal(invoice["CurrencyUnit"])
    name = invoice["GivenNumber"]
    entry = vouchers.Entry(f"Utbetalning leverantörsfaktura {name}", day, "SUPPLIERPAYMENT", name)
    entry.add(books.account("SUPPLIERDEBT"), cents(paid * rate))
    entry.add(1930, -cents(paid * rate))
    vouchers.write(books, books.series("SUPPLIERPAYMENT"), entry)
    books.change(invoice)
    rest = Decimal(invoice["Balance"]) - paid
    invoice["Balance"] = money(rest)
    invoice["FinalPayDate"] = None if rest else day
    _signal(books, invoice, "updated")
    return invoice
