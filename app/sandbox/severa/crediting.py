"""Credit notes: an invoice of its own, with the credited work in the `reimbursed…` lists."""

from collections.abc import Mapping
from decimal import Decimal

from app.sandbox.severa import views
from app.sandbox.severa.amounts import exact, money
from app.sandbox.severa.invoices import (
    SETTINGS_BLANK,
    enter_status,
    invoice_parents,
    recount,
)
from app.sandbox.severa.items import TABLES
from app.sandbox.severa.veil import Record
from app.sandbox.severa.world import World

REIMBURSED = {
    "workhours": "reimbursedworkhours",
    "projectfees": "reimbursedprojectfees",
    "projecttravelexpenses": "reimbursedprojecttravelexpenses",
}
KEPT = (
    "description",
    "eventDate",
    "invoiceRowDescription",
    "measurementUnit",
    "unitCost",
    "vatRate",
)


def add_credit_note(
    world: World,
    original: Record,
    status: Record,
    day: str,
    quantities: Mapping[str, Decimal] | None,
) -> Record:
    """`quantities`: what is credited of which row, positive; None: everything."""
    note = {**original, "number": None, "referenceNumber": None, "date": day, "dueDate": day}
    note.update(guid=None, isCreditNote=True, paymentDate=None)
    there, back = _names(world)
    note.update({there: world.view(views.invoice_link, original), back: None})
    note["status"] = world.view(views.status, status)
    changes = {"status": note["status"]}
    enter_status(world, note, changes)
    note.update(changes)
    world.insert("invoices", note, invoice_parents(note))
    for row in world.all("invoicerows", original["guid"]):
        full = exact(row["quantity"])
        wanted = full if quantities is None else quantities.get(row["guid"], Decimal(0))
        if wanted:
            _credit_row(world, note, row, wanted, full)
    note.update(recount(world, note))
    world.insert("invoicesettings", dict(SETTINGS_BLANK), [note["guid"]])
    world.change(original, **{back: world.view(views.invoice_link, note)})
    return note


def _names(world: World) -> tuple[str, str]:
    """Of the link from a note to its invoice, and of the one back."""
    names = "reimburseInvoice", "creditNoteInvoice"
    return names if world.options.credited_under == names[0] else (names[1], names[0])


def _credit_row(world: World, note: Record, row: Record, wanted: Decimal, full: Decimal) -> None:
    price = exact(row["unitPrice"]["amount"])
    credited = {**row, "guid": None, "invoiceGuid": note["guid"]}
    credited.update(_signed(world, wanted, price, row["unitPrice"]["currencyCode"]))
    world.insert("invoicerows", credited, [note["guid"]])
    source = TABLES[row["rowType"]]
    if source not in REIMBURSED:
        return
    for item in world.all(source, row["guid"]):
        quantity = exact(item["quantity"]) * wanted / full
        _reimburse(world, source, item, credited, quantity)


def _signed(world: World, quantity: Decimal, price: Decimal, code: str) -> Record:
    if world.options.credit_note_sign == "quantity":
        return {"quantity": float(-quantity), "unitPrice": money(price, code)}
    return {"quantity": float(quantity), "unitPrice": money(-price, code)}


def _reimburse(world: World, source: str, item: Record, row: Record, quantity: Decimal) -> None:
    price = exact(item["unitPrice"]["amount"])
    signed = _signed(world, quantity, price, item["unitPrice"]["currencyCode"])
    record = {
        **{name: item[name] for name in KEPT if name in item},
        **signed,
        "invoiceQuantity": signed["quantity"],
        "invoiceGuid": row["invoiceGuid"],
        "invoiceRowGuid": row["guid"],
        "phase": _named(item["phase"]),
        "user": _named(item["user"]),
        **_own(world, source, item),
    }
    world.insert(REIMBURSED[source], record, [row["invoiceGuid"], row["guid"]])


def _named(part: Record | None) -> Record | None:
    return part and views.named(part)


def _own(world: World, source: str, item: Record) -> Record:
    project = world.need("projects", item["project"]["guid"])
    if source == "workhours":
        return {
            "customer": _named(item["customer"]),
            "project": views.numbered(project),
            "workType": _named(item["workType"]),
            "overtime": None,
            "startTime": None,
            "endTime": None,
            "plannedInvoiceQuantity": None,
            "invoiceRowComment": None,
        }
    shown = {"project": views.credited_project(project)}
    if source == "projectfees":
        own = {"name": item["name"], "productType": item["productType"]}
        return {**shown, **own, "product": _named(item["product"])}
    times = {"travelStartTime": None, "travelEndTime": None}
    return {**shown, **times, "product": _named(item["travelExpense"])}
