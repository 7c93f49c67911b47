"""Fortnox's records, in its words, with only the fields we use. Source: its OpenAPI document."""

from datetime import date
from decimal import Decimal
from typing import Annotated, Literal

from pydantic import Field

from app.fortnox.shape import Day, Flag, Number, OptionalText, Reference, Shape, Text


class InvoiceRowIn(Shape):
    """A row as we send it; a text row has a description only."""

    article_number: str | None = None
    account_number: int | None = None
    description: str | None = None
    delivered_quantity: str | None = None
    unit: str | None = None
    price: Decimal | None = None
    vat: Decimal | None = None
    project: str | None = None
    cost_center: str | None = None


class InvoiceIn(Shape):
    """An invoice as we send it."""

    customer_number: str
    document_number: str | None = None
    invoice_date: date | None = None
    due_date: date | None = None
    terms_of_payment: str | None = None
    currency: str
    currency_rate: Decimal | None = None
    language: Literal["SV", "EN"] = "SV"
    vat_included: bool = False
    our_reference: str | None = None
    your_reference: str | None = None
    your_order_number: str | None = None
    remarks: str | None = None
    address1: str | None = None
    address2: str | None = None
    zip_code: str | None = None
    city: str | None = None
    country: str | None = None
    project: str | None = None
    external_invoice_reference1: str
    external_invoice_reference2: str | None = None
    freight: Decimal = Decimal(0)
    administration_fee: Decimal = Decimal(0)
    invoice_rows: tuple[InvoiceRowIn, ...]


class InvoiceRow(Shape):
    account_number: Number = None
    article_number: OptionalText = None
    cost_center: OptionalText = None
    description: OptionalText = None
    delivered_quantity: Number = None
    price: Number = None
    project: OptionalText = None
    total: Number = None
    unit: OptionalText = None
    vat: Number = None


class Invoice(Shape):
    document_number: Text
    customer_number: Text
    customer_name: OptionalText = None
    currency: OptionalText = None
    currency_rate: Number = None
    currency_unit: Number = None
    invoice_date: Day = None
    due_date: Day = None
    final_pay_date: Day = None
    net: Number = None
    total_vat: Number = None
    total: Number = None
    round_off: Number = None
    balance: Number = None
    booked: Flag = False
    cancelled: Flag = False
    credit_invoice_reference: Reference = None
    external_invoice_reference1: OptionalText = None
    external_invoice_reference2: OptionalText = None
    project: OptionalText = None
    invoice_rows: tuple[InvoiceRow, ...] = ()


class InvoiceListItem(Shape):
    document_number: Text
    customer_number: OptionalText = None
    currency: OptionalText = None
    invoice_date: Day = None
    final_pay_date: Day = None
    external_invoice_reference1: OptionalText = None
    external_invoice_reference2: OptionalText = None
    booked: Flag = False
    cancelled: Flag = False
    total: Number = None
    balance: Number = None


class InvoicePayment(Shape):
    number: Text
    invoice_number: Text
    booked: Flag = False


class Voucher(Shape):
    reference_type: OptionalText = None
    reference_number: OptionalText = None


class SupplierInvoiceRow(Shape):
    """Debit and credit in SEK, and in the invoice's currency."""

    account: int
    code: OptionalText = None
    project: OptionalText = None
    article_number: OptionalText = None
    transaction_information: OptionalText = None
    item_description: OptionalText = None
    account_description: OptionalText = None
    debit: Number = None
    credit: Number = None
    debit_currency: Number = None
    credit_currency: Number = None


class SupplierInvoice(Shape):
    given_number: Text
    supplier_name: OptionalText = None
    invoice_number: OptionalText = None
    invoice_date: Day = None
    currency: OptionalText = None
    currency_rate: Number = None
    currency_unit: Number = None
    project: OptionalText = None
    booked: Flag = False
    cancelled: Flag = False
    supplier_invoice_rows: tuple[SupplierInvoiceRow, ...] = ()


class CustomerIn(Shape):
    customer_number: str
    name: str
    type: Literal["COMPANY", "PRIVATE"] = "COMPANY"
    active: bool = True
    organisation_number: str | None = None
    vat_number: str | None = None
    vat_type: str | None = None
    address1: str | None = None
    address2: str | None = None
    zip_code: str | None = None
    city: str | None = None
    country_code: str | None = None
    delivery_address1: str | None = None
    delivery_address2: str | None = None
    delivery_zip_code: str | None = None
    delivery_city: str | None = None
    delivery_country_code: str | None = None
    visiting_address: str | None = None
    visiting_zip_code: str | None = None
    visiting_city: str | None = None
    visiting_country_code: str | None = None
    email: str | None = None
    email_invoice: str | None = None
    phone1: str | None = None
    www: str | None = None
    gln: str | None = None
    currency: str | None = None
    terms_of_payment: str | None = None


class Customer(Shape):
    customer_number: Text
    vat_type: OptionalText = None
    name: OptionalText = None
    type: OptionalText = None
    active: Flag = True
    organisation_number: OptionalText = None
    vat_number: OptionalText = None
    address1: OptionalText = None
    address2: OptionalText = None
    zip_code: OptionalText = None
    city: OptionalText = None
    country_code: OptionalText = None
    delivery_address1: OptionalText = None
    delivery_address2: OptionalText = None
    delivery_zip_code: OptionalText = None
    delivery_city: OptionalText = None
    delivery_country_code: OptionalText = None
    visiting_address: OptionalText = None
    visiting_zip_code: OptionalText = None
    visiting_city: OptionalText = None
    visiting_country_code: OptionalText = None
    email: OptionalText = None
    email_invoice: OptionalText = None
    phone1: OptionalText = None
    www: OptionalText = None
    gln: OptionalText = None
    currency: OptionalText = None
    terms_of_payment: OptionalText = None


class ArticleIn(Shape):
    article_number: str
    description: str
    type: Literal["SERVICE", "STOCK"] = "SERVICE"
    active: bool = True
    unit: str | None = None
    vat: Decimal | None = None
    sales_account: int | None = None


class Article(Shape):
    article_number: Text
    description: OptionalText = None
    unit: OptionalText = None
    active: Flag = True
    expired: Flag = False
    type: OptionalText = None
    vat: Number = None
    sales_price: Number = None
    sales_account: OptionalText = None


class ProjectIn(Shape):
    project_number: str
    description: str
    status: Literal["NOTSTARTED", "ONGOING", "COMPLETED"] = "ONGOING"
    start_date: date | None = None
    end_date: date | None = None


class Project(Shape):
    project_number: Text
    description: OptionalText = None
    status: OptionalText = None


class CustomerListItem(Shape):
    customer_number: Text
    name: OptionalText = None
    organisation_number: OptionalText = None


class ArticleListItem(Shape):
    article_number: Text
    description: OptionalText = None
    unit: OptionalText = None


class Company(Shape):
    """`database_number` is what tokens and events call the tenant."""

    database_number: Annotated[Text, Field(pattern=r"^[0-9]{1,20}$")]
    company_name: OptionalText = None


class Coded(Shape):
    code: Text


class Unit(Coded):
    pass


class FinancialYear(Shape):
    id: int


class TermsOfPayment(Shape):
    code: Text
    description: OptionalText = None


class Currency(Shape):
    code: Text
    buy_rate: Number = None
    sell_rate: Number = None
    unit: Number = None
