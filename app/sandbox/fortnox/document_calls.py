"""`/3/invoicepayments`, `/3/supplierinvoices` and `/3/vouchers`."""

from collections.abc import Callable
from typing import Any

from app.sandbox.fortnox import errors, payments, supplier_invoices, vouchers
from app.sandbox.fortnox.books import Books
from app.sandbox.fortnox.calls import Answer, Call, created, no_such_method
from app.sandbox.fortnox.document_fields import PAYMENT_ITEM, SUPPLIER_INVOICE_ITEM, VOUCHER_ITEM
from app.sandbox.fortnox.documents import Document
from app.sandbox.fortnox.lists import Listing, Test, columns, named, since, text, until


def _payment_item(payment: dict[str, Any]) -> dict[str, Any]:
    return columns(PAYMENT_ITEM)(payment) | {"WriteOffExist": bool(payment["WriteOffs"])}


PAYMENTS = Listing(
    "InvoicePayments",
    _payment_item,
    {"invoicenumber": text("InvoiceNumber")},
    {"paymentdate": "PaymentDate"},
)
NO_PAYMENT = (errors.NO_PAYMENT, "Kan inte hitta betalningen.")


def handle_payments(call: Call) -> Answer:
    books = call.books
    match (call.method, call.path[1:]):
        case ("GET", []):
            return PAYMENTS.answer(call, books.shelves["invoicepayments"].in_order())
        case ("POST", []):
            payment = payments.create(books, call.wrapped("InvoicePayment"))
            return created("invoicepayments", {"InvoicePayment": payment})
        case ("GET" | "PUT" | "DELETE", [number, *action]):
            payment = books.find("invoicepayments", number, *NO_PAYMENT)
            return _one_payment(call, payment, action)
    raise no_such_method()


def _one_payment(call: Call, payment: Document, action: list[str]) -> Answer:
    match (call.method, action):
        case ("GET", []):
            return _shown(call, "InvoicePayment", payment, NO_PAYMENT)
        case ("PUT", []):
            payments.update(call.books, payment, call.wrapped("InvoicePayment"))
            return Answer(200, {"InvoicePayment": payment})
        case ("PUT", ["bookkeep"]):
            payments.bookkeep(call.books, payment)
            return Answer(200, {"InvoicePayment": payment})
        case ("DELETE", []):
            payments.delete(call.books, payment)
            return Answer(204)
    raise no_such_method()


def _shown(call: Call, name: str, document: Document, missing: tuple[int, str]) -> Answer:
    shown = call.books.shown(document)
    if shown is None:
        raise errors.missing(*missing)
    return Answer(200, {name: shown})


def _supplier_filter(call: Call, value: str) -> Test:
    today = call.books.today()

    def open_(each: Document) -> bool:
        return each["Booked"] and not each["Cancelled"] and bool(float(each["Balance"]))

    return named(
        {
            "cancelled": lambda each: each["Cancelled"],
            "fullypaid": lambda each: each["Booked"] and not float(each["Balance"]),
            "unpaid": open_,
            "unpaidoverdue": lambda each: open_(each) and each["DueDate"] < today,
            "unbooked": lambda each: not each["Booked"] and not each["Cancelled"],
            "pendingpayment": lambda each: each["PaymentPending"],
            "authorizepending": lambda each: not each["Booked"] and not each["Cancelled"],
        }
    )(call, value)


SUPPLIER_INVOICES = Listing(
    "SupplierInvoices",
    columns(SUPPLIER_INVOICE_ITEM),
    {
        "filter": _supplier_filter,
        "costcenter": text("CostCenter"),
        "ocr": text("OCR"),
        "project": text("Project"),
        "suppliernumber": text("SupplierNumber"),
        "invoicenumber": text("InvoiceNumber"),
    },
    {"givennumber": "GivenNumber", "invoicedate": "InvoiceDate"},
)
NO_SUPPLIER_INVOICE = (errors.NO_INVOICE, "Kan inte hitta leverantörsfakturan.")
Act = Callable[[Books, Document], Document]
SUPPLIER_ACTIONS: dict[str, Act] = {
    "bookkeep": supplier_invoices.bookkeep,
    "approvalbookkeep": supplier_invoices.approve,
    "approvalpayment": supplier_invoices.approve,
    "cancel": supplier_invoices.cancel,
    "credit": supplier_invoices.credit,
}


def handle_supplier_invoices(call: Call) -> Answer:
    books = call.books
    match (call.method, call.path[1:]):
        case ("GET", []):
            shelf = books.shelves["supplierinvoices"]
            return SUPPLIER_INVOICES.answer(call, shelf.in_order())
        case ("POST", []):
            invoice = supplier_invoices.create(books, call.wrapped("SupplierInvoice"))
            return created("supplierinvoices", {"SupplierInvoice": invoice})
        case ("GET", [number]):
            invoice = books.find("supplierinvoices", number, *NO_SUPPLIER_INVOICE)
            return _shown(call, "SupplierInvoice", invoice, NO_SUPPLIER_INVOICE)
        case ("PUT", [number]):
            invoice = books.find("supplierinvoices", number, *NO_SUPPLIER_INVOICE)
            supplier_invoices.update(books, invoice, call.wrapped("SupplierInvoice"))
            return Answer(200, {"SupplierInvoice": invoice})
        case ("PUT", [number, action]) if action in SUPPLIER_ACTIONS:
            invoice = books.find("supplierinvoices", number, *NO_SUPPLIER_INVOICE)
            return Answer(200, {"SupplierInvoice": SUPPLIER_ACTIONS[action](books, invoice)})
    raise no_such_method()


VOUCHERS = Listing(
    "Vouchers",
    columns(VOUCHER_ITEM),
    {
        "fromdate": since("TransactionDate"),
        "todate": until("TransactionDate"),
        "costcenter": text("CostCenter"),
        "voucherseries": text("VoucherSeries"),
    },
    {"transactiondate": "TransactionDate", "vouchernumber": "VoucherNumber"},
)


def handle_vouchers(call: Call) -> Answer:
    match (call.method, call.path[1:]):
        case ("GET", [] | ["sublist"]):
            return _list_vouchers(call, None)
        case ("GET", ["sublist", series]):
            return _list_vouchers(call, series)
        case ("GET", [series, number]) if number.isdigit():
            key = vouchers.key(series, int(number), _year(call))
            missing = (errors.NO_VOUCHER, "Kan inte hitta verifikationen.")
            return _shown(call, "Voucher", call.books.find("vouchers", key, *missing), missing)
        case ("POST", []):
            voucher = vouchers.create(call.books, call.wrapped("Voucher"))
            return created("vouchers", {"Voucher": voucher})
    raise no_such_method()


def _list_vouchers(call: Call, series: str | None) -> Answer:
    year = _year(call)
    found = (
        each
        for each in call.books.shelves["vouchers"].values()
        if each["Year"] == year and series in (None, each["VoucherSeries"])
    )
    return VOUCHERS.answer(call, found)


def _year(call: Call) -> int:
    """By id, by a day in it, or the current one."""
    asked = call.query.get("financialyear", "")
    if asked.isdigit():
        return int(asked)
    day = call.query.get("financialyeardate") or call.books.today()
    year = call.books.year_of(day)
    return int(year["Id"]) if year else 0
