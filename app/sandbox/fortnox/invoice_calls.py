"""`/3/invoices`: the calls, the filters, and the actions on one invoice."""

from collections.abc import Callable, Iterable
from functools import partial
from re import fullmatch
from typing import Any

from app.sandbox.fortnox import booking, errors, invoices
from app.sandbox.fortnox.books import Books
from app.sandbox.fortnox.calls import Answer, Call, created, no_such_method
from app.sandbox.fortnox.document_fields import INVOICE_ITEM
from app.sandbox.fortnox.documents import Document
from app.sandbox.fortnox.errors import Refused
from app.sandbox.fortnox.lists import Listing, Param, Test, named, since, text, truth, until

MISSING = (errors.NO_INVOICE, "Kan inte hitta fakturan.")
PDF = b"%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj 2 0 obj<</Type/Pages/Kids[]/Count 0>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF\n"  # noqa: E501


def _filter(call: Call, value: str) -> Test:
    today, needs_booked = call.books.today(), call.books.options.unpaid_needs_booked

    def counts(each: Document) -> bool:
        return not each["Cancelled"] and (each["Booked"] or not needs_booked)

    def unpaid(each: Document) -> bool:
        return counts(each) and each["Balance"] != 0

    return named(
        {
            "cancelled": lambda each: each["Cancelled"],
            "fullypaid": lambda each: counts(each) and each["Balance"] == 0,
            "unpaid": unpaid,
            "unpaidoverdue": lambda each: unpaid(each) and each["DueDate"] < today,
            "unbooked": lambda each: not each["Booked"] and not each["Cancelled"],
        }
    )(call, value)


def _in_rows(name: str) -> Param:
    def param(_: Call, value: str) -> Test:
        wanted = value.lower()
        return lambda each: any(
            wanted in str(row[name] or "").lower() for row in each["InvoiceRows"]
        )

    return param


def _account(*, least: bool) -> Param:
    def param(_: Call, value: str) -> Test:
        limit = int(value) if value.isdigit() else 0
        return lambda each: any(
            row["AccountNumber"]
            and (row["AccountNumber"] >= limit if least else row["AccountNumber"] <= limit)
            for row in each["InvoiceRows"]
        )

    return param


def _label(_: Call, value: str) -> Test:
    return lambda each: any(str(label.get("Id")) == value for label in each["Labels"])


LISTING = Listing(
    "Invoices",
    partial(invoices.list_item, names=tuple(INVOICE_ITEM.split())),
    {
        "filter": _filter,
        "costcenter": text("CostCenter"),
        "customername": text("CustomerName"),
        "customernumber": text("CustomerNumber"),
        "documentnumber": text("DocumentNumber"),
        "fromdate": since("InvoiceDate"),
        "todate": until("InvoiceDate"),
        "fromfinalpaydate": since("FinalPayDate"),
        "tofinalpaydate": until("FinalPayDate"),
        "notcompleted": truth("NotCompleted"),
        "ocr": text("OCR"),
        "ourreference": text("OurReference"),
        "yourreference": text("YourReference"),
        "yourordernumber": text("YourOrderNumber"),
        "project": text("Project"),
        "sent": truth("Sent"),
        "externalinvoicereference1": text("ExternalInvoiceReference1"),
        "externalinvoicereference2": text("ExternalInvoiceReference2"),
        "invoicetype": text("InvoiceType"),
        "currency": text("Currency"),
        "credit": truth("Credit"),
        "label": _label,
        "articlenumber": _in_rows("ArticleNumber"),
        "articledescription": _in_rows("Description"),
        "accountnumberfrom": _account(least=True),
        "accountnumberto": _account(least=False),
    },
    {
        "customername": "CustomerName",
        "customernumber": "CustomerNumber",
        "documentnumber": "DocumentNumber",
        "invoicedate": "InvoiceDate",
        "ocr": "OCR",
        "total": "Total",
    },
)


def handle(call: Call) -> Answer:
    if len(call.path) == 1:
        return _collection(call)
    invoice = call.books.find("invoices", call.path[1], *MISSING)
    if len(call.path) == 3:
        return _action(call, invoice)
    if call.method == "GET" and len(call.path) == 2:
        shown = call.books.shown(invoice)
        if shown is None:
            raise errors.missing(*MISSING)
        return _wrap(shown)
    if call.method == "PUT" and len(call.path) == 2:
        return _wrap(invoices.update(call.books, invoice, call.wrapped("Invoice")))
    raise no_such_method()


def _wrap(invoice: dict[str, Any]) -> Answer:
    return Answer(200, {"Invoice": invoice})


def _collection(call: Call) -> Answer:
    if call.method == "GET":
        return LISTING.answer(call, _candidates(call))
    if call.method == "POST":
        invoice = invoices.create(call.books, call.wrapped("Invoice"))
        return created("invoices", {"Invoice": invoice})
    raise no_such_method()


def _candidates(call: Call) -> Iterable[Document]:
    """A full reference is looked up, wherever it stands in a field; all else is searched for."""
    shelf = call.books.shelves["invoices"]
    for field in invoices.REFERENCES:
        wanted = call.query.get(field.lower(), "").lower()
        if fullmatch(invoices.FULL_REFERENCE, wanted):
            found = call.books.references.get((field, wanted), set())
            return [shelf[each] for each in sorted(found, key=int)]
    return shelf.in_order()


Act = Callable[[Books, Document], Document]
ACTIONS: dict[str, tuple[str, Act]] = {
    "bookkeep": ("PUT", booking.bookkeep),
    "cancel": ("PUT", booking.cancel),
    "credit": ("PUT", booking.credit),
    "externalprint": ("PUT", booking.mark_sent),
    "warehouseready": ("PUT", lambda _, invoice: invoice),
    "email": ("GET", booking.mark_sent),
    "einvoice": ("GET", booking.mark_sent),
    "eprint": ("GET", booking.mark_sent),
}
PAPERS: dict[str, Act] = {
    "preview": lambda _, invoice: invoice,
    "print": booking.mark_sent,
    "printreminder": lambda _, invoice: invoice,
}


def _action(call: Call, invoice: Document) -> Answer:
    name = call.path[2]
    if name in PAPERS and call.method == "GET":
        if call.headers.get("accept", "") == "application/pdf":
            raise Refused(errors.BAD_ACCEPT, "Ogiltig svarstyp.")
        PAPERS[name](call.books, invoice)
        return Answer(200, PDF, {"Content-Type": "application/pdf"})
    method, act = ACTIONS.get(name, ("", booking.mark_sent))
    if method != call.method:
        raise no_such_method()
    return _wrap(act(call.books, invoice))
