"""Project fees: what other systems add to a project, and what later stands on an invoice."""

from collections.abc import Iterable

from app.sandbox.severa import views
from app.sandbox.severa.entity import Entity
from app.sandbox.severa.fields import choice, day, flag, money, number, ref, text
from app.sandbox.severa.moments import stamp
from app.sandbox.severa.problems import Problem
from app.sandbox.severa.registers import PRODUCT_TYPES
from app.sandbox.severa.veil import Record
from app.sandbox.severa.world import World

SCHEDULES = ("Immediately", "OnDate", "WhenPhaseCompleted", "Recurring")


def _complete(world: World, fee: Record) -> None:
    project = world.need("projects", fee["project"]["guid"])
    if project["isClosed"] and not world.options.fee_on_closed_project:
        message = "Project fees cannot be added to a closed project."
        raise Problem("InvalidOperation", message, name="project")
    _settle_currency(world, fee, project["currency"]["code"])
    fee["customer"] = world.view(
        views.numbered, world.need("customers", project["customer"]["guid"])
    )
    _take_from_product(world, fee)
    if fee["phase"] is None and world.options.fee_gets_first_phase:
        fee["phase"] = _first_open_phase(world, project)
    if fee["isBillable"] is None:
        fee["isBillable"] = True
    if fee["invoice"] is not None:
        raise Problem("InvalidOperation", "Invoicing by POST is not simulated.", name="invoice")


def _settle_currency(world: World, fee: Record, home: str) -> None:
    foreign = [fee[name] for name in ("unitCost", "unitPrice") if fee[name] is not None]
    foreign = [one for one in foreign if one["currencyCode"] != home]
    if foreign and world.options.fee_currency == "refuse":
        message = f"The currency of a fee of this project is {home}."
        raise Problem("InvalidParameter", message, name="unitCost")
    for one in foreign if world.options.fee_currency == "project" else ():
        one["currencyCode"] = home


def _take_from_product(world: World, fee: Record) -> None:
    product = world.find("products", (fee["product"] or {}).get("guid"))
    if product is None:
        return
    fee["name"] = fee["name"] or product["name"]
    for name in ("measurementUnit", "vatRate", "unitPrice", "unitCost", "salesAccount"):
        if fee[name] is None:
            fee[name] = product[name]
    fee["productType"] = product["type"]


def _first_open_phase(world: World, project: Record) -> Record | None:
    root = (project["rootPhase"] or {}).get("guid")
    phases = world.all("phases", project["guid"])
    below = [p for p in phases if not p["isCompleted"] and p["guid"] != root]
    return world.view(views.named, below[0]) if below else None


def _not_invoiced(_: World, fee: Record, __: Record) -> None:
    if fee["invoice"] is not None:
        message = "The fee is on an invoice and cannot be changed."
        raise Problem("InvalidOperation", message, "PathParameter", "guid")


def _remember_deleted(world: World, fee: Record) -> None:
    if fee["invoice"] is not None:
        message = "The fee is on an invoice and cannot be deleted."
        raise Problem("InvalidOperation", message, "PathParameter", "guid")
    parts = {name: _guid(fee[name]) for name in ("customer", "phase", "product", "project", "user")}
    plain = {name: fee[name] for name in ("eventDate", "guid", "measurementUnit", "name")}
    times = {name: fee[name] for name in ("createdDateTime", "lastUpdatedDateTime")}
    who = {"createdBy": _guid(fee["createdBy"]), "lastUpdatedBy": _guid(fee["lastUpdatedBy"])}
    deleted = {**parts, **plain, **times, **who, "quantity": fee["quantity"]}
    deleted["deletedDateTime"] = stamp(world.clock())
    world.insert("deletedprojectfees", deleted, stamped=False)


def _guid(part: Record | None) -> Record | None:
    return {"guid": part["guid"]} if part else None


def _belongs_to_project(fee: Record) -> Iterable[str]:
    return [fee["project"]["guid"]]


FEE = Entity(
    "projectfees",
    {
        "project": ref("projects", views.fee_project, required=True),
        "quantity": number(default=0.0),
        "name": text(),
        "description": text(),
        "eventDate": day(),
        "product": ref("products", views.coded),
        "productType": choice(*PRODUCT_TYPES),
        "measurementUnit": text(),
        "unitCost": money(),
        "unitPrice": money(),
        "vatRate": number(),
        "isBillable": flag(default=True),
        "billingSchedule": choice(*SCHEDULES, default="Immediately"),
        "plannedBillingDate": day(),
        "billingDependencyPhase": ref("phases", views.phase),
        "phase": ref("phases", views.named),
        "user": ref("users", views.worker),
        "costCenter": ref("costcenters", views.cost_center),
        "salesAccount": ref("salesaccounts", views.account),
        "invoice": ref("invoices", views.invoice),
        "invoiceQuantity": number(),
        "invoiceRowDescription": text(),
        "invoiceRowComment": text(),
        "hasVolumePricing": flag(),
        "displayPeriodStartDate": day(),
    },
    {
        "customer": None,
        "invoiceRowGuid": None,
        "isRecurrenceRule": False,
        "recurrenceRuleGuid": None,
    },
    parents=_belongs_to_project,
    born=_complete,
    guard=_not_invoiced,
    removing=_remember_deleted,
)
