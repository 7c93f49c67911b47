"""An update says what Severa has, and empties what was carried over before and is gone since.

Fortnox leaves what an update does not name. Rows that are sent without their ids are matched by
their position, and whether they start anew or keep what they had there is not documented: they are
written so that it makes no difference. Only what came from us is emptied; what Fortnox filled in by
itself, or a person did, stays.
"""

from collections.abc import Iterator
from itertools import zip_longest
from typing import Any

from app import effects
from app.effects import Intent
from app.errors import Blocked, because
from app.fortnox import schemas as fortnox
from app.links import Link
from app.sync import credit_note
from app.sync.register import BLANK
from app.sync.sides import Sides
from app.sync.writing import change
from app.worklist import Item

Payload = dict[str, Any]
UPDATE = "update_invoice"
ADDRESS = frozenset({"Address1", "Address2", "ZipCode", "City", "Country"})  # none: the customer's
EMPTIED = (
    "ExternalInvoiceReference2",
    "OurReference",
    "Project",
    "Remarks",
    "YourOrderNumber",
    "YourReference",
)
# A row's account and VAT are its article's where it has one.
EMPTIED_ROW = ("ArticleNumber", "CostCenter", "Description", "Unit")
TEXT_ROW: Payload = {
    "ArticleNumber": BLANK,
    "AccountNumber": BLANK,
    "CostCenter": BLANK,
    "DeliveredQuantity": "0",
    "Price": 0,
    "Unit": BLANK,
    "VAT": 0,
}


def send(sides: Sides, item: Item, link: Link, payload: Payload) -> fortnox.Invoice | None:
    """Fortnox's answer, None in a dry run; Blocked when it still has what was to be emptied."""
    number, before = link.fortnox_id, _stood(sides, item, link)
    asked = credit_note.turned(payload) if link.carried.get("turned") else payload
    sent = patch(before, asked)
    ref = f"invoice:{number}"
    intent = Intent(sides.name, item.id, "fortnox", UPDATE, ref, sent, creates=False)
    answer = change(
        sides, intent, lambda: sides.fortnox.update_invoice(number, sent), number=number
    )
    left = next(left_over(before, sent, answer), None) if answer else None
    if left is not None:
        field, wanted, got = left
        facts = {"number": number, "field": field, "asked": wanted, "got": got}
        raise Blocked(because("read_back_differs", **facts))
    return answer


def patch(before: Payload, now: Payload) -> Payload:
    """What is to be sent for `now` where `before` stands."""
    sent = {field: value for field, value in now.items() if field != "DocumentNumber"}
    emptied = [*EMPTIED, *ADDRESS] if ADDRESS & now.keys() else EMPTIED
    sent |= {field: BLANK for field in emptied if field in before and field not in now}
    stood = before.get("InvoiceRows", ())
    sent["InvoiceRows"] = [
        _row(before, now, stood[place] if place < len(stood) else {}, row)
        for place, row in enumerate(now["InvoiceRows"])
    ]
    return sent


def left_over(
    before: Payload, sent: Payload, answer: fortnox.Invoice
) -> Iterator[tuple[str, str, str]]:
    """(field, asked, got) of the rows where what was replaced or emptied still stands."""
    for old, row, got in zip(
        before.get("InvoiceRows", ()), sent["InvoiceRows"], answer.invoice_rows, strict=False
    ):
        stands = [
            ("ArticleNumber", got.article_number),
            ("AccountNumber", got.account_number),
            ("Unit", got.unit),
            ("Project", got.project),
            ("CostCenter", got.cost_center),
        ]
        for field, value in stands:
            wanted, was = row.get(field), old.get(field)
            if field == "Project":
                was = _project_of(before, old)
            if wanted not in (None, was) and value is not None and str(value) == str(was):
                yield field, "" if wanted == BLANK else str(wanted), str(value)


def _row(before: Payload, now: Payload, old: Payload, row: Payload) -> Payload:
    emptied = {field: BLANK for field in EMPTIED_ROW if field in old and field not in row}
    if _is_text(row) and old and not _is_text(old):
        emptied |= {field: value for field, value in TEXT_ROW.items() if field not in row}
    return row | emptied | _project(before, now, old, row)


def _project(before: Payload, now: Payload, old: Payload, row: Payload) -> Payload:
    """A row takes the project of the invoice when it is made, and never again by itself."""
    was, wanted = _project_of(before, old), _project_of(now, row)
    return {} if "Project" in row or was == wanted else {"Project": wanted or BLANK}


def _project_of(invoice: Payload, row: Payload) -> str | None:
    return row.get("Project") or invoice.get("Project")


def _is_text(row: Payload) -> bool:
    return row.keys() <= {"Description"}


def _stood(sides: Sides, item: Item, link: Link) -> Payload:
    """What was carried over, and what was sent since without our knowing whether it came."""
    carried: Payload = link.carried.get("payload") or {}
    with sides.db.reading() as tx:
        last = effects.latest(tx, item.id, UPDATE)
    if last is None or last.ref != f"invoice:{link.fortnox_id}" or not last.payload:
        return carried
    rows = list(zip_longest(carried.get("InvoiceRows", ()), last.payload.get("InvoiceRows", ())))
    both = [_set(old or {}) | _set(new or {}) for old, new in rows]
    return _set(carried) | _set(last.payload) | {"InvoiceRows": both}


def _set(values: Payload) -> Payload:
    return {field: value for field, value in values.items() if value != BLANK}
