"""The registers documents refer to: units, projects, currencies, series, accounts and years."""

from datetime import date
from typing import Any

from app.sandbox.fortnox import errors
from app.sandbox.fortnox import register_fields as fields
from app.sandbox.fortnox.books import Books
from app.sandbox.fortnox.calls import Answer, Call
from app.sandbox.fortnox.documents import Document
from app.sandbox.fortnox.errors import Refused
from app.sandbox.fortnox.lists import Listing, columns, text
from app.sandbox.fortnox.registers import Register
from app.sandbox.fortnox.shapes import Shape


def _all(shape: Shape) -> str:
    return " ".join(shape.fields)


UNITS = Register(
    "units",
    "Unit",
    "Code",
    fields.UNIT,
    Listing("Units", columns(_all(fields.UNIT))),
    missing=(errors.NO_UNIT, "Kan inte hitta enheten."),
    taken=(errors.NUMBER_TAKEN, "Enheten {} används redan."),
)
PROJECTS = Register(
    "projects",
    "Project",
    "ProjectNumber",
    fields.PROJECT,
    Listing(
        "Projects",
        columns(fields.PROJECT_ITEM),
        {"description": text("Description"), "projectnumber": text("ProjectNumber")},
        {"projectnumber": "ProjectNumber", "description": "Description"},
    ),
    missing=(errors.NO_PROJECT, "Kan inte hitta projektet."),
    taken=(errors.NUMBER_TAKEN, "Projektnummer {} används redan."),
    topic="projects",
    event="project",
)
COST_CENTERS = Register(
    "costcenters",
    "CostCenter",
    "Code",
    fields.COST_CENTER,
    Listing("CostCenters", columns(_all(fields.COST_CENTER))),
    missing=(errors.NO_COST_CENTER, "Kan inte hitta kostnadsstället."),
    topic="cost-centers",
    event="cost-center",
)


def _terms(_: Books, terms: Document, __: dict[str, Any]) -> None:
    terms["Code"] = terms["Code"].upper()
    if not terms["Code"].isalnum():
        raise Refused(errors.NOT_ALPHANUMERIC, "Värdet måste vara alfanumeriskt. (Code)")


TERMS_OF_PAYMENTS = Register(
    "termsofpayments",
    "TermsOfPayment",
    "Code",
    fields.TERMS_OF_PAYMENT,
    Listing("TermsOfPayments", columns(_all(fields.TERMS_OF_PAYMENT))),
    missing=(errors.NO_TERMS, "Kan inte hitta betalningsvillkoret."),
    topic="termsofpayments",
    event="termsofpayments",
    prepare=_terms,
)


def _currency(books: Books, currency: Document, patch: dict[str, Any]) -> None:
    currency["Date"] = books.today()
    if "BuyRate" in patch and "SellRate" not in patch:
        currency["SellRate"] = patch["BuyRate"]


CURRENCIES = Register(
    "currencies",
    "Currency",
    "Code",
    fields.CURRENCY,
    Listing("Currencies", columns(_all(fields.CURRENCY))),
    missing=(errors.NO_CURRENCY, "Kan inte hitta valutan."),
    topic="currencies",
    event="currency",
    prepare=_currency,
)


def _mode(books: Books, mode: Document, _: dict[str, Any]) -> None:
    books.check_account(mode["AccountNumber"])


MODES_OF_PAYMENTS = Register(
    "modesofpayments",
    "ModeOfPayment",
    "Code",
    fields.MODE_OF_PAYMENT,
    Listing("ModesOfPayments", columns(_all(fields.MODE_OF_PAYMENT))),
    missing=(errors.NO_MODE_OF_PAYMENT, "Kan inte hitta betalningssättet."),
    prepare=_mode,
)
VOUCHER_SERIES = Register(
    "voucherseries",
    "VoucherSeries",
    "Code",
    fields.VOUCHER_SERIES,
    Listing("VoucherSeriesCollection", columns("@url Code Description Manual Year Approver")),
    missing=(errors.NO_VOUCHER_SERIES, "Kan inte hitta verifikationsserien."),
    verbs="GET POST PUT",
)
PREDEFINED_VOUCHER_SERIES = Register(
    "predefinedvoucherseries",
    "PreDefinedVoucherSeries",
    "Name",
    fields.PREDEFINED_VOUCHER_SERIES,
    Listing("PreDefinedVoucherSeriesCollection", columns(_all(fields.PREDEFINED_VOUCHER_SERIES))),
    missing=(errors.NO_VOUCHER_SERIES, "Kan inte hitta verifikationsserien."),
    verbs="GET PUT",
)
PREDEFINED_ACCOUNTS = Register(
    "predefinedaccounts",
    "PreDefinedAccount",
    "Name",
    fields.PREDEFINED_ACCOUNT,
    Listing("PreDefinedAccounts", columns(_all(fields.PREDEFINED_ACCOUNT))),
    missing=(errors.NO_PREDEFINED_ACCOUNT, "Kan inte hitta det fördefinierade kontot."),
    verbs="GET PUT",
)
ACCOUNTS = Register(
    "accounts",
    "Account",
    "Number",
    fields.ACCOUNT,
    Listing("Accounts", columns(fields.ACCOUNT_ITEM), {"sru": text("SRU")}, {"number": "Number"}),
    missing=(errors.NO_ACCOUNT, "Kan inte hitta kontot."),
    topic="financial-years",
    event="account",
)


def _year(books: Books, year: Document, _: dict[str, Any]) -> None:
    year["Id"] = int(books.next_number("financialyears"))
    year["AccountChartType"] = year["AccountChartType"] or f"Bas {year['FromDate'][:4]}"


class FinancialYears(Register):
    def handle(self, call: Call) -> Answer:
        """`?date=` answers the year of that day, or an empty list: no such year."""
        day = call.query.get("date") or call.query.get("Date")
        if call.method != "GET" or len(call.path) > 1 or not day:
            return super().handle(call)
        try:
            date.fromisoformat(day)
        except ValueError:
            raise Refused(errors.BAD_PARAMETER, "Ogiltig parameter: date.") from None
        year = call.books.year_of(day)
        return self.listing.answer(call, [] if year is None else [year])


FINANCIAL_YEARS = FinancialYears(
    "financialyears",
    "FinancialYear",
    "Id",
    fields.FINANCIAL_YEAR,
    Listing("FinancialYears", columns(_all(fields.FINANCIAL_YEAR))),
    missing=(errors.NO_YEAR, "Kan inte hitta räkenskapsåret."),
    topic="financial-years",
    event="financial-year",
    verbs="GET POST",
)
