"""Payments of customer invoices: made, booked, changed, and taken back."""

from decimal import Decimal
from typing import Any

from app.sandbox.fortnox import errors, vouchers
from app.sandbox.fortnox.books import Books
from app.sandbox.fortnox.document_fields import PAYMENT, WRITE_OFF
from app.sandbox.fortnox.documents import Document, number
from app.sandbox.fortnox.errors import Refused
from app.sandbox.fortnox.shapes import cents

ZERO = Decimal(0)


def create(books: Books, payload: Any) -> Document:
    """Unbooked at first: the invoice's balance does not move yet."""
    patch = PAYMENT.read(payload, books.options)
    PAYMENT.require(patch)
    invoice = _invoice(books, patch)
    payment = books.new(PAYMENT.blank())
    payment["Number"] = books.next_number("invoicepayments")
    payment["@url"] = books.url("invoicepayments", payment["Number"])
    _copy_from_invoice(payment, invoice)
    _apply(books, payment, patch, invoice)
    books.shelves["invoicepayments"][payment["Number"]] = payment
    return payment


def update(books: Books, payment: Document, payload: Any) -> Document:
    if payment["Booked"]:
        raise Refused(errors.ALREADY_BOOKED, "Betalningen är bokförd och kan inte ändras.")
    patch = PAYMENT.read(payload, books.options) | {"InvoiceNumber": payment["InvoiceNumber"]}
    invoice = _invoice(books, patch)
    draft = books.new(dict(payment))
    _apply(books, draft, patch, invoice)
    books.change(payment)
    payment.update(draft)
    return payment


def _invoice(books: Books, patch: dict[str, Any]) -> Document:
    invoice = books.shelves["invoices"].get(str(patch["InvoiceNumber"]))
    if invoice is None:
        raise Refused(errors.NO_INVOICE, "Kan inte hitta fakturan.")
    if not invoice["Booked"]:
        raise Refused(errors.NOT_BOOKED, "Fakturan är inte bokförd.")
    return invoice


def _copy_from_invoice(payment: Document, invoice: Document) -> None:
    payment.update(
        {
            "AmountCurrency": ZERO,
            "Currency": invoice["Currency"],
            "CurrencyRate": invoice["CurrencyRate"],
            "CurrencyUnit": invoice["CurrencyUnit"],
            "ExternalInvoiceReference1": invoice["ExternalInvoiceReference1"],
            "ExternalInvoiceReference2": invoice["ExternalInvoiceReference2"],
            "InvoiceCustomerName": invoice["CustomerName"],
            "InvoiceCustomerNumber": invoice["CustomerNumber"],
            "InvoiceNumber": int(invoice["DocumentNumber"]),
            "InvoiceDueDate": invoice["DueDate"],
            "InvoiceOCR": invoice["OCR"],
            "InvoiceTotal": str(number(invoice["Total"])),
        }
    )


def _apply(books: Books, payment: Document, patch: dict[str, Any], invoice: Document) -> None:
    payment.update(patch)
    payment["PaymentDate"] = payment["PaymentDate"] or books.today()
    if payment["PaymentDate"] < invoice["InvoiceDate"]:
        raise Refused(errors.PAID_BEFORE_INVOICED, "Betalningsdatum är före fakturadatum.")
    if invoice["Currency"] == "SEK":
        payment["AmountCurrency"] = payment["Amount"]
    elif not payment["AmountCurrency"]:
        raise Refused(errors.WRONG_CURRENCY, "Belopp i valuta saknas. (AmountCurrency)")
    _settle_account(books, payment, patch)
    payment["WriteOffs"] = [WRITE_OFF.blank() | each for each in payment["WriteOffs"]]
    for write_off in payment["WriteOffs"]:
        WRITE_OFF.require(write_off)
        books.check_references(write_off)
        account = books.check_account(write_off["AccountNumber"])
        write_off.update({"Currency": invoice["Currency"], "Description": account["Description"]})


