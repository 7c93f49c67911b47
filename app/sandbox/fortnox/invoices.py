"""Customer invoices being written and changed: defaults, checks and the number series."""

from collections.abc import Iterator
from datetime import date, timedelta
from decimal import Decimal
from re import findall
from typing import Any

from app.sandbox.fortnox import amounts, errors, invoice_rows
from app.sandbox.fortnox.books import Books
from app.sandbox.fortnox.document_fields import INVOICE
from app.sandbox.fortnox.documents import Document, number
from app.sandbox.fortnox.errors import Refused

REFERENCES = ("ExternalInvoiceReference1", "ExternalInvoiceReference2")
FULL_REFERENCE = r"severa:[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
FROM_CUSTOMER = {
    "Address1": "Address1",
    "Address2": "Address2",
    "City": "City",
    "ZipCode": "ZipCode",
    "Country": "Country",
    "CustomerName": "Name",
    "OrganisationNumber": "OrganisationNumber",
    "OurReference": "OurReference",
    "YourReference": "YourReference",
    "Phone1": "Phone1",
    "Phone2": "Phone2",
    "Currency": "Currency",
    "TermsOfPayment": "TermsOfPayment",
    "PriceList": "PriceList",
    "Project": "Project",
    "CostCenter": "CostCenter",
    "Remarks": "InvoiceRemark",
    "VATIncluded": "ShowPriceVATIncluded",
    "DeliveryName": "DeliveryName",
    "DeliveryAddress1": "DeliveryAddress1",
    "DeliveryAddress2": "DeliveryAddress2",
    "DeliveryCity": "DeliveryCity",
    "DeliveryZipCode": "DeliveryZipCode",
    "DeliveryCountry": "DeliveryCountry",
    "WayOfDelivery": "WayOfDelivery",
    "TermsOfDelivery": "TermsOfDelivery",
}


def create(books: Books, payload: Any) -> Document:
    patch = INVOICE.read(payload, books.options)
    INVOICE.require(patch)
    invoice = books.new(INVOICE.blank())
    _customer_defaults(books, invoice, patch["CustomerNumber"])
    _apply(books, invoice, patch)
    _give_number(books, invoice)
    amounts.write_totals(books, invoice)
    invoice_rows.renumber(books, invoice)
    books.shelves["invoices"][invoice["DocumentNumber"]] = invoice
    index(books, invoice)
    books.signal("invoices", "invoice-created", invoice["DocumentNumber"])
    return invoice


def update(books: Books, invoice: Document, payload: Any) -> Document:
    """Only what is named changes; nothing does when it is refused."""
    check_unbooked(invoice)
    patch = INVOICE.read(payload, books.options)
    patch.pop("DocumentNumber", None)
    draft = books.new(dict(invoice))
    draft.sign, draft.credits = invoice.sign, invoice.credits
    if patch.get("CustomerNumber", invoice["CustomerNumber"]) != invoice["CustomerNumber"]:
        _customer_defaults(books, draft, patch["CustomerNumber"])
    _apply(books, draft, patch)
    amounts.write_totals(books, draft)
    invoice_rows.renumber(books, draft)
    books.change(invoice)
    invoice.update(draft)
    index(books, invoice)
    books.signal("invoices", "invoice-updated", invoice["DocumentNumber"])
    return invoice


def check_unbooked(invoice: Document) -> None:
    name = invoice["DocumentNumber"]
    if invoice["Booked"]:
        raise Refused(errors.ALREADY_BOOKED, f"Fakturan {name} är bokförd och kan inte ändras.")
    if invoice["Cancelled"]:
        raise Refused(
            errors.ALREADY_CANCELLED, f"Fakturan {name} är makulerad och kan inte ändras."
        )


def index(books: Books, invoice: Document) -> None:
    """Full references, wherever they stand in a field, lead here without a search."""
    for field, reference in _full_references(invoice):
        books.references[field, reference].add(invoice["DocumentNumber"])


def _full_references(invoice: Document) -> Iterator[tuple[str, str]]:
    for field in REFERENCES:
        if invoice[field]:
            for reference in findall(FULL_REFERENCE, invoice[field].lower()):
                yield field, reference


