"""The rows of an invoice: defaults from the article, the checks, and RowId's rules on update."""

from decimal import Decimal
from typing import Any

from app.sandbox.fortnox import errors
from app.sandbox.fortnox.amounts import vat_free
from app.sandbox.fortnox.books import Books
from app.sandbox.fortnox.chart import ACCOUNTS
from app.sandbox.fortnox.document_fields import INVOICE_ROW
from app.sandbox.fortnox.documents import Document, plain
from app.sandbox.fortnox.errors import Refused
from app.sandbox.fortnox.shapes import cents

Row = dict[str, Any]


def merged(books: Books, old: list[Row], patches: list[Row]) -> list[tuple[Row, Row]]:
    """(what stands, what is asked) for every row that remains, in the order asked for."""
    if any("RowId" in patch for patch in patches):
        known = {row["RowId"]: row for row in old}
        return [(known.get(patch.get("RowId", 0), {}), patch) for patch in patches]
    if not books.options.positional_rows_keep_old_values:
        return [({}, patch) for patch in patches]
    standing = [*old, *({} for _ in patches[len(old) :])]
    return list(zip(standing, patches, strict=False))


def write_rows(books: Books, invoice: Document, patches: list[Row]) -> None:
    free = vat_free(books, invoice)
    invoice["InvoiceRows"] = [
        _row(books, invoice, standing, patch, free=free)
        for standing, patch in merged(books, invoice["InvoiceRows"], patches)
    ]


def renumber(books: Books, invoice: Document) -> None:
    """Row ids are new after every update."""
    rows = []
    for row in invoice["InvoiceRows"]:
        books.counters["row"] += 1
        rows.append(row | {"RowId": books.counters["row"]})
    invoice["InvoiceRows"] = rows


def _row(books: Books, invoice: Document, standing: Row, patch: Row, *, free: bool) -> Row:
    row = (standing or INVOICE_ROW.blank()) | patch
    if not standing:
        row["Project"] = row["Project"] or invoice["Project"]
        row["CostCenter"] = row["CostCenter"] or invoice["CostCenter"]
    _check_article(books, row)
    if not standing or "ArticleNumber" in patch:
        _fill_from_article(books, row, patch)
    _check_row(books, row, patch)
    if row["AccountNumber"]:
        account = books.check_account(row["AccountNumber"], errors.ROW_ACCOUNT)
        if "VAT" not in patch and not standing and not row["ArticleNumber"]:
            row["VAT"] = _account_rate(account)
    _settle_vat(books, row, free=free)
    row["Price"] = cents(row["Price"])
    if books.options.trim_quantities:
        row["DeliveredQuantity"] = plain(Decimal(row["DeliveredQuantity"]))
    return row


def _check_article(books: Books, row: Row) -> None:
    number = row["ArticleNumber"]
    if number and number not in books.shelves["articles"]:
        raise Refused(errors.ROW_ARTICLE, f"Kunde inte hitta artikel {number}.")


def _fill_from_article(books: Books, row: Row, patch: Row) -> None:
    article = books.shelves["articles"].get(row["ArticleNumber"])
    if article is None:
        return
    defaults = {
        "Description": article["Description"],
        "Unit": article["Unit"],
        "VAT": int(article["VAT"]),
        "AccountNumber": article["SalesAccount"],
        "Price": article["SalesPrice"] or Decimal(0),
    }
    row.update({name: value for name, value in defaults.items() if name not in patch})


def _check_row(books: Books, row: Row, patch: Row) -> None:
    books.check_references(row)
    worth = Decimal(row["DeliveredQuantity"]) or row["Price"]
    if not row["ArticleNumber"] and not row["AccountNumber"]:
        if worth:
            raise Refused(errors.ROW_ACCOUNT, "Kunde inte hitta konto.")
        row["AccountNumber"] = books.options.text_row_account
    elif "AccountNumber" in patch and patch["AccountNumber"] and patch["AccountNumber"] < 1000:
        raise Refused(errors.ROW_ACCOUNT, f"Kunde inte hitta konto {patch['AccountNumber']}.")


def _account_rate(account: Document) -> int:
    known = ACCOUNTS.get(account["Number"])
    return 25 if known is None or known[2] is None else known[2]


def _settle_vat(books: Books, row: Row, *, free: bool) -> None:
    if free and row["VAT"] and books.options.foreign_vat != "keep":
        if books.options.foreign_vat == "refuse":
            raise Refused(errors.BAD_VAT_RATE, "Moms får inte anges på denna typ av försäljning.")
        row["VAT"] = 0
    books.check_vat_rate(row["VAT"])