def _settle_account(books: Books, payment: Document, patch: dict[str, Any]) -> None:
    if "ModeOfPaymentAccount" in patch:
        books.check_account(payment["ModeOfPaymentAccount"])
        return
    payment["ModeOfPayment"] = payment["ModeOfPayment"] or "BG"
    mode = books.shelves["modesofpayments"].get(payment["ModeOfPayment"])
    if mode is None:
        raise Refused(errors.NO_MODE_OF_PAYMENT, "Kan inte hitta betalningssättet.")
    payment["ModeOfPaymentAccount"] = int(mode["AccountNumber"])


def bookkeep(books: Books, payment: Document) -> Document:
    """Voucher in series C; the balance falls, and at 0 the invoice has its FinalPayDate."""
    if payment["Booked"]:
        raise Refused(errors.ALREADY_BOOKED, "Betalningen är redan bokförd.")
    invoice = books.shelves["invoices"][str(payment["InvoiceNumber"])]
    voucher = vouchers.write(books, books.series("INVOICEPAYMENT"), _entry(books, payment, invoice))
    books.change(payment)
    payment["Booked"] = True
    payment["VoucherSeries"] = voucher["VoucherSeries"]
    payment["VoucherNumber"] = voucher["VoucherNumber"]
    payment["VoucherYear"] = voucher["Year"]
    _move_balance(books, invoice, -settled(payment), payment["PaymentDate"])
    books.signal("invoices", "invoice-updated", invoice["DocumentNumber"])
    books.signal(
        "invoices",
        "invoicepayment-bookkeep",
        payment["Number"],
        invoiceId=invoice["DocumentNumber"],
        fullyPaid=not invoice["Balance"],
    )
    return payment


def settled(payment: Document) -> Decimal:
    """What the payment and its write-offs take from the balance, in the invoice's currency."""
    written_off = sum((each["Amount"] for each in payment["WriteOffs"]), ZERO)
    return Decimal(payment["AmountCurrency"]) + written_off


def _entry(books: Books, payment: Document, invoice: Document) -> vouchers.Entry:
    rate = Decimal(invoice["CurrencyRate"]) / invoice["CurrencyUnit"]
    text = f"Inbetalning kundfaktura {invoice['DocumentNumber']}"
    entry = vouchers.Entry(text, payment["PaymentDate"], "INVOICEPAYMENT", payment["Number"])
    entry.add(payment["ModeOfPaymentAccount"], cents(payment["Amount"]))
    for each in payment["WriteOffs"]:
        entry.add(each["AccountNumber"], cents(each["Amount"] * rate))
    entry.add(books.account("CUSTOMERCLAIM"), -cents(settled(payment) * rate))
    residue = entry.residue()
    entry.add(books.account("CURRENCYLOSS" if residue > 0 else "CURRENCYPROFIT"), residue)
    return entry


def _move_balance(books: Books, invoice: Document, amount: Decimal, day: str) -> None:
    books.change(invoice, touch=books.options.payments_touch_invoices)
    invoice["Balance"] += amount
    invoice["FinalPayDate"] = None if invoice["Balance"] else day


def take_back(books: Books, payment: Document) -> None:
    """As a person does it in Fortnox: the payment is gone, the balance is back."""
    del books.shelves["invoicepayments"][payment["Number"]]
    invoice = books.shelves["invoices"][str(payment["InvoiceNumber"])]
    name = invoice["DocumentNumber"]
    if payment["Booked"]:
        if books.options.delete_paid_reverses:
            series, number_ = payment["VoucherSeries"], payment["VoucherNumber"]
            vouchers.reverse(books, series, number_, payment["VoucherYear"])
        _move_balance(books, invoice, settled(payment), "")
        invoice["FinalPayDate"] = None
        books.signal("invoices", "invoice-updated", name)
    books.signal("invoices", "invoicepayment-deleted", payment["Number"], invoiceId=name)


def delete(books: Books, payment: Document) -> None:
    if payment["Booked"] and not books.options.delete_booked_payment:
        raise Refused(errors.ALREADY_BOOKED, "Betalningen är bokförd och kan inte tas bort.")
    take_back(books, payment)
