"""A supplier invoice as a list shows it: without its rows, and with words of its own."""

from pydantic import Field

from app.fortnox.schemas import Day, Flag, Shape, Text


class SupplierInvoiceListItem(Shape):
    """Cancelled ones are in the list too, under another name than in the record itself."""

    given_number: Text
    invoice_date: Day = None
    booked: Flag = False
    cancelled: Flag = Field(default=False, alias="Cancel")
