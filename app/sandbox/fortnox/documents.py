"""What a tenant's books are made of: documents as they look on the wire, on shelves by number."""

from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal
from typing import Any


class Document(dict[str, Any]):
    """The object as Fortnox answers it (money as Decimal), and what is known beside it."""

    created: datetime
    modified: datetime
    sign: int = 1  # -1: a credit note whose quantities are shown without their minus
    credits: str = ""  # the number of the invoice this note was made to credit

    def __init__(self, values: dict[str, Any], now: datetime) -> None:
        super().__init__(values)
        self.created = self.modified = now
        self.past: list[tuple[datetime, dict[str, Any] | None]] = [(now, None)]

    def touch(self, now: datetime) -> None:
        self.modified = now

    def remember(self, now: datetime) -> None:
        """Keep what the document looked like until `now`; call before changing it."""
        self.past = [*self.past[-20:], (now, dict(self))]

    def as_of(self, then: datetime) -> dict[str, Any] | None:
        """The document at that time; None: it did not exist."""
        for until, values in self.past:
            if then < until:
                return values
        return self


class Shelf(dict[str, Document]):
    """Documents by number, and in the order of their numbers."""

    _order: list[str] | None = None

    def __setitem__(self, key: str, value: Document) -> None:
        if key not in self and self._order is not None:
            if not self._order or rank(self._order[-1]) < rank(key):
                self._order.append(key)
            else:
                self._order = None
        super().__setitem__(key, value)

    def __delitem__(self, key: str) -> None:
        self._order = None
        super().__delitem__(key)

    def pop(self, key: str, *default: Any) -> Any:
        self._order = None
        return super().pop(key, *default)

    def in_order(self) -> Iterator[Document]:
        if self._order is None:
            self._order = sorted(self, key=rank)
        return map(self.__getitem__, self._order)


def rank(key: str) -> tuple[int, int, str]:
    """Numbers first, by value; then words."""
    return (0, int(key), "") if key.isascii() and key.isdigit() else (1, 0, key)


def words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


def number(value: object) -> int | float:
    """A Decimal as a JSON number: 125 and 4018.75, never 125.0."""
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    raise TypeError(f"{type(value).__name__} cannot be sent as JSON")


def plain(value: Decimal) -> str:
    """12.50 → "12.5", 1E+2 → "100"."""
    text = f"{value:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
