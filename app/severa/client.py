"""The questions we ask Severa, one method each. Source: Severa's public REST API, v1."""

from collections.abc import Iterator
from datetime import date
from functools import cache
from typing import Any, TypeVar

from pydantic import TypeAdapter, ValidationError

from app.calls import Answer
from app.errors import Busy, System, Unauthorized, Unclear
from app.line import Line
from app.severa import schemas
from app.severa.auth import ask

T = TypeVar("T")
PAGE = 100
ARTICLE_REGISTERS = {
    "product": "products",
    "work_type": "worktypes",
    "travel_expense_type": "travelexpensetypes",
}

# The lists of what stands behind an invoice's rows, and whether they are paged by cursor.
BILLED_LISTS = {"workhours": True, "projectfees": True, "projecttravelexpenses": True}
REIMBURSED_LISTS = {
    "reimbursedworkhours": False,
    "reimbursedprojectfees": True,
    "reimbursedprojecttravelexpenses": False,
}


@cache
def _reader(shape: Any) -> TypeAdapter[Any]:
    return TypeAdapter(shape)


class Severa:
    system: System = "severa"

    def __init__(self, line: Line, url: str, client_id: str) -> None:
        self._line, self._url = line, url.rstrip("/")
        self._client_id = client_id

    def prepay(self) -> None:
        self._line.prepay()

    def invoice(self, guid: str) -> schemas.Invoice:
        return self._one(schemas.Invoice, f"invoices/{guid}")

    def invoice_rows(self, guid: str) -> list[schemas.InvoiceRow]:
        rows = self._pages(schemas.InvoiceRow, f"invoices/{guid}/invoicerows")
        return sorted(rows, key=lambda row: row.sort_order)

    def billed_items(self, guid: str, *, credit_note: bool) -> list[schemas.BilledItem]:
        """The hours, fees and travels behind the rows of an invoice."""
        lists = REIMBURSED_LISTS if credit_note else BILLED_LISTS
        found: list[schemas.BilledItem] = []
        for path, by_cursor in lists.items():
            pages = self._pages if by_cursor else self._offsets
            found += pages(schemas.BilledItem, f"invoices/{guid}/{path}")
        return found

    def flat_rates(self, invoice_guid: str) -> list[schemas.FlatRate]:
        return list(self._pages(schemas.FlatRate, "flatrates", invoiceGuid=invoice_guid))

    def move_invoice(self, guid: str, status: str, payment_date: date | None = None) -> None:
        """Sets the status; JSON Patch, only `Replace` is understood."""
        changes = [{"op": "Replace", "path": "/status/guid", "value": status}]
        if payment_date is not None:
            day = payment_date.isoformat()
            changes.append({"op": "Replace", "path": "/paymentDate", "value": day})
        self._call("PATCH", f"invoices/{guid}", json_body=changes)

    def invoice_statuses(self) -> list[schemas.InvoiceStatus]:
        return list(self._offsets(schemas.InvoiceStatus, "invoicestatuses"))

    def customer(self, guid: str) -> schemas.Customer:
        return self._one(schemas.Customer, f"customers/{guid}")

    def addresses(self, customer_guid: str) -> list[schemas.Address]:
        """In Severa's order: the first of a type is the one that counts."""
        return list(self._offsets(schemas.Address, f"customers/{customer_guid}/addresses"))

    def countries(self) -> list[schemas.Country]:
        answer = self._call("GET", "localization/countries")
        countries: list[schemas.Country] = self._shape(list[schemas.Country], answer.data)
        return countries

    def project(self, guid: str) -> schemas.Project:
        return self._one(schemas.Project, f"projects/{guid}")

    def article(self, register: str, guid: str) -> schemas.Article:
        return self._one(schemas.Article, f"{ARTICLE_REGISTERS[register]}/{guid}")

    def articles_by_code(self, code: str) -> list[tuple[str, schemas.Article]]:
        """Register and record of whatever has exactly this code, in any of the three registers."""
        found: list[tuple[str, schemas.Article]] = []
        for register, path in ARTICLE_REGISTERS.items():
            pages = self._pages if register == "product" else self._offsets
            found += [
                (register, article)
                for article in pages(schemas.Article, path, code=code)
                if article.code == code
            ]
        return found

    def is_alive(self) -> bool:
        """Whether Severa answers us at all, with a good token."""
        self._ask("GET", f"{self._url}/heartbeat/authorized")
        return True

    def _one(self, shape: type[T], path: str) -> T:
        record: T = self._shape(shape, self._call("GET", path).data)
        return record

    def _pages(self, shape: type[T], path: str, **query: str) -> Iterator[T]:
        """Cursor paging: the next page's token comes in a header, and none is the end."""
        token = None
        while True:
            params = query | {"rowCount": str(PAGE)} | ({"pageToken": token} if token else {})
            answer = self._call("GET", path, params=params)
            yield from self._shape(list[shape], answer.data)  # type: ignore[valid-type]
            token = answer.headers.get("NextPageToken")
            if not token:
                return

    def _offsets(self, shape: type[T], path: str, **query: str) -> Iterator[T]:
        """Offset paging: a page that is not full is the last; one too full is everything."""
        first = 0
        while True:
            params = query | {"firstRow": str(first), "rowCount": str(PAGE)}
            page: list[T] = self._shape(list[shape], self._call("GET", path, params=params).data)  # type: ignore[valid-type]
            yield from page
            first += len(page)
            if len(page) != PAGE:
                return

    def _call(self, method: str, path: str, **sent: Any) -> Answer:
        return self._ask(method, f"{self._url}/v1/{path}", **sent)

    def _ask(self, method: str, url: str, **sent: Any) -> Answer:
        token = self._line.tokens.current()
        try:
            return self._send(token, method, url, **sent)
        except Unauthorized:  # a definite no: the token may just have ended
            return self._send(self._line.tokens.renew(token), method, url, **sent)

    def _send(self, token: str, method: str, url: str, **sent: Any) -> Answer:
        self._line.turn()
        headers = {"Authorization": f"Bearer {token}", "Client_Id": self._client_id}
        try:
            return ask(self._line.client, method, url, headers=headers, **sent)
        except Busy as error:
            self._line.note(error)
            raise

    @staticmethod
    def _shape(shape: Any, data: Any) -> Any:
        try:
            return _reader(shape).validate_python(data)
        except ValidationError as error:
            fields = ", ".join(".".join(map(str, one["loc"])) for one in error.errors()[:5])
            raise Unclear("severa", f"an answer of another shape: {fields}") from error
