"""The day a company starts with Fortnox: everything it is given before anybody writes anything."""

from typing import Any

from app.sandbox.fortnox import chart
from app.sandbox.fortnox import register_fields as fields
from app.sandbox.fortnox.books import Books
from app.sandbox.fortnox.shapes import Shape


def open_books(books: Books, company: dict[str, Any]) -> None:
    """Silently: no events, nobody was listening."""
    books.company = {
        "Address": "Storgatan 1",
        "City": "Växjö",
        "CountryCode": "SE",
        "Country": "Sverige",
        "ZipCode": "35246",
        "OrganizationNumber": "555555-5555",
        "VATNumber": "SE555555555501",
        "BG": "123-4567",
        **company,
    }
    for number, (text, vat_code, _) in chart.ACCOUNTS.items():
        values = {"Number": number, "Description": text, "VATCode": vat_code}
        _put(books, "accounts", fields.ACCOUNT, str(number), values)
    for code, english, text in chart.UNITS:
        values = {"Code": code, "CodeEnglish": english, "Description": text}
        _put(books, "units", fields.UNIT, code, values)
    for code, text in chart.TERMS.items():
        values = {"Code": code, "Description": text}
        _put(books, "termsofpayments", fields.TERMS_OF_PAYMENT, code, values)
    for code, text, manual in chart.SERIES:
        values = {"Code": code, "Description": text, "Manual": manual}
        _put(books, "voucherseries", fields.VOUCHER_SERIES, code, values)
    _open_predefined(books)
    _open_years(books)


def _open_predefined(books: Books) -> None:
    for name, code in chart.PREDEFINED_SERIES.items():
        values = {"Name": name, "VoucherSeries": code}
        shape = fields.PREDEFINED_VOUCHER_SERIES
        _put(books, "predefinedvoucherseries", shape, name, values)
    for name, number in chart.PREDEFINED_ACCOUNTS.items():
        account = {"Name": name, "Account": number}
        _put(books, "predefinedaccounts", fields.PREDEFINED_ACCOUNT, name, account)
    bank = {"Code": "BG", "Description": "Bankgiro", "AccountNumber": "1930"}
    _put(books, "modesofpayments", fields.MODE_OF_PAYMENT, "BG", bank)
    krona = {"Code": "SEK", "Description": chart.CURRENCY_NAMES["SEK"], "Date": books.today()}
    _put(books, "currencies", fields.CURRENCY, "SEK", krona)


def _open_years(books: Books) -> None:
    """Two years back, the current one (id 3) and the next."""
    current = int(books.today()[:4])
    for year in range(current - 2, current + 2):
        number = books.next_number("financialyears")
        values = {
            "Id": int(number),
            "FromDate": f"{year}-01-01",
            "ToDate": f"{year}-12-31",
            "AccountChartType": f"Bas {year}",
        }
        _put(books, "financialyears", fields.FINANCIAL_YEAR, number, values)
    for path in ("accounts", "voucherseries"):
        for document in books.shelves[path].values():
            document["Year"] = 3


def _put(books: Books, path: str, shape: Shape, code: str, values: dict[str, Any]) -> None:
    document = books.new(shape.blank() | values)
    document["@url"] = books.url(path, code)
    books.shelves[path][code] = document
