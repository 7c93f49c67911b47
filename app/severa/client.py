"""The questions we ask Severa, one method each. Source: Severa's public REST API, v1."""

from datetime import UTC, date, datetime
from typing import Any

from app.errors import Refused, Unclear
from app.severa import billed, harmless, schemas
from app.severa.rest import Payload, Rest

ARTICLE_REGISTERS = {
    "product": "products",
    "work_type": "worktypes",
    "travel_expense_type": "travelexpensetypes",
}

# The lists that can be asked for what changed, and whether they are paged by cursor.
CHANGED_LISTS = {
    "customers": ("customers", True),
    "addresses": ("addresses", False),
    "products": ("products", True),
    "work_types": ("worktypes", False),
    "projects": ("projects", True),
}
# The lists of what stands behind an invoice's rows, and whether they are paged by cursor.
BILLED_LISTS = {"workhours": True, "projectfees": True, "projecttravelexpenses": True}
REIMBURSED_LISTS = {
    "reimbursedworkhours": False,
    "reimbursedprojectfees": True,
    "reimbursedprojecttravelexpenses": False,
}


class Severa(Rest):
    def invoice(self, guid: str) -> schemas.Invoice:
        return self._one(schemas.Invoice, f"invoices/{guid}")

    def invoice_rows(self, guid: str) -> list[schemas.InvoiceRow]:
        rows = self._pages(schemas.InvoiceRow, f"invoices/{guid}/invoicerows")
        return sorted(rows, key=lambda row: row.sort_order)

    def billed_items(self, guid: str, *, credit_note: bool) -> list[billed.BilledItem]:
        """The hours, fees and travels behind the rows of an invoice."""
        lists = REIMBURSED_LISTS if credit_note else BILLED_LISTS
        found: list[billed.BilledItem] = []
        for path, by_cursor in lists.items():
            pages = self._pages if by_cursor else self._offsets
            found += pages(billed.BilledItem, f"invoices/{guid}/{path}")
        return found

    def flat_rates(self, invoice_guid: str) -> list[billed.FlatRate]:
        return list(self._pages(billed.FlatRate, "flatrates", invoiceGuid=invoice_guid))

    def invoice_files(self, guid: str) -> list[schemas.InvoiceFile]:
        """What people have attached; the invoice's own picture is not among them."""
        found = self._offsets(schemas.InvoiceFile, f"invoices/{guid}/files")
        return sorted(found, key=lambda one: one.sort_order or 0)

    def file_data(self, file_guid: str, *, largest: int) -> bytes:
        """Refused with the code TOO_LARGE when there are more bytes than `largest`."""
        answer = self._call("GET", f"files/{file_guid}/filedata", largest_file=largest)
        data: bytes = answer.data
        return data

    def move_invoice(self, guid: str, status: str, payment_date: date | None = None) -> None:
        """Sets the status, and the day of its last payment where one is given."""
        values: Payload = {"status/guid": status}
        if payment_date is not None:
            values["paymentDate"] = payment_date.isoformat()
        self._replace(f"invoices/{guid}", values)

    def invoice_statuses(self) -> list[schemas.InvoiceStatus]:
        return list(self._offsets(schemas.InvoiceStatus, "invoicestatuses"))

    def customer(self, guid: str) -> schemas.Customer:
        return self._one(schemas.Customer, f"customers/{guid}")

    def addresses(self, customer_guid: str) -> list[schemas.Address]:
        """In Severa's order: the first of a type is the one that counts."""
        return list(self._offsets(schemas.Address, f"customers/{customer_guid}/addresses"))

    def customers_by_number(self, number: int) -> list[schemas.Customer]:
        """Everybody with exactly this number; whether Severa lets two have it is not documented."""
        pages = self._pages(schemas.Customer, "customers", numbers=str(number))
        return [one for one in pages if one.number == number]

    def create_customer(self, payload: Payload) -> schemas.Customer:
        return self._make(schemas.Customer, "customers", payload)

    def change_customer(self, guid: str, values: Payload) -> None:
        self._replace(f"customers/{guid}", values)

    def country_settings(self, customer_guid: str) -> list[schemas.CountrySetting]:
        """Where this customer's VAT is not what its country says."""
        answer = self._call("GET", f"customers/{customer_guid}/customercountrysettings")
        return list(self._shape(list[schemas.CountrySetting], answer.data))

    def create_address(self, customer_guid: str, payload: Payload) -> schemas.Address:
        return self._make(schemas.Address, f"customers/{customer_guid}/addresses", payload)

    def change_address(self, guid: str, values: Payload) -> None:
        self._replace(f"addresses/{guid}", values)

    def currencies(self) -> list[schemas.CurrencyRecord]:
        return list(self._offsets(schemas.CurrencyRecord, "currencies"))

    def sales_accounts(self) -> list[schemas.SalesAccount]:
        return list(self._offsets(schemas.SalesAccount, "salesaccounts"))

    def sales_state(self, guid: str) -> str | None:
        """InProgress, Won or Lost: a project's own sales status does not say."""
        return self._one(schemas.SalesStatusType, f"salesstatustypes/{guid}").sales_state

    def create_product(self, payload: Payload) -> schemas.Article:
        return self._make(schemas.Article, "products", payload)

    def change_article(self, register: str, guid: str, values: Payload) -> None:
        self._replace(f"{ARTICLE_REGISTERS[register]}/{guid}", values)

    def countries(self) -> list[schemas.Country]:
        answer = self._call("GET", "localization/countries")
        countries: list[schemas.Country] = self._shape(list[schemas.Country], answer.data)
        return countries

    def project(self, guid: str) -> schemas.Project:
        return self._one(schemas.Project, f"projects/{guid}")

    def project_by_number(self, number: str) -> schemas.Project | None:
        """Severa's numbers are whole: `P1001` and `0071` are nobody's."""
        if not number.isascii() or not number.isdigit():
            return None
        found = self._pages(schemas.Project, "projects", numbers=[number])
        return next((one for one in found if str(one.number) == number), None)

    def phases(self, project_guid: str) -> list[schemas.Phase]:
        """In the order of the project's tree, the root phase among them."""
        answer = self._call("GET", f"projects/{project_guid}/phaseswithhierarchy")
        phases: list[schemas.Phase] = self._shape(list[schemas.Phase], answer.data)
        return phases

    def project_fee(self, guid: str) -> schemas.ProjectFee:
        return self._one(schemas.ProjectFee, f"projectfees/{guid}")

    def project_fees(self, project_guid: str) -> list[schemas.ProjectFee]:
        """Every one, whoever made it. Those of periods to come are a list of their own."""
        path = f"projects/{project_guid}/projectfees"
        coming = self._pages(schemas.ProjectFee, path, isBillablePeriodInFuture="true")
        found = [*self._pages(schemas.ProjectFee, path), *coming]
        return list({one.guid: one for one in found}.values())

    def all_project_fees(self) -> list[schemas.ProjectFee]:
        """Of every project; Severa filters them by no date of ours."""
        return list(self._pages(schemas.ProjectFee, "projectfees"))

    def create_project_fee(self, payload: dict[str, Any]) -> schemas.ProjectFee:
        """The answer is a list of what was made."""
        answer = self._call("POST", "projectfees", json_body=payload)
        made: list[schemas.ProjectFee] = self._shape(list[schemas.ProjectFee], answer.data)
        if not made:
            raise Unclear("severa", "no project fee in the answer")
        return made[0]

    def change_project_fee(self, guid: str, values: dict[str, Any]) -> None:
        """`values` by the names of the input."""
        self._replace(f"projectfees/{guid}", values)

    def delete_project_fee(self, guid: str) -> None:
        """Takes the scope fees:delete, which not every credential has."""
        self._call("DELETE", f"projectfees/{guid}")

    def products_by_code(self, code: str) -> list[schemas.Article]:
        """Products in use with exactly this code; not work types, not travel expense types."""
        found = self._pages(schemas.Article, ARTICLE_REGISTERS["product"], code=code)
        return [one for one in found if one.code == code and one.is_active is not False]

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

    def invoices_in_status(self, *statuses: str) -> list[schemas.Invoice]:
        query = {"invoiceStatusGuids": list(statuses)}
        return list(self._pages(schemas.Invoice, "invoices", **query))

    def invoices_numbered(self, numbers: list[str]) -> list[schemas.Invoice]:
        return list(self._pages(schemas.Invoice, "invoices", numbers=numbers))

    def invoices_between(self, first: date, last: date) -> list[schemas.Invoice]:
        """By invoice date, both days included."""
        query = {"startDate": first.isoformat(), "endDate": last.isoformat()}
        return list(self._pages(schemas.Invoice, "invoices", **query))

    def standing_in(self, *statuses: str) -> list[schemas.Changed]:
        """The invoices in these statuses, in short."""
        query = {"invoiceStatusGuids": list(statuses)}
        return list(self._pages(schemas.Changed, "invoices", **query))

    def changed(self, register: str, since: datetime) -> list[schemas.Changed]:
        """The records of a register that changed then or later; `register` as in CHANGED_LISTS."""
        path, by_cursor = CHANGED_LISTS[register]
        pages = self._pages if by_cursor else self._offsets
        stamp = since.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        return list(pages(schemas.Changed, path, changedSince=stamp))

    def all_customers(self) -> list[schemas.Customer]:
        return list(self._pages(schemas.Customer, "customers"))

    def all_addresses(self) -> list[schemas.Address]:
        return list(self._offsets(schemas.Address, "addresses"))

    def all_projects(self) -> list[schemas.Project]:
        return list(self._pages(schemas.Project, "projects"))

    def all_articles(self, register: str) -> list[schemas.Article]:
        pages = self._pages if register == "product" else self._offsets
        return list(pages(schemas.Article, ARTICLE_REGISTERS[register]))

    def codes(self) -> dict[str, str]:
        """The code of every product, work type and travel expense type, by its GUID."""
        found: dict[str, str] = {}
        for register, path in ARTICLE_REGISTERS.items():
            pages = self._pages if register == "product" else self._offsets
            for one in pages(schemas.Article, path):
                if one.code:
                    found[one.guid.lower()] = one.code
        return found

    def may_read(self, path: str) -> None:
        """Raises what Severa has against our reading this register: a scope that is not given."""
        self._call("GET", path, params={"rowCount": "1"})

    def may(self, at: str) -> None:
        """Raises what Severa has against a call like this; a scope comes with a new token only."""
        method, path, sent = harmless.like(at)
        try:
            self._call(method, path, **sent)
        except Refused:
            self._line.tokens.renew(self._line.tokens.current())
            self._call(method, path, **sent)

    def is_alive(self) -> bool:
        """Whether Severa answers us at all, with a good token."""
        self._ask("GET", f"{self._url}/heartbeat/authorized")
        return True
