"""What is to become of one invoice, and what it is in Fortnox by now."""

from dataclasses import dataclass
from typing import Any

from app.fortnox import schemas as fortnox
from app.links import Link
from app.severa.schemas import Invoice
from app.sync.credit_note import Original
from app.sync.invoice_document import Translation
from app.sync.writing import frozen


@dataclass(frozen=True)
class Job:
    """`original`: what a credit note credits, where that was carried over."""

    invoice: Invoice
    asked: Translation
    original: Original | None

    @property
    def payload(self) -> dict[str, Any]:
        return frozen(self.asked.invoice)


@dataclass(frozen=True)
class Carried:
    """`answer`: the invoice as our write was answered, or as it was read where nothing was written.

    None: it was made by an earlier attempt, and was not read yet.
    """

    link: Link
    answer: fortnox.Invoice | None
    is_read: bool = False