def _customer_defaults(books: Books, invoice: Document, customer_number: str) -> None:
    customer = books.shelves["customers"].get(customer_number)
    if customer is None:
        raise Refused(books.options.missing_customer_code, "Kan inte hitta kunden.")
    invoice["CustomerNumber"] = customer_number
    for field, source in FROM_CUSTOMER.items():
        invoice[field] = customer[source] or INVOICE.fields[field].empty
    invoice["TermsOfPayment"] = invoice["TermsOfPayment"] or "30"
    invoice["Freight"] = Decimal(customer["InvoiceFreight"] or 0)
    invoice["AdministrationFee"] = Decimal(customer["InvoiceAdministrationFee"] or 0)
    invoice["EmailInformation"] = invoice["EmailInformation"] | {
        "EmailAddressTo": customer["EmailInvoice"] or customer["Email"],
        "EmailSubject": "Faktura {no} bifogas",
        "EmailBody": " ",
    }
    invoice["CurrencyRate"], invoice["CurrencyUnit"] = books.rate(invoice["Currency"])


def _apply(books: Books, invoice: Document, patch: dict[str, Any]) -> None:
    rows = patch.pop("InvoiceRows", None)
    for nested in INVOICE.one:
        if nested in patch:
            patch[nested] = invoice[nested] | patch[nested]
    books.check_references(patch)
    invoice.update(patch)
    if "Currency" in patch:
        rate, unit = books.rate(invoice["Currency"])
        invoice["CurrencyRate"] = patch.get("CurrencyRate", rate)
        invoice["CurrencyUnit"] = patch.get("CurrencyUnit", unit)
    _apply_dates(books, invoice, patch)
    if rows is not None:
        invoice_rows.write_rows(books, invoice, rows)


def _apply_dates(books: Books, invoice: Document, patch: dict[str, Any]) -> None:
    invoice["InvoiceDate"] = invoice["InvoiceDate"] or books.today()
    invoice["OutboundDate"] = invoice["OutboundDate"] or invoice["InvoiceDate"]
    moved = {"InvoiceDate", "TermsOfPayment"} & patch.keys()
    if not invoice["DueDate"] or (moved and "DueDate" not in patch):
        terms = invoice["TermsOfPayment"]
        days = int(terms) if terms.isdigit() else 0
        due = date.fromisoformat(invoice["InvoiceDate"]) + timedelta(days=days)
        invoice["DueDate"] = due.isoformat()
    if books.options.locked_period_refuses_new:
        books.check_open(invoice["InvoiceDate"])


def _give_number(books: Books, invoice: Document) -> None:
    wanted = invoice["DocumentNumber"]
    if wanted and not wanted.isdigit():
        raise Refused(errors.NOT_NUMERIC, "Värdet måste vara numeriskt. (DocumentNumber)")
    if wanted in books.shelves["invoices"]:
        if books.options.duplicate_document_number == "refuse":
            raise Refused(errors.NUMBER_TAKEN, f"Fakturanummer {wanted} används redan.")
        wanted = ""
    name = wanted or books.next_number("invoices")
    invoice["DocumentNumber"] = name
    invoice["@url"] = books.url("invoices", name)
    invoice["@urlTaxReductionList"] = (
        f"{books.url('taxreductions')}?filter=invoices&referencenumber={name}"
    )
    invoice["OCR"] = invoice["OCR"] or ocr(name)


def ocr(document_number: str) -> str:
    """Number, a digit for the length, and a Luhn digit: 1027 → 102764."""
    digits = document_number + str((len(document_number) + 2) % 10)
    return digits + str(_luhn(digits))


def _luhn(digits: str) -> int:
    total = 0
    for place, digit in enumerate(reversed(digits)):
        value = int(digit) * (2 if place % 2 == 0 else 1)
        total += value // 10 + value % 10
    return -total % 10


def list_item(invoice: dict[str, Any], names: tuple[str, ...]) -> dict[str, Any]:
    item = {name: invoice[name] for name in names}
    item["CurrencyRate"] = str(number(invoice["CurrencyRate"]))
    return item
