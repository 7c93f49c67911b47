"""What a user puts on an invoice, in the words of this sandbox."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from app.sandbox.severa.amounts import Number
from app.sandbox.severa.veil import Record

Kind = Literal["hours", "fee", "travel", "flat_rate"]
Key = str | int | Record

ROW_TYPES = {
    "hours": ("Hours", "Hours", "h"),
    "fee": ("ProjectFees", "ProjectFees", "st"),
    "travel": ("TravelExpenses", "Travels", "km"),
    "flat_rate": ("FlatRate", "Hours", None),
}
REGISTERS = {"hours": "worktypes", "fee": "products", "travel": "travelexpensetypes"}


@dataclass(frozen=True)
class Item:
    """One entry grouped in a row: an hour entry, a fee or a travel expense."""

    quantity: Number = 1
    price: Number | None = None  # the row's, unless given
    article: Key | None = None
    project: Key | None = None
    description: str | None = None


@dataclass(frozen=True)
class Row:
    """`article`, `project`, `cost_center` and `sales_account` by guid, code, number or name.

    With `items` the row groups them: its codes are theirs, its quantity their sum unless given.
    `price` excludes VAT, in the invoice's currency; `vat` in percent, None: hours take the
    invoice's. `codes` and `unit` overrule what the article says.
    """

    kind: Kind = "hours"
    quantity: Number | None = None
    price: Number = 0
    description: str | None = None
    article: Key | None = None
    project: Key | None = None
    vat: Number | None = 25
    unit: str | None = None
    cost_center: Key | None = None
    sales_account: Key | None = None
    codes: tuple[str, ...] | None = None
    items: tuple[Item, ...] = ()

    def entries(self) -> tuple[Item, ...]:
        if self.items:
            return self.items
        quantity = 1 if self.quantity is None else self.quantity
        return (Item(quantity, self.price, self.article, self.project, self.description),)


def read_row(given: "Row | Mapping[str, Any]") -> Row:
    """A mapping has the names of `Row`, and of `Item` in its `items`."""
    if isinstance(given, Row):
        return given
    parts = dict(given)
    parts["items"] = tuple(
        item if isinstance(item, Item) else Item(**item) for item in parts.get("items", ())
    )
    if parts.get("codes") is not None:
        parts["codes"] = tuple(parts["codes"])
    return Row(**parts)
