"""What lies under an invoice row: work hours, project fees, travel expenses and flat rates."""

from dataclasses import dataclass
from typing import Any

from app.sandbox.severa import views
from app.sandbox.severa.amounts import exact, money
from app.sandbox.severa.rows import REGISTERS, Item, Row
from app.sandbox.severa.veil import Record
from app.sandbox.severa.world import World

TABLES = {
    "Hours": "workhours",
    "ProjectFees": "projectfees",
    "TravelExpenses": "projecttravelexpenses",
    "FlatRate": "flatrates",
}


@dataclass(frozen=True)
class Entry:
    """One item with everything it refers to."""

    invoice: Record
    row: Record
    asked: Row
    item: Item
    project: Record
    article: Record | None


def article_of(world: World, asked: Row, item: Item) -> Record | None:
    key = item.article if item.article is not None else asked.article
    register = REGISTERS.get(asked.kind)
    return None if key is None or register is None else world.need(register, key)


def add_item(world: World, entry: Entry) -> Record:
    table = TABLES[entry.row["rowType"]]
    make = {
        "workhours": _work_hour,
        "projectfees": _fee,
        "projecttravelexpenses": _travel,
        "flatrates": _flat_rate,
    }[table]
    record = make(world, entry)
    parents = [entry.invoice["guid"], entry.row["guid"], entry.project["guid"]]
    return world.insert(table, record, parents, stamped=table != "flatrates")


def _price(entry: Entry) -> Record:
    price = entry.asked.price if entry.item.price is None else entry.item.price
    return money(exact(price), entry.invoice["currency"]["code"])


def _phase(world: World, project: Record) -> Record:
    phases = world.all("phases", project["guid"])
    return phases[-1]


def _common(world: World, entry: Entry) -> dict[str, Any]:
    quantity = float(exact(entry.item.quantity))
    customer = world.need("customers", entry.project["customer"]["guid"])
    return {
        "customer": world.view(views.numbered, customer),
        "description": entry.item.description or entry.asked.description,
        "eventDate": entry.invoice["date"],
        "invoice": world.view(views.invoice, entry.invoice),
        "invoiceRowGuid": entry.row["guid"],
        "invoiceQuantity": quantity,
        "invoiceRowDescription": entry.row["description"],
        "invoiceRowComment": None,
        "isBillable": True,
        "quantity": quantity,
        "unitCost": None,
        "unitPrice": _price(entry),
    }


def _work_hour(world: World, entry: Entry) -> Record:
    article = entry.article and world.view(views.coded, entry.article)
    return {
        **_common(world, entry),
        "billableStatus": "Billable",
        "endTime": None,
        "isApproved": True,
        "isModifiable": False,
        "isProductive": True,
        "overtime": None,
        "phase": world.view(views.work_phase, _phase(world, entry.project)),
        "plannedInvoiceQuantity": None,
        "project": world.view(views.work_project, entry.project),
        "startTime": None,
        "user": world.author,
        "workType": article,
    }


def _billing(entry: Entry) -> dict[str, Any]:
    return {
        "billingSchedule": "Immediately",
        "billingDependencyPhase": None,
        "measurementUnit": entry.row["measurementUnit"],
        "plannedBillingDate": None,
        "vatRate": entry.row["vatRate"],
    }


def _fee(world: World, entry: Entry) -> Record:
    article, account = entry.article, entry.asked.sales_account
    center = entry.asked.cost_center
    return {
        **_common(world, entry),
        **_billing(entry),
        "costCenter": None
        if center is None
        else world.view(views.cost_center, world.need("costcenters", center)),
        "displayPeriodStartDate": None,
        "hasVolumePricing": False,
        "isRecurrenceRule": False,
        "name": article["name"] if article else entry.row["description"],
        "phase": world.view(views.named, _phase(world, entry.project)),
        "product": world.view(views.coded, article) if article else None,
        "productType": article["type"] if article else None,
        "project": world.view(views.fee_project, entry.project),
        "recurrenceRuleGuid": None,
        "salesAccount": None
        if account is None
        else world.view(views.account, world.need("salesaccounts", account)),
        "user": world.author and world.view(views.worker, world.need("users", world.author)),
    }


def _travel(world: World, entry: Entry) -> Record:
    common = _common(world, entry)
    customer = world.need("customers", entry.project["customer"]["guid"])
    article = entry.article
    return {
        **common,
        **_billing(entry),
        "attachmentCount": 0,
        "costAccount": None,
        "costCenter": None,
        "customer": world.view(views.named, customer),
        "phase": world.view(views.named, _phase(world, entry.project)),
        "project": world.view(views.travel_project, entry.project),
        "purchaseVatRate": None,
        "salesAccount": None,
        "travelEndTime": None,
        "travelExpense": world.view(views.travel_type, article) if article else None,
        "travelReimbursement": None,
        "travelReimbursementRequired": False,
        "travelStartTime": None,
        "unitCostExcludingPurchaseVat": None,
        "user": world.author and world.view(views.worker, world.need("users", world.author)),
    }


def _flat_rate(world: World, entry: Entry) -> Record:
    total = exact(entry.item.quantity) * exact(_price(entry)["amount"])
    return {
        "billAdditionalHours": False,
        "billingSchedule": "Immediately",
        "includesHours": None,
        "invoiceGuid": entry.invoice["guid"],
        "phase": world.view(views.named, _phase(world, entry.project)),
        "plannedBillingDate": None,
        "price": money(total, entry.invoice["currency"]["code"]),
        "pricePerAdditionalHour": None,
        "project": world.view(views.numbered, entry.project),
    }
