"""One company's books: shelves of documents, settings, and the look-ups everything shares."""

from collections import defaultdict
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from functools import wraps
from threading import RLock
from typing import Any, TypeVar, cast
from urllib.parse import quote

from app.sandbox.fortnox import errors
from app.sandbox.fortnox.documents import Document, Shelf, words
from app.sandbox.fortnox.errors import Refused
from app.sandbox.fortnox.events import STOCKHOLM, EventLog
from app.sandbox.fortnox.options import FortnoxOptions

Method = TypeVar("Method", bound=Callable[..., Any])

SHELVES = words(
    "customers articles units projects costcenters currencies termsofpayments"
    " invoices invoicepayments suppliers supplierinvoices vouchers voucherseries"
    " predefinedvoucherseries predefinedaccounts accounts financialyears"
    " modesofpayments prices supplierinvoicefileconnections"
)


def locked(method: Method) -> Method:
    """For methods called from a test's thread while the server's thread reads the same books."""

    @wraps(method)
    def guarded(self: "Books", *args: Any, **kwargs: Any) -> Any:
        with self.lock:
            return method(self, *args, **kwargs)

    return cast(Method, guarded)


class Books:
    def __init__(
        self, tenant_id: str, name: str, options: FortnoxOptions, events: EventLog, lock: RLock
    ) -> None:
        self.tenant_id, self.name = tenant_id, name
        self.options, self.events, self.lock = options, events, lock
        self.shelves = {path: Shelf() for path in SHELVES}
        self.references: dict[tuple[str, str], set[str]] = defaultdict(set)
        self.company: dict[str, Any] = {}
        self.vat_rates = {25, 12, 6, 0}
        self.unlicensed: set[str] = set()  # scopes whose module the company no longer pays for
        self.locked_until: date | None = None
        self.used_customer_numbers: set[str] = set()
        self.files: dict[str, Any] = {}
        self.attachments: dict[str, dict[str, Any]] = {}
        self.counters: dict[str, int] = defaultdict(int)

    def next_number(self, path: str) -> str:
        """The next free number of a series; numbers that clients chose are stepped over."""
        while True:
            self.counters[path] += 1
            number = str(self.counters[path])
            if number not in self.shelves[path] and not (
                path == "customers" and number in self.used_customer_numbers
            ):
                return number

    def now(self) -> datetime:
        return self.options.clock().astimezone(UTC)

    def today(self) -> str:
        return self.now().astimezone(STOCKHOLM).date().isoformat()

    def url(self, path: str, *keys: str) -> str:
        tail = "".join("/" + quote(key, safe="") for key in keys)
        return f"{self.options.base_url}/3/{path}{tail}"

    def new(self, values: dict[str, Any]) -> Document:
        return Document(values, self.now())

    def change(self, document: Document, *, touch: bool = True) -> None:
        """Call before altering a document: readers may still be shown the old one."""
        now = self.now()
        if self.options.show_delay:
            document.remember(now)
        if touch:
            document.touch(now)

    def shown(self, document: Document) -> dict[str, Any] | None:
        """The document as a reader sees it now; None: not there yet."""
        if not self.options.show_delay:
            return document
        return document.as_of(self.now() - timedelta(seconds=self.options.show_delay))

    def searchable(self, created: datetime) -> bool:
        """A stale index knows a document only after a while."""
        return created + timedelta(seconds=self.options.search_delay) <= self.now()

    def find(self, path: str, key: str, code: int, message: str) -> Document:
        """A document by number, or the 404 of a look-up."""
        found = self.shelves[path].get(key)
        if found is None:
            raise errors.missing(code, message)
        return found

    def check(self, path: str, key: object, code: int, message: str) -> None:
        """A reference from another document must lead somewhere; an empty one is fine."""
        if key and str(key) not in self.shelves[path]:
            raise Refused(code, message)

    def check_references(self, patch: dict[str, Any]) -> None:
        self._check_project(patch)
        cost_center = patch.get("CostCenter")
        self.check(
            "costcenters", cost_center, errors.NO_COST_CENTER, "Kunde inte hämta kostnadsställe."
        )
        self.check(
            "termsofpayments",
            patch.get("TermsOfPayment"),
            errors.NO_TERMS,
            "Kan inte hitta betalningsvillkoret.",
        )
        self.check(
            "currencies", patch.get("Currency"), errors.NO_CURRENCY, "Kan inte hitta valutan."
        )
        self.check("units", patch.get("Unit"), errors.NO_UNIT, "Kan inte hitta enheten.")
        price_list = patch.get("PriceList")
        if price_list and price_list != "A":
            raise Refused(errors.NO_PRICE_LIST, "Kan inte hitta prislistan.")

    def _check_project(self, patch: dict[str, Any]) -> None:
        self.check("projects", patch.get("Project"), errors.NO_PROJECT, "Kan inte hitta projektet.")
        if not patch.get("Project") or self.options.project_accounting == "on":
            return
        if self.options.project_accounting == "off_refuses":
            text = "Projektredovisning är inte aktiverad."
            raise Refused(errors.NO_PROJECT_ACCOUNTING, text)
        patch["Project"] = ""

    def check_account(self, number: int | str, code: int = errors.NO_ACCOUNT) -> Document:
        found = self.shelves["accounts"].get(str(number))
        if found is None:
            raise Refused(code, f"Kunde inte hitta konto {number}.")
        if not found["Active"]:
            raise Refused(errors.INACTIVE_ACCOUNT, f"Kontot {number} är inte aktivt.")
        return found

    def check_vat_rate(self, rate: int | Decimal) -> None:
        if rate not in self.vat_rates:
            raise Refused(errors.BAD_VAT_RATE, f"Kunde inte hitta moms {rate} %.")

    def year_of(self, day: str) -> Document | None:
        for year in self.shelves["financialyears"].values():
            if year["FromDate"] <= day <= year["ToDate"]:
                return year
        return None

    def check_open(self, day: str) -> Document:
        """The financial year of a date on which something may still be booked."""
        year = self.year_of(day)
        if year is None:
            raise Refused(errors.NO_FINANCIAL_YEAR, f"Räkenskapsår saknas för {day}.")
        if self.locked_until and day <= self.locked_until.isoformat():
            until = self.locked_until.isoformat()
            raise Refused(errors.PERIOD_LOCKED, f"{self.name} har låst perioden t.o.m. {until}.")
        return year

    def account(self, name: str) -> int:
        """A predefined account, which must exist in the chart."""
        found = self.shelves["predefinedaccounts"].get(name)
        if found is None:
            raise Refused(
                errors.NO_PREDEFINED_ACCOUNT, f"Kan inte hitta fördefinierat konto {name}."
            )
        self.check_account(found["Account"], errors.ROW_ACCOUNT)
        return int(found["Account"])

    def series(self, name: str) -> str:
        return str(self.shelves["predefinedvoucherseries"][name]["VoucherSeries"])

    def rate(self, currency: str) -> tuple[Decimal, int]:
        """SEK per so many units of a registered currency."""
        known = self.shelves["currencies"].get(currency)
        if known is None or currency == "SEK":
            return Decimal(1), 1
        return known["BuyRate"], int(known["Unit"])

    def signal(self, topic: str, kind: str, entity_id: str, **extra: Any) -> None:
        version = "v2" if kind == "customer-updated" else "v1"
        self.events.add(topic, f"{kind}-{version}", self.tenant_id, entity_id, **extra)
