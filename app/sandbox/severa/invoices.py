"""Invoices and their rows as records: what may be changed, and what follows from a change."""

from collections.abc import Iterable
from typing import Any

from app.sandbox.severa import views
from app.sandbox.severa.amounts import totals
from app.sandbox.severa.entity import Entity
from app.sandbox.severa.fields import Field, composite, day, money, number, ref, text, whole
from app.sandbox.severa.items import TABLES
from app.sandbox.severa.problems import Problem
from app.sandbox.severa.veil import Record
from app.sandbox.severa.world import World

ADDRESS_PARTS = ("addressline", "postalCode", "city", "state", "country")
TEXTS = (
    "ourReference",
    "yourReference",
    "orderNumber",
    "notes",
    "referenceNumber",
    "receiverCustomerName",
    "receiverContactGuid",
    "receiverContactName",
    "receiverContactEmail",
    "receiverVatNumber",
)


def _status() -> Field:
    known = ref("invoicestatuses", views.status, required=True)

    def read(world: World, value: Any) -> Record:
        shown: Record = known.read(world, value)
        if not world.need("invoicestatuses", shown["guid"])["isActive"]:
            raise ValueError("the status is not in use any more.")
        return shown

    return Field(read, required=True, kind="ref", table="invoicestatuses")


def free_text(value: str | None) -> Record | None:
    return None if value is None else _free_text({"value": value})


def _free_text(given: Record) -> Record:
    value = given["value"]
    shown = {"text": value, "plainText": value, "allowTags": True, "tagContext": None}
    return {"value": value, **shown}


def _locked(world: World, invoice: Record) -> bool:
    return bool(
        world.options.read_only_status_locks
        and world.need("invoicestatuses", invoice["status"]["guid"])["isReadOnly"]
    )


def _refuse_locked(world: World, invoice: Record, changes: Record) -> None:
    if "paymentDate" in changes and not world.options.payment_date_patch:
        raise Problem("InvalidParameter", "paymentDate cannot be patched.", name="paymentDate")
    if not _locked(world, invoice):
        return
    allowed = {"paymentDate"}
    if world.options.status_patch_when_read_only:
        allowed.add("status")
    for name in changes:
        if name not in allowed:
            message = "The invoice is in a status that cannot be edited."
            raise Problem("InvalidOperation", message, name=name)


def luhn(digits: str) -> str:
    """The check digit of Swedish payment references."""
    doubled = (int(d) * (2 if place % 2 == 0 else 1) for place, d in enumerate(digits[::-1]))
    return str(-sum(n // 10 + n % 10 for n in doubled) % 10)


def enter_status(world: World, invoice: Record, changes: Record) -> None:
    """The first numbering status gives the invoice its number."""
    if "status" not in changes:
        return
    status = world.need("invoicestatuses", changes["status"]["guid"])
    changes["canBeDeleted"] = not status["isReadOnly"]
    wanted = status["hasInvoiceNumber"] and world.options.number_on_numbering_status
    if invoice["isCreditNote"]:
        wanted = wanted and world.options.number_credit_notes
    if wanted and invoice["number"] is None and changes.get("number") is None:
        changes["number"] = world.take_number("Invoice")
        if invoice["referenceNumber"] is None:
            digits = str(changes["number"])
            changes["referenceNumber"] = digits + luhn(digits)


def _free_items(world: World, invoice: Record) -> None:
    """Deleting an invoice keeps the work: it can be invoiced again."""
    guid = invoice["guid"]
    for table in TABLES.values():
        for item in world.all(table, guid):
            _free(world, table, item, guid)
    for row in world.all("invoicerows", guid):
        world.remove("invoicerows", row)
    for original in world.all("invoices"):
        for link in ("creditNoteInvoice", "reimburseInvoice"):
            if not original["isCreditNote"] and (original[link] or {}).get("guid") == guid:
                world.change(original, **{link: None})


def _free(world: World, table: str, item: Record, invoice: str) -> None:
    row = item.get("invoiceRowGuid")
    for parent in filter(None, (invoice, row)):
        world.release(table, item, parent)
    if table == "flatrates":
        world.change(item, invoiceGuid=None)
    else:
        world.change(item, invoice=None, invoiceRowGuid=None)


def invoice_parents(invoice: Record) -> Iterable[str]:
    return [project["guid"] for project in invoice["projects"]]


INVOICE = Entity(
    "invoices",
    {
        "status": _status(),
        "number": whole(largest=2**31),
        "date": day(),
        "dueDate": day(),
        "entryDate": day(),
        "paymentDate": day(),
        "paymentTerm": whole(largest=2**31),
        "overdueInterest": number(),
        **{name: text() for name in TEXTS},
        "freeText1": composite("value", build=_free_text),
        "freeText2": composite("value", build=_free_text),
        "receiverAddress": composite(*ADDRESS_PARTS),
        "language": ref("languages", views.language),
    },
    {},
    event="invoice",
    guard=_refuse_locked,
    changing=enter_status,
    removing=_free_items,
)


def _row_guard(world: World, row: Record, changes: Record) -> None:
    invoice = world.need("invoices", row["invoiceGuid"])
    if _locked(world, invoice):
        message = "The invoice is in a status that cannot be edited."
        raise Problem("InvalidOperation", message, name=next(iter(changes), None))


def recount(world: World, invoice: Record) -> Record:
    """Totals after a change of rows."""
    rows = world.all("invoicerows", invoice["guid"])
    code = invoice["currency"]["code"]
    vat = invoice["workHourValueAddedTax"]
    return totals(rows, vat, code, world.options.vat_rounding)


def _row_changed(world: World, row: Record) -> None:
    invoice = world.need("invoices", row["invoiceGuid"])
    figures = recount(world, invoice)
    if world.options.row_patch_bumps_invoice:
        world.change(invoice, **figures)
    else:
        invoice.update(figures)


INVOICE_ROW = Entity(
    "invoicerows",
    {
        "description": text(),
        "quantity": number(),
        "unitPrice": money(required=True),
        "measurementUnit": text(),
        "vatRate": number(),
        "sortOrder": whole(largest=2**31),
        "salesAccount": ref("salesaccounts", views.row_account),
        "costCenter": ref("costcenters", views.row_cost_center),
    },
    {},
    event="invoice",
    part_of=lambda row: str(row["invoiceGuid"]),
    guard=_row_guard,
    changed=_row_changed,
)

SETTINGS_BLANK = {
    "categorySortOrder": None,
    "entryDate": None,
    "isReverseCharged": False,
    "paymentDate": None,
    "reverseChargeDescription": None,
    "showAttachmentPriceExcludingValueAddedTax": True,
    "showAttachmentQuantity": True,
    "showAttachmentUnit": True,
    "showAttachmentUnitPrice": True,
    "showAttachmentValueAddedTax": True,
    "showCategories": True,
    "showFooter": True,
    "showLogoAndTitle": True,
    "showPriceExcludingValueAddedTax": True,
    "showQuantity": True,
    "showReferenceNumber": True,
    "showUnit": True,
    "showUnitPrice": True,
    "showValueAddedTax": True,
    "style": "Plain",
    **{
        f"{kind}{part}": "OneByOne" if part == "Grouping" else None
        for kind in ("workHour", "projectFee", "projectTravelExpense")
        for part in ("DescriptionFormat", "Grouping", "PrimaryGroupBy", "SecondaryGroupBy")
    },
}
