"""Rows of lists: of any, as a poll sees it, and of supplier invoices, with words of their own."""

from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from app.errors import Unclear
from app.fortnox.shape import Day, Flag, Shape, Text


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


def listed(row: dict[str, Any], number: str, fingerprint: str) -> Listed:
    """`number`: the field that has it."""
    try:
        return Listed(number=row.get(number), fingerprint=fingerprint)
    except ValidationError as error:
        raise Unclear("fortnox", f"an answer of another shape: a row without {number}") from error
