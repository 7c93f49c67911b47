"""Fortnox's shapes, in Fortnox's words, with only the fields we use. Source: its OpenAPI document.

What is text on one call and a number on another is taken as either (a list's CurrencyRate is "1",
a record's is 1); what the licence hides reads API_NORIGHT and is None here.
"""

from datetime import date
from decimal import Decimal
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, model_validator

UPPER = {"vat": "VAT", "ocr": "OCR", "www": "WWW", "gln": "GLN"}
NO_RIGHT = "API_NORIGHT"


def to_fortnox(name: str) -> str:
    """`vat_included` → `VATIncluded`, `your_order_number` → `YourOrderNumber`."""
    return "".join(UPPER.get(part, part.capitalize()) for part in name.split("_"))


class Shape(BaseModel):
    model_config = ConfigDict(alias_generator=to_fortnox, populate_by_name=True, frozen=True)

    @model_validator(mode="before")
    @classmethod
    def hide_what_we_may_not_see(cls, data: Any) -> Any:
        if isinstance(data, dict):
            return {key: None if value == NO_RIGHT else value for key, value in data.items()}
        return data


def _as_text(value: Any) -> Any:
    return str(value) if isinstance(value, int | Decimal) and not isinstance(value, bool) else value


def _unset(value: Any) -> Any:
    return None if value in ("", "null") else value


def _reference(value: Any) -> Any:
    return None if value in (None, "", "0", 0) else str(value)


def _flag(value: Any) -> Any:
    return value.lower() == "true" if isinstance(value, str) else bool(value)


Text = Annotated[str, BeforeValidator(_as_text)]
OptionalText = Annotated[str | None, BeforeValidator(lambda value: _unset(_as_text(value)))]
Number = Annotated[Decimal | None, BeforeValidator(_unset)]
Day = Annotated[date | None, BeforeValidator(_unset)]
Reference = Annotated[str | None, BeforeValidator(_reference)]
Flag = Annotated[bool, BeforeValidator(_flag)]


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
    row_id: int | None = None
    article_number: OptionalText = None
    description: OptionalText = None
    delivered_quantity: Number = None
    price: Number = None
    total: Number = None
    vat: Number = None


class Invoice(Shape):
    document_number: Text
    customer_number: Text
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
    invoice_rows: tuple[InvoiceRow, ...] = ()


class InvoiceListItem(Shape):
    document_number: Text
    customer_number: OptionalText = None
    external_invoice_reference1: OptionalText = None
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
    currency: str | None = None
    terms_of_payment: str | None = None


class Customer(Shape):
    customer_number: Text
    name: OptionalText = None
    type: OptionalText = None
    active: Flag = True
    organisation_number: OptionalText = None
    vat_number: OptionalText = None


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


class TermsOfPayment(Shape):
    code: Text
    description: OptionalText = None


class Currency(Shape):
    code: Text
    buy_rate: Number = None
    sell_rate: Number = None
    unit: Number = None
