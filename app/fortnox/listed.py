"""Rows of lists: of any, as a poll sees it, and of supplier invoices, with words of their own."""

from pydantic import BaseModel, ConfigDict, Field

from app.fortnox.schemas import Day, Flag, Shape, Text


class Listed(BaseModel):
    """A row of any list, as a poll sees it: its number, and whether it looks as it did."""

    model_config = ConfigDict(frozen=True)
    number: Text
    fingerprint: str


class SupplierInvoiceListItem(Shape):
    """Cancelled ones are in the list too, under another name than in the record itself."""

    given_number: Text
    invoice_date: Day = None
    booked: Flag = False
    cancelled: Flag = Field(default=False, alias="Cancel")
