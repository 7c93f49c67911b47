"""The questions we ask Fortnox, one method each. Source: Fortnox API 3."""

import hashlib
import json
from collections.abc import Iterator
from datetime import date
from typing import Any
from urllib.parse import quote

from app.errors import Unclear
from app.fortnox import files, schemas
from app.fortnox.listed import Listed, SupplierInvoiceListItem, listed
from app.fortnox.rest import Payload, Rest

ATTACHMENTS = "/api/fileattachments/attachments-v1"
ALONE = {"locked_period": "settings/lockedperiod"}
# What a poll reads by its rows alone: path, wrapper, and the field of the number.
LISTS = {
    "accounts": ("accounts", "Accounts", "Number"),
    "articles": ("articles", "Articles", "ArticleNumber"),
    "cost_centers": ("costcenters", "CostCenters", "Code"),
    "currencies": ("currencies", "Currencies", "Code"),
    "customers": ("customers", "Customers", "CustomerNumber"),
    "financial_years": ("financialyears", "FinancialYears", "Id"),
    "projects": ("projects", "Projects", "ProjectNumber"),
    "supplier_invoices": ("supplierinvoices", "SupplierInvoices", "GivenNumber"),
    "terms": ("termsofpayments", "TermsOfPayments", "Code"),
    "units": ("units", "Units", "Code"),
}


