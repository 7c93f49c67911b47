"""Credit notes: what they credit, and the two ways to make one so that there is never a second.

A note that credits a whole booked invoice is made by Fortnox's own `credit`: only that links the
two, so that booking the note sets them off and the invoice counts as paid. The call carries no
reference of ours; it is safe all the same, because the invoice itself is asked which note it has
(CreditInvoiceReference) before anything is sent, under the protocol of `writing.create`, and
because Fortnox does it once for an invoice. The rows are right from the first moment; only date,
references and texts are changed afterwards, which may be repeated.

Every other note (in part, one more, of an invoice that is not booked, numbered by Severa) is an
invoice with negative quantities under our reference: `credit` would leave a note over the whole
amount standing until its rows were changed. It names the invoice it credits in its text, and the
log says that the two have to be set off by hand.

One effect covers both ways: what was begun in one way is never tried in the other.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

from app import effects, links, overview
from app.effects import Intent
from app.errors import Blocked, Missing, Reason, Refused, TryLater, because
from app.fortnox import schemas as fortnox
from app.severa.schemas import Invoice
from app.sync.invoice_document import Translation, unrounded
from app.sync.sides import Sides
from app.sync.writing import CancelledByPerson, Found, change

Payload = dict[str, Any]
BY_CREDIT = "CreditOf"  # in what is recorded: the number of the invoice that is credited
SAME_ON_BOTH = ("ArticleNumber", "AccountNumber", "Price", "VAT", "Project", "CostCenter")
NOT_CHANGED_AFTERWARDS = ("CustomerNumber", "InvoiceRows")


@dataclass(frozen=True)
class Original:
    """The credited invoice: as it stands in Fortnox, and as it was carried over."""

    invoice: fortnox.Invoice
    carried: Payload

    @property
    def number(self) -> str:
        return self.invoice.document_number


@dataclass(frozen=True)
class Made:
    """`answer` None: made by `credit`, whose answer is the original."""

    number: str
    answer: fortnox.Invoice | None


def original_of(sides: Sides, note: Invoice) -> Original | None:
    """None: it was never carried over. One that is about to be is carried over first."""
    related = note.reimburse_invoice or note.credit_note_invoice
    if not note.is_credit_note or related is None or not related.guid:
        return None
    guid = related.guid.lower()
    with sides.db.reading() as tx:
        link = links.of_severa(tx, sides.name, "invoice", guid)
        state, _ = overview.standing(tx, sides.name, "invoice", guid)
    if link is None and _is_on_its_way(sides, guid, state):
        link = sides.ensure("invoice", guid)
    if link is None or not link.fortnox_id:
        return None
    return Original(sides.fortnox.invoice(link.fortnox_id), link.carried)


def severa_number(note: Invoice) -> str | None:
    """Severa's number of the credited invoice."""
    related = note.reimburse_invoice or note.credit_note_invoice
    number = related.number if note.is_credit_note and related else None
    return None if number is None else str(number)


def recorded(sides: Sides, intent: Intent, asked: Translation, original: Original | None) -> Intent:
    """The intent with the way it goes; what was begun before keeps its way."""
    if original is None:
        return intent
    with sides.db.reading() as tx:
        begun = effects.begun(tx, intent)
    if begun is not None and begun.state in ("sending", "done"):
        return replace(intent, payload=begun.payload or intent.payload)
    if _goes_by_credit(sides, intent, asked, original):
        return replace(intent, payload={BY_CREDIT: original.number})
    return intent


def is_by_credit(payload: Payload) -> bool:
    return BY_CREDIT in payload


def look(sides: Sides, payload: Payload, ref: str) -> Found | None:
    """The note that the credited invoice names, unless another Severa invoice stands behind it."""
    read = sides.fortnox.invoice(payload[BY_CREDIT])
    if read.credit_invoice_reference is None:
        return None
    note = sides.fortnox.invoice(read.credit_invoice_reference)
    if note.external_invoice_reference1 != ref and not _is_nobodys(note, read):
        return None
    return Found(note.document_number, note.cancelled)


def send(sides: Sides, payload: Payload) -> Made:
    """In one call, by the way that was recorded."""
    if is_by_credit(payload):
        credited = sides.fortnox.credit_invoice(payload[BY_CREDIT])
        return Made(credited.credit_invoice_reference or "", None)
    made = sides.fortnox.create_invoice(payload)
    return Made(made.document_number, made)


def complete(sides: Sides, work_id: str, number: str, payload: Payload) -> fortnox.Invoice | None:
    """Date, references and texts of a note that `credit` made; its rows are right already."""
    sent = {name: value for name, value in payload.items() if name not in NOT_CHANGED_AFTERWARDS}
    intent = Intent(
        sides.name, work_id, "fortnox", "update_invoice", f"invoice:{number}", sent, creates=False
    )
    try:
        return change(
            sides, intent, lambda: sides.fortnox.update_invoice(number, sent), number=number
        )
    except Refused as error:
        return _finished(sides, number, payload, error)


