"""A company in Fortnox, with what a person does there by hand."""

from datetime import date
from decimal import Decimal
from typing import Any

from app.sandbox.fortnox import (
    booking,
    chart,
    company_calls,
    invoices,
    parties,
    payments,
    small_registers,
    supplier_invoices,
    vouchers,
)
from app.sandbox.fortnox.books import Books, locked
from app.sandbox.fortnox.documents import Document, Shelf
from app.sandbox.fortnox.shapes import cents

Amount = Decimal | int | str | float


class Tenant(Books):
    """Field names and values as in the API; what Fortnox would refuse raises `Refused`."""

    @property
    def customers(self) -> Shelf:
        return self.shelves["customers"]

    @property
    def suppliers(self) -> Shelf:
        return self.shelves["suppliers"]

    @property
    def articles(self) -> Shelf:
        return self.shelves["articles"]

    @property
    def projects(self) -> Shelf:
        return self.shelves["projects"]

    @property
    def units(self) -> Shelf:
        return self.shelves["units"]

    @property
    def cost_centers(self) -> Shelf:
        return self.shelves["costcenters"]

    @property
    def currencies(self) -> Shelf:
        return self.shelves["currencies"]

    @property
    def accounts(self) -> Shelf:
        return self.shelves["accounts"]

    @property
    def financial_years(self) -> Shelf:
        return self.shelves["financialyears"]

    @property
    def invoices(self) -> Shelf:
        return self.shelves["invoices"]

    @property
    def payments(self) -> Shelf:
        return self.shelves["invoicepayments"]

    @property
    def supplier_invoices(self) -> Shelf:
        return self.shelves["supplierinvoices"]

    @property
    def vouchers(self) -> Shelf:
        """Keyed "<financial year id>:<series>:<number>"."""
        return self.shelves["vouchers"]

    @locked
    def add_customer(self, **fields: Any) -> Document:
        return parties.CUSTOMERS.create(self, {"Name": "Kund AB", **fields})

    @locked
    def change_customer(self, number: str | int, **fields: Any) -> Document:
        return parties.CUSTOMERS.update(self, self.customers[str(number)], fields)

    @locked
    def delete_customer(self, number: str | int) -> None:
        parties.CUSTOMERS.delete(self, self.customers[str(number)])

    @locked
    def add_supplier(self, **fields: Any) -> Document:
        return parties.SUPPLIERS.create(self, {"Name": "Leverantör AB", **fields})

    @locked
    def add_article(self, price: Amount | None = None, **fields: Any) -> Document:
        """`price` goes to price list A."""
        defaults = {"Description": "Konsultarbete", "Type": "SERVICE"}
        article = parties.ARTICLES.create(self, defaults | fields)
        if price is not None:
            number = article["ArticleNumber"]
            company_calls.set_price(self, {"ArticleNumber": number, "Price": str(price)})
        return article

    @locked
    def change_article(self, number: str | int, **fields: Any) -> Document:
        return parties.ARTICLES.update(self, self.articles[str(number)], fields)

    @locked
    def delete_article(self, number: str | int) -> None:
        parties.ARTICLES.delete(self, self.articles[str(number)])

    @locked
    def add_project(self, number: str, description: str = "Projekt", **fields: Any) -> Document:
        payload = {"ProjectNumber": number, "Description": description, **fields}
        return small_registers.PROJECTS.create(self, payload)

    @locked
    def add_unit(self, code: str, description: str = "") -> Document:
        payload = {"Code": code, "Description": description or code}
        return small_registers.UNITS.create(self, payload)

    @locked
    def remove_unit(self, code: str) -> None:
        small_registers.UNITS.delete(self, self.units[code])

    @locked
    def add_cost_center(self, code: str, description: str = "") -> Document:
        payload = {"Code": code, "Description": description or code}
        return small_registers.COST_CENTERS.create(self, payload)

    @locked
    def add_currency(self, code: str, rate: Amount = "10", unit: int = 1) -> Document:
        """`rate`: SEK per `unit`."""
        name = chart.CURRENCY_NAMES.get(code, code)
        payload = {"Code": code, "Description": name, "BuyRate": str(rate), "Unit": unit}
        return small_registers.CURRENCIES.create(self, payload)

    @locked
    def add_account(self, number: int, description: str = "Konto") -> Document:
        payload = {"Number": number, "Description": description}
        return small_registers.ACCOUNTS.create(self, payload)

    @locked
    def add_financial_year(self, first: str, last: str) -> Document:
        payload = {"FromDate": first, "ToDate": last}
        return small_registers.FINANCIAL_YEARS.create(self, payload)

    @locked
    def remove_financial_year(self, year: int) -> None:
        """By calendar year."""
        for key, each in list(self.financial_years.items()):
            if each["FromDate"].startswith(str(year)):
                del self.financial_years[key]
                self.signal("financial-years", "financial-year-deleted", key)

    @locked
    def lock_period(self, until: date | str | None) -> None:
        self.locked_until = date.fromisoformat(until) if isinstance(until, str) else until

    @locked
    def lose_licence(self, *scopes: str) -> None:
        self.unlicensed.update(scopes)

    @locked
    def regain_licence(self, *scopes: str) -> None:
        self.unlicensed.difference_update(scopes)

    @locked
    def add_invoice(self, **fields: Any) -> Document:
        """Written by hand in Fortnox."""
        return invoices.create(self, fields)

    @locked
    def change_invoice(self, number: str | int, **fields: Any) -> Document:
        return invoices.update(self, self.invoices[str(number)], fields)

    @locked
    def book(self, invoice_number: str | int) -> Document:
        return booking.bookkeep(self, self.invoices[str(invoice_number)])

    @locked
    def cancel(self, invoice_number: str | int) -> Document:
        return booking.cancel(self, self.invoices[str(invoice_number)])

    @locked
    def credit(self, invoice_number: str | int) -> Document:
        """Answers the new credit note, unbooked."""
        original = booking.credit(self, self.invoices[str(invoice_number)])
        return self.invoices[original["CreditInvoiceReference"]]

    @locked
    def pay(
        self,
        invoice_number: str | int,
        amount: Amount | None = None,
        date: str | None = None,
        mode: str = "BG",
        **fields: Any,
    ) -> Document:
        """Makes and books a payment; `amount` in its currency, None: the whole balance."""
        invoice = self.invoices[str(invoice_number)]
        paid = invoice["Balance"] if amount is None else Decimal(str(amount))
        rate = Decimal(invoice["CurrencyRate"]) / invoice["CurrencyUnit"]
        payload = {
            "InvoiceNumber": invoice["DocumentNumber"],
            "Amount": cents(paid * rate),
            "AmountCurrency": paid,
            "PaymentDate": date or max(self.today(), invoice["InvoiceDate"]),
            "ModeOfPayment": mode,
        }
        payment = payments.create(self, payload | fields)
        return payments.bookkeep(self, payment)

    @locked
    def unpay(self, payment_number: str | int) -> None:
        payments.take_back(self, self.payments[str(payment_number)])

    @locked
    def add_voucher(
        self, description: str, rows: list[dict[str, Any]], date: str = "", series: str = "A"
    ) -> Document:
        payload = {
            "Description": description,
            "TransactionDate": date or self.today(),
            "VoucherSeries": series,
            "VoucherRows": rows,
        }
        return vouchers.create(self, payload)

    @locked
    def add_supplier_invoice(
        self, rows: list[dict[str, Any]] | None = None, **fields: Any
    ) -> Document:
        """Rows as in the API, the debt row is added; the first supplier unless told otherwise."""
        payload = {"SupplierInvoiceRows": rows or [], **fields}
        payload.setdefault("SupplierNumber", next(iter(self.suppliers), ""))
        return supplier_invoices.create(self, payload)

    @locked
    def book_supplier_invoice(self, number: str | int) -> Document:
        return supplier_invoices.bookkeep(self, self.supplier_invoices[str(number)])

    @locked
    def change_supplier_invoice(self, number: str | int, **fields: Any) -> Document:
        """A booked one is corrected: old voucher reversed, new voucher written."""
        return supplier_invoices.correct(self, self.supplier_invoices[str(number)], fields)

    @locked
    def cancel_supplier_invoice(self, number: str | int) -> Document:
        """A booked one too, with a reversing voucher."""
        return supplier_invoices.cancel(self, self.supplier_invoices[str(number)], by_hand=True)

    @locked
    def credit_supplier_invoice(self, number: str | int, *, book: bool = True) -> Document:
        """Answers the credit note, booked unless told otherwise."""
        original = self.supplier_invoices[str(number)]
        supplier_invoices.credit(self, original)
        note = self.supplier_invoices[str(original["CreditReference"])]
        return supplier_invoices.bookkeep(self, note) if book else note

    @locked
    def pay_supplier_invoice(
        self, number: str | int, amount: Amount | None = None, date: str = ""
    ) -> Document:
        paid = None if amount is None else Decimal(str(amount))
        invoice = self.supplier_invoices[str(number)]
        return supplier_invoices.pay(self, invoice, paid, date or self.today())