class Fortnox(Rest):
    def invoice(self, number: str) -> schemas.Invoice:
        return self._one(schemas.Invoice, "Invoice", "GET", f"invoices/{_part(number)}")

    def invoices_with_reference(self, reference: str) -> list[schemas.InvoiceListItem]:
        """All invoices, cancelled ones too, with exactly this ExternalInvoiceReference1.

        Fortnox searches for parts of the text, without regard to case; the comparison is ours.
        """
        pages = self._pages(
            schemas.InvoiceListItem, "invoices", "Invoices", externalinvoicereference1=reference
        )
        return [item for item in pages if item.external_invoice_reference1 == reference]

    def invoices_with_prefix(self, prefix: str) -> list[schemas.InvoiceListItem]:
        """All invoices, cancelled ones too, whose ExternalInvoiceReference1 begins so."""
        pages = self._pages(
            schemas.InvoiceListItem, "invoices", "Invoices", externalinvoicereference1=prefix
        )
        return [
            item for item in pages if (item.external_invoice_reference1 or "").startswith(prefix)
        ]

    def invoices_between(self, first: date, last: date) -> list[schemas.InvoiceListItem]:
        """By invoice date, both days included; cancelled ones too."""
        query = {"fromdate": first.isoformat(), "todate": last.isoformat()}
        return list(self._pages(schemas.InvoiceListItem, "invoices", "Invoices", **query))

    def create_invoice(self, payload: Payload) -> schemas.Invoice:
        return self._one(schemas.Invoice, "Invoice", "POST", "invoices", {"Invoice": payload})

    def update_invoice(self, number: str, payload: Payload) -> schemas.Invoice:
        path = f"invoices/{_part(number)}"
        return self._one(schemas.Invoice, "Invoice", "PUT", path, {"Invoice": payload})

    def bookkeep_invoice(self, number: str) -> schemas.Invoice:
        return self._one(schemas.Invoice, "Invoice", "PUT", f"invoices/{_part(number)}/bookkeep")

    def credit_invoice(self, number: str) -> schemas.Invoice:
        """Answers the original, which now names the new credit note; works once for an invoice."""
        path = f"invoices/{_part(number)}/credit"
        original = self._one(schemas.Invoice, "Invoice", "PUT", path)
        if original.credit_invoice_reference is None:
            raise Unclear("fortnox", "an invoice that was credited but names no credit note")
        return original

    def inbox(self, folder: str) -> list[files.File]:
        answer = self._call("GET", f"inbox/{_part(folder)}")
        return list(self._shape(files.Folder, answer, "Folder").files)

    def upload(self, folder: str, name: str, content: bytes) -> files.File:
        """A PDF; `name` in ASCII, as multipart names are read in more than one way."""
        sent = {"file": (name, content, "application/pdf")}
        answer = self._call("POST", "inbox", params={"path": folder}, files=sent)
        return self._shape(files.File, answer, "File")

    def archived(self, archive_file_id: str, *, largest: int) -> bytes:
        query = {"fileid": archive_file_id}
        data: bytes = self._call("GET", "archive", params=query, largest_file=largest).data
        return data

    def attachments(self, invoice_number: str) -> list[files.Attachment]:
        query = {"entityid": invoice_number, "entitytype": "F"}
        answer = self._call("GET", ATTACHMENTS, params=query)
        return self._listed(files.Attachment, answer)

    def attach(self, wanted: list[Payload]) -> files.Attachment:
        """`wanted`: one attachment, in a list."""
        answer = self._call("POST", ATTACHMENTS, json_body=wanted)
        made = self._listed(files.Attachment, answer)
        if not made:
            raise Unclear("fortnox", "an attachment that is not named")
        return made[0]

    def invoice_payment(self, number: str) -> schemas.InvoicePayment:
        path = f"invoicepayments/{_part(number)}"
        return self._one(schemas.InvoicePayment, "InvoicePayment", "GET", path)

    def voucher(self, series: str, number: str, year: str) -> schemas.Voucher:
        """`year`: the Id of the financial year, not the calendar year."""
        path = f"vouchers/{_part(series)}/{_part(number)}"
        answer = self._call("GET", path, params={"financialyear": year})
        return self._shape(schemas.Voucher, answer, "Voucher")

    def supplier_invoice(self, number: str) -> schemas.SupplierInvoice:
        """`number`: its GivenNumber. Its rows are in no list: one call for each."""
        path = f"supplierinvoices/{_part(number)}"
        return self._one(schemas.SupplierInvoice, "SupplierInvoice", "GET", path)

    def all_supplier_invoices(self) -> list[SupplierInvoiceListItem]:
        """Fortnox filters them by no date but that of their last change."""
        path, wrapper, _ = LISTS["supplier_invoices"]
        return list(self._pages(SupplierInvoiceListItem, path, wrapper))

    def customer(self, number: str) -> schemas.Customer:
        return self._one(schemas.Customer, "Customer", "GET", f"customers/{_part(number)}")

    def create_customer(self, payload: Payload) -> schemas.Customer:
        return self._one(schemas.Customer, "Customer", "POST", "customers", {"Customer": payload})

    def update_customer(self, number: str, payload: Payload) -> schemas.Customer:
        path = f"customers/{_part(number)}"
        return self._one(schemas.Customer, "Customer", "PUT", path, {"Customer": payload})

    def article(self, number: str) -> schemas.Article:
        return self._one(schemas.Article, "Article", "GET", f"articles/{_part(number)}")

    def articles_named(self, description: str) -> list[schemas.ArticleListItem]:
        """What Fortnox's search for a description brings: parts of it too; comparing is ours."""
        query = {"description": description}
        return list(self._pages(schemas.ArticleListItem, "articles", "Articles", **query))

    def unit(self, code: str) -> schemas.Unit:
        return self._one(schemas.Unit, "Unit", "GET", f"units/{_part(code)}")

    def create_article(self, payload: Payload) -> schemas.Article:
        return self._one(schemas.Article, "Article", "POST", "articles", {"Article": payload})

    def update_article(self, number: str, payload: Payload) -> schemas.Article:
        path = f"articles/{_part(number)}"
        return self._one(schemas.Article, "Article", "PUT", path, {"Article": payload})

    def project(self, number: str) -> schemas.Project:
        return self._one(schemas.Project, "Project", "GET", f"projects/{_part(number)}")

    def create_project(self, payload: Payload) -> schemas.Project:
        return self._one(schemas.Project, "Project", "POST", "projects", {"Project": payload})

    def update_project(self, number: str, payload: Payload) -> schemas.Project:
        path = f"projects/{_part(number)}"
        return self._one(schemas.Project, "Project", "PUT", path, {"Project": payload})

    def terms_of_payments(self) -> list[schemas.TermsOfPayment]:
        return list(self._pages(schemas.TermsOfPayment, "termsofpayments", "TermsOfPayments"))

    def currency(self, code: str) -> schemas.Currency:
        return self._one(schemas.Currency, "Currency", "GET", f"currencies/{_part(code)}")

    def all_customers(self) -> list[schemas.CustomerListItem]:
        return list(self._pages(schemas.CustomerListItem, "customers", "Customers"))

    def all_articles(self) -> list[schemas.ArticleListItem]:
        return list(self._pages(schemas.ArticleListItem, "articles", "Articles"))

    def cost_centers(self) -> list[schemas.Coded]:
        return list(self._pages(schemas.Coded, "costcenters", "CostCenters"))

    def currencies(self) -> list[schemas.Coded]:
        return list(self._pages(schemas.Coded, "currencies", "Currencies"))

    def financial_years_at(self, day: date) -> list[schemas.FinancialYear]:
        """The financial years that this day lies in: one, or none."""
        answer = self._call("GET", "financialyears", params={"date": day.isoformat()})
        return self._shape(list[schemas.FinancialYear], answer, "FinancialYears")

    def may_read(self, path: str) -> None:
        """Raises what Fortnox has against our reading this register."""
        self._call("GET", path, params={"limit": "1"})

    def invoices_modified(self, since: str) -> list[schemas.InvoiceListItem]:
        """`since`: wall time, see `poll.wall_time`."""
        return list(
            self._pages(schemas.InvoiceListItem, "invoices", "Invoices", lastmodified=since)
        )

    def invoices_paid_from(self, day: date) -> list[schemas.InvoiceListItem]:
        query = {"fromfinalpaydate": day.isoformat()}
        return list(self._pages(schemas.InvoiceListItem, "invoices", "Invoices", **query))

    def unpaid_invoices(self) -> list[schemas.InvoiceListItem]:
        return list(self._pages(schemas.InvoiceListItem, "invoices", "Invoices", filter="unpaid"))

    def modified(self, register: str, since: str) -> list[Listed]:
        """`register` as in LISTS, one with a number; `since`: wall time."""
        path, wrapper, number = LISTS[register]
        rows: Iterator[Payload] = self._pages(dict[str, Any], path, wrapper, lastmodified=since)
        return [listed(row, number, _print(row)) for row in rows]

    def fingerprint(self, register: str, since: str = "") -> str:
        """Differs when anything in the list of a register does; `since`: of what changed lately.

        `customers/1001`: of this one alone, with all that a list does not tell.
        """
        if register == "locked_period" or "/" in register:
            return _print(self._call("GET", ALONE.get(register, register)).data)
        path, wrapper, _ = LISTS[register]
        query = {"lastmodified": since} if since else {}
        return _print(list(self._pages(dict[str, Any], path, wrapper, **query)))

    def units(self) -> list[schemas.Unit]:
        return list(self._pages(schemas.Unit, "units", "Units"))

    def company(self) -> schemas.Company:
        path = "companyinformation"
        return self._one(schemas.Company, "CompanyInformation", "GET", path)

    def may(self, at: str) -> None:
        """Raises what Fortnox has against a call like this one, as `PUT /3/invoices/1/credit`.

        Scopes and licences are of a whole register: it is read, and nothing is ever written.
        """
        method, _, path = at.partition(" ")
        if method == "GET" or "/3/" not in path:
            self._call("GET", path)
        else:
            register = path.partition("/3/")[2].partition("/")[0]
            self._call("GET", register, params={"limit": "1"})

    def is_alive(self) -> bool:
        """Whether Fortnox answers us at all, with a good token."""
        self._call("GET", "companyinformation")
        return True


def _print(data: Any) -> str:
    text = json.dumps(data, sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _part(text: str) -> str:
    return quote(text, safe="")
