"""Vouchers: what booking writes, what people write by hand, numbered per series and year."""

from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from app.sandbox.fortnox import errors
from app.sandbox.fortnox.books import Books
from app.sandbox.fortnox.document_fields import VOUCHER, VOUCHER_ROW
from app.sandbox.fortnox.documents import Document
from app.sandbox.fortnox.errors import Refused
from app.sandbox.fortnox.shapes import cents

ZERO = Decimal(0)


@dataclass
class Entry:
    """A voucher about to be written; amounts in SEK, debit positive."""

    description: str
    day: str
    reference_type: str = "MANUAL"
    reference: str = ""
    rows: list[dict[str, Any]] = field(default_factory=list)

    def add(self, account: int, amount: Decimal, **extra: Any) -> None:
        if amount:
            side = {"Debit": amount} if amount > 0 else {"Credit": -amount}
            self.rows.append({"Account": account, **side, **extra})

    def residue(self) -> Decimal:
        """What is missing for debit and credit to be equal."""
        return sum((row.get("Credit", ZERO) - row.get("Debit", ZERO) for row in self.rows), ZERO)


def key(series: str, number: int, year: int) -> str:
    return f"{year}:{series}:{number}"


def write(books: Books, series: str, entry: Entry) -> Document:
    """Number it, keep it, tell it; refuses what does not balance or falls in a closed period."""
    year = books.check_open(entry.day)
    if entry.residue():
        raise Refused(errors.NOT_BALANCED, "Verifikationen balanserar inte.")
    counter = f"voucher:{series}:{year['Id']}"
    books.counters[counter] += 1
    number = books.counters[counter]
    voucher = books.new(VOUCHER.blank())
    voucher.update(
        {
            "@url": f"{books.url('vouchers', series, str(number))}?financialyear={year['Id']}",
            "Description": entry.description[:200],
            "ReferenceNumber": entry.reference,
            "ReferenceType": entry.reference_type,
            "TransactionDate": entry.day,
            "VoucherNumber": number,
            "VoucherRows": [_row(books, row) for row in entry.rows],
            "VoucherSeries": series,
            "Year": year["Id"],
        }
    )
    books.shelves["vouchers"][key(series, number, year["Id"])] = voucher
    books.shelves["voucherseries"][series]["NextVoucherNumber"] = number + 1
    books.signal(
        "vouchers",
        "voucher-created",
        str(number),
        year=year["Id"],
        series=series,
        id=str(number),
    )
    return voucher


def _row(books: Books, values: dict[str, Any]) -> dict[str, Any]:
    account = books.check_account(values["Account"])
    row = VOUCHER_ROW.blank() | values
    row["Debit"], row["Credit"] = cents(row["Debit"]), cents(row["Credit"])
    row["Description"] = row["Description"] or account["Description"]
    return row


def create(books: Books, payload: dict[str, Any]) -> Document:
    """A manual voucher, by the API or by hand."""
    patch = VOUCHER.read(payload, books.options)
    VOUCHER.require(patch)
    series = books.shelves["voucherseries"].get(patch["VoucherSeries"])
    if series is None:
        raise Refused(errors.NO_VOUCHER_SERIES, "Kan inte hitta verifikationsserien.")
    if not series["Manual"]:
        raise Refused(errors.NO_VOUCHER_SERIES, "Serien är inte tillåten för manuell bokföring.")
    rows = patch.get("VoucherRows", [])
    if len(rows) < 2:
        raise Refused(errors.REQUIRED, "En verifikation behöver minst två rader.")
    for row in rows:
        VOUCHER_ROW.require(row)
        books.check_references(row)
    entry = Entry(patch["Description"], patch["TransactionDate"], rows=rows)
    voucher = write(books, patch["VoucherSeries"], entry)
    for name in ("Comments", "CostCenter", "Project"):
        voucher[name] = patch.get(name, "")
    return voucher


def reverse(books: Books, series: str, number: int, year: int) -> Document:
    """The same voucher with its sides changed, as of the same day."""
    old = books.shelves["vouchers"][key(series, number, year)]
    rows = [row | {"Debit": row["Credit"], "Credit": row["Debit"]} for row in old["VoucherRows"]]
    text = f"Korrigering av {series}{number}"
    entry = Entry(
        text, old["TransactionDate"], old["ReferenceType"], old["ReferenceNumber"], rows=rows
    )
    return write(books, series, entry)