def look_again_if_credited(sides: Sides, payload: Payload, error: Refused) -> None:
    """Refused because somebody was faster, or an earlier call came late: decided from there."""
    if sides.fortnox.invoice(payload[BY_CREDIT]).credit_invoice_reference is not None:
        why = because("outcome_unknown", system="fortnox", ref=payload[BY_CREDIT])
        raise TryLater(why, after=sides.quarantine / 10) from error


def has_turned_rows(payload: Payload, answer: fortnox.Invoice) -> bool:
    """Whether this note shows positive quantities for what is given back."""
    sent = next((one for one in map(_quantity, payload["InvoiceRows"]) if one), Decimal(0))
    rows = (one.delivered_quantity for one in answer.invoice_rows)
    shown = next((one for one in rows if one), Decimal(0))
    return sent * shown < 0


def turned(payload: Payload) -> Payload:
    """The same with quantities of the other sign."""
    rows = [
        row | {"DeliveredQuantity": f"{-_quantity(row):f}"} if _quantity(row) else row
        for row in payload["InvoiceRows"]
    ]
    return payload | {"InvoiceRows": rows}


def warnings(
    note: Invoice, number: str, original: Original | None, *, by_credit: bool
) -> list[Reason]:
    if not note.is_credit_note or by_credit:
        return []
    if original is None:
        return [because("credit_original_missing", number=severa_number(note) or "")]
    return [because("credit_not_linked", number=number, original=original.number)]


def _is_on_its_way(sides: Sides, guid: str, state: str) -> bool:
    """It stands in the transfer status, or was blocked and put into the error status by us."""
    try:
        status = sides.severa.invoice(guid).status.guid.lower()
    except Missing:
        return False
    statuses = sides.document.invoice_statuses
    return status == statuses.transfer or (state == "blocked" and status == statuses.error)


def _goes_by_credit(sides: Sides, intent: Intent, asked: Translation, original: Original) -> bool:
    theirs, is_whole = original.invoice, _is_whole(intent.payload, asked, original)
    if theirs.cancelled:
        raise Blocked(because("credit_original_cancelled", number=original.number))
    if theirs.credit_invoice_reference is None:
        return is_whole and theirs.booked
    note = sides.fortnox.invoice(theirs.credit_invoice_reference)
    if note.cancelled or not _is_nobodys(note, theirs):
        return False
    nets = note.net, asked.net, theirs.net
    given, wanted, owed = (abs(one or Decimal(0)) for one in nets)
    if is_whole and given == wanted:
        return True  # by hand, or by us before a database was restored: the same event
    if given + wanted > owed:
        numbers = {"number": original.number, "note": note.document_number}
        raise Blocked(because("credited_by_hand", **numbers))
    return False


def _is_nobodys(note: fortnox.Invoice, original: fortnox.Invoice) -> bool:
    """No reference, or the one it was copied with."""
    return note.external_invoice_reference1 in (None, original.external_invoice_reference1)


def _is_whole(payload: Payload, asked: Translation, original: Original) -> bool:
    """Row for row the opposite of what was carried over, and of what stands in Fortnox now."""
    theirs, before = original.invoice, original.carried.get("payload") or {}
    return (
        "DocumentNumber" not in payload
        and theirs.customer_number == payload["CustomerNumber"]
        and (theirs.currency or "SEK") == payload["Currency"]
        and payload.get("Project") == before.get("Project")
        and asked.net < 0
        and theirs.net == -asked.net
        and unrounded(theirs) in {-(asked.net + vat) for vat in asked.vats}
        and len(theirs.invoice_rows) == len(payload["InvoiceRows"])
        and _mirrors(payload["InvoiceRows"], before.get("InvoiceRows", ()))
    )


def _mirrors(rows: Sequence[Payload], before: Sequence[Payload]) -> bool:
    return len(rows) == len(before) and all(
        _quantity(row) == -_quantity(old)
        and all(row.get(name) == old.get(name) for name in SAME_ON_BOTH)
        for row, old in zip(rows, before, strict=True)
    )


def _quantity(row: Payload) -> Decimal:
    return Decimal(row.get("DeliveredQuantity") or 0)


def _finished(sides: Sides, number: str, payload: Payload, error: Refused) -> fortnox.Invoice:
    """Refused: right if it was booked as we left it; else somebody was there in between."""
    note = sides.fortnox.invoice(number)
    if note.cancelled:
        raise CancelledByPerson(number)
    if not note.booked:
        raise error
    is_ours = note.external_invoice_reference1 == payload["ExternalInvoiceReference1"]
    if not is_ours or str(note.invoice_date) != payload.get("InvoiceDate"):
        raise Blocked(because("already_booked", number=number))
    return note
