"""The rows of a supplier invoice: currency, the rows that Fortnox adds, and the balance."""

from decimal import Decimal
from typing import Any

from app.sandbox.fortnox import errors
from app.sandbox.fortnox.books import Books
from app.sandbox.fortnox.document_fields import SUPPLIER_INVOICE_ROW
from app.sandbox.fortnox.documents import Document
from app.sandbox.fortnox.errors import Refused
from app.sandbox.fortnox.shapes import cents

Row = dict[str, Any]
ZERO = Decimal(0)
REVERSE_CODES = {
    ("EUINTERNAL", "STOCK"): ("PRD", "PRC"),
    ("EUINTERNAL", "SERVICE"): ("SRD", "SRC"),
    ("REVERSE", "STOCK"): ("CND", "CNC"),
    ("REVERSE", "SERVICE"): ("CND", "CNC"),
}
CODES_OF_ACCOUNTS = {2440: "TOT", 2641: "VAT", 3740: "ROV"}


def complete(books: Books, invoice: Document, patches: list[Row], sent: set[str]) -> list[Row]:
    """All rows, checked; `sent` names the header fields that the client gave."""
    rows = [_row(books, invoice, patch) for patch in patches]
    if "VAT" in sent and Decimal(invoice["VAT"]) and not _with(rows, "VAT"):
        rows.insert(
            0, _made(books, invoice, books.account("INVAT"), "VAT", Decimal(invoice["VAT"]))
        )
    codes = REVERSE_CODES.get((invoice["VATType"], invoice["SalesType"]))
    if codes and not _with(rows, codes[0]):
        tax = cents(_currency_sum(_without(rows, "TOT")) / 4)
        rows.append(_made(books, invoice, 2645, codes[0], tax))
        rows.append(_made(books, invoice, 2614, codes[1], -tax))
    if not _with(rows, "TOT"):
        total = Decimal(invoice["Total"]) if "Total" in sent else _currency_sum(rows)
        rows.insert(0, _made(books, invoice, books.account("SUPPLIERDEBT"), "TOT", -total))
    _check_balance(rows)
    invoice["Total"] = money(-_currency_sum(_with(rows, "TOT")))
    invoice["VAT"] = money(_currency_sum(_with(rows, "VAT")))
    return rows


def money(amount: Decimal) -> str:
    return f"{cents(amount):f}"


def _with(rows: list[Row], code: str) -> list[Row]:
    return [row for row in rows if row["Code"] == code]


def _without(rows: list[Row], code: str) -> list[Row]:
    return [row for row in rows if row["Code"] != code]


def _currency_sum(rows: list[Row]) -> Decimal:
    return sum((row["DebitCurrency"] - row["CreditCurrency"] for row in rows), ZERO)


def _check_balance(rows: list[Row]) -> None:
    if _currency_sum(rows):
        raise Refused(errors.NOT_BALANCED, "Leverantörsfakturan balanserar inte.")
    rest = sum((row["Debit"] - row["Credit"] for row in rows), ZERO)
    for row in _with(rows, "TOT")[:1]:  # the rate's öre
        side = "Credit" if row["Credit"] else "Debit"
        row[side] += rest if side == "Credit" else -rest


def _row(books: Books, invoice: Document, patch: Row) -> Row:
    row = SUPPLIER_INVOICE_ROW.blank() | patch
    article = row["ArticleNumber"]
    books.check("articles", article, errors.ROW_ARTICLE, f"Kunde inte hitta artikel {article}.")
    if not row["Account"] and article:
        row["Account"] = books.shelves["articles"][article]["PurchaseAccount"]
    books.check_references(row)
    if "Price" in patch and not {"Debit", "Credit", "DebitCurrency", "CreditCurrency"} & set(patch):
        row["DebitCurrency" if _foreign(invoice) else "Debit"] = cents(
            row["Price"] * row["Quantity"]
        )
    return _finished(books, invoice, row)


def _made(books: Books, invoice: Document, account: int, code: str, amount: Decimal) -> Row:
    side = ("Debit" if amount > 0 else "Credit") + ("Currency" if _foreign(invoice) else "")
    made = {"Account": account, "Code": code, side: abs(amount)}
    return _finished(books, invoice, SUPPLIER_INVOICE_ROW.blank() | made)


def _foreign(invoice: Document) -> bool:
    return bool(invoice["Currency"] != "SEK")


def _finished(books: Books, invoice: Document, row: Row) -> Row:
    account = books.check_account(row["Account"])
    row["AccountDescription"] = row["AccountDescription"] or account["Description"]
    row["Code"] = row["Code"] or CODES_OF_ACCOUNTS.get(row["Account"], "PRE")
    rate = Decimal(invoice["CurrencyRate"]) / Decimal(invoice["CurrencyUnit"])
    for side in ("Debit", "Credit"):
        if row[f"{side}Currency"]:
            row[side] = row[side] or cents(row[f"{side}Currency"] * rate)
        else:
            row[f"{side}Currency"] = cents(row[side] / rate)
    row["Total"] = row["Debit"] - row["Credit"]
    return row


def mirrored(row: Row) -> Row:
    """The same row on the other side, as a credit note has it, without what Fortnox fills in."""
    keep = "ArticleNumber Account Code CostCenter ItemDescription Project TransactionInformation"
    turned = {name: row[name] for name in keep.split()}
    return turned | {
        "Debit": row["Credit"],
        "Credit": row["Debit"],
        "DebitCurrency": row["CreditCurrency"],
        "CreditCurrency": row["DebitCurrency"],
    }
