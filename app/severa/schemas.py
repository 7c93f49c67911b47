"""Severa's records, in its words, with only the fields we use. Source: its OpenAPI document."""

from datetime import date
from decimal import Decimal
from typing import Annotated

from pydantic import AfterValidator, Field

from app.severa.shape import (
    Accounting,
    Currency,
    Day,
    Language,
    Moment,
    Money,
    Numbered,
    Ref,
    Shape,
)


class ReceiverAddress(Shape):
    addressline: str | None = None
    postal_code: str | None = None
    city: str | None = None
    state: str | None = None
    country: str | None = None


class FreeText(Shape):
    value: str | None = None
    text: str | None = None
    plain_text: str | None = None


class RelatedInvoice(Shape):
    guid: str | None = None
    number: int | None = None


class Invoice(Shape):
    guid: str
    number: int | None = None
    status: Ref
    customer: Numbered | None = None
    billing_customer: Numbered | None = None
    projects: list[Numbered] | None = None
    date: Day | None = None
    due_date: Day | None = None
    payment_date: Day | None = None
    payment_term: int | None = None
    our_reference: str | None = None
    your_reference: str | None = None
    order_number: str | None = None
    notes: str | None = None
    free_text1: FreeText | None = None
    free_text2: FreeText | None = None
    currency: Currency | None = None
    currency_rate: Decimal | None = None
    total_excluding_tax: Money | None = None
    total_tax: Money | None = None
    total_including_tax: Money | None = None
    work_hour_value_added_tax: Decimal | None = None
    receiver_address: ReceiverAddress | None = None
    is_credit_note: bool = False
    reimburse_invoice: RelatedInvoice | None = None
    credit_note_invoice: RelatedInvoice | None = None
    language: Language | None = None


class InvoiceFile(Shape):
    """`size` in bytes; the bytes themselves are asked for by `file_guid`."""

    file_guid: str | None = None
    name: str
    content_type: str | None = None
    size: Decimal | None = None
    is_internal: bool | None = None
    sort_order: int | None = None


class InvoiceRow(Shape):
    guid: str
    row_type: str
    code: list[str] | None = None
    description: str | None = None
    quantity: Decimal = Decimal(0)
    measurement_unit: str | None = None
    unit_price: Money | None = None
    vat_rate: Decimal | None = None
    sort_order: int = 0
    sales_account: Accounting | None = None
    cost_center: Accounting | None = None
    flat_rate_guid: str | None = None


class CustomerLanguage(Shape):
    code: str | None = None


class InvoicingVat(Shape):
    code: str | None = None
    percentage: Decimal | None = None


class Customer(Shape):
    guid: str
    name: str
    number: int | None = None
    is_active: bool = True
    is_internal: bool = False
    email: str | None = None
    website: str | None = None
    vat_number: str | None = None
    language: CustomerLanguage | None = None
    currency: Currency | None = None
    payment_term: int | None = None
    invoicing_vat: InvoicingVat | None = None
    e_invoice_address: str | None = None


class AddressCountry(Shape):
    guid: str | None = None
    name: str | None = None
    english_name: str | None = None


class Address(Shape):
    guid: str
    addressline: str | None = None
    postal_code: str | None = None
    city: str | None = None
    country: AddressCountry | None = None
    phone: str | None = None
    customer: Numbered | None = None
    is_billing_address: bool = False
    is_postal_address: bool = False
    is_visit_address: bool = False


class Percentage(Shape):
    percentage: Decimal | None = None


class CountrySetting(Shape):
    """VAT of one customer in one country, where it is another than usual."""

    country: AddressCountry | None = None
    is_tax_free: bool | None = None
    value_added_tax: Percentage | None = None


class CurrencyRecord(Shape):
    guid: str
    code: str


class SalesAccount(Shape):
    guid: str
    number: str | None = None
    is_active: bool = True


class SalesStatusType(Shape):
    guid: str
    sales_state: str | None = None


class Country(Shape):
    guid: str
    name: str | None = None
    english_name: str | None = None
    code2: str | None = None
    is_in_eu: bool | None = Field(None, alias="isInEU")


class Article(Shape):
    """A product, work type or travel expense type; what a register does not have stays None."""

    guid: str
    name: str
    code: str | None = None
    is_active: bool | None = True
    measurement_unit: str | None = None
    vat_rate: Decimal | None = None
    unit_price: Money | None = None
    sales_account: Accounting | None = None
    type: str | None = None


class BusinessUnit(Shape):
    guid: str | None = None
    code: str | None = None
    name: str | None = None


class ProjectCostCenter(Shape):
    identifier: str | None = None
    name: str | None = None


class SalesStatus(Shape):
    name: str | None = None
    sales_status_type_guid: str | None = None


class Project(Shape):
    guid: str
    name: str
    number: int | None = None
    is_closed: bool = False
    is_internal: bool = False
    start_date: Day | None = None
    deadline: Day | None = None
    closed_date: Day | None = None
    currency: Currency | None = None
    business_unit: BusinessUnit | None = None
    cost_center: ProjectCostCenter | None = None
    sales_status: SalesStatus | None = None


class Phase(Shape):
    """The root phase, which bears the project's name, has no parent."""

    guid: str
    parent_phase: Ref | None = None
    is_completed: bool = False
    is_locked: bool = False


class Given(Shape):
    guid: str


class MoneyIn(Shape):
    amount: Decimal
    currency_code: str


class ProjectFeeIn(Shape):
    """A fee as we send it, to no person; what is left out Severa takes from the product."""

    project: Given
    phase: Given | None = None
    product: Given | None = None
    name: str | None = None
    description: str
    invoice_row_description: str
    event_date: date | None = None
    quantity: Decimal
    unit_cost: MoneyIn
    unit_price: MoneyIn


class ProjectFee(Shape):
    """`invoice` is set once the fee stands on one; also on a draft."""

    guid: str
    project: Ref | None = None
    description: str | None = None
    event_date: Day | None = None
    quantity: Decimal | None = None
    unit_cost: Money | None = None
    unit_price: Money | None = None
    invoice: RelatedInvoice | None = None

    @property
    def is_invoiced(self) -> bool:
        return self.invoice is not None and self.invoice.guid is not None


class Changed(Shape):
    """Any record of a list, as a poll sees it: which one, when it changed, where it belongs."""

    guid: Annotated[str, AfterValidator(str.lower)]
    last_updated: Moment | None = Field(None, alias="lastUpdatedDateTime")
    status: Ref | None = None
    customer: Ref | None = None

    @property
    def status_guid(self) -> str:
        return self.status.guid.lower() if self.status else ""


class InvoiceStatus(Shape):
    guid: str
    name: str
    is_active: bool = True
    is_paid: bool = False
    is_sent: bool = False
