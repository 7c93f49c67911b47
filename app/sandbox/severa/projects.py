"""Projects, and the phases below them."""

from collections.abc import Iterable
from typing import Any

from app.sandbox.severa import views
from app.sandbox.severa.entity import Entity
from app.sandbox.severa.fields import Field, as_object, day, flag, money, number, ref, text, whole
from app.sandbox.severa.moments import read_day
from app.sandbox.severa.problems import NotFound
from app.sandbox.severa.veil import Record
from app.sandbox.severa.world import World


def _add_root_phase(world: World, project: Record) -> None:
    """Every project is born with a phase that bears its name."""
    root = {
        **dict(PHASE.blank),
        **{name: field.default for name, field in PHASE.fields.items()},
        "name": project["name"],
        "project": world.view(views.phase_project, project),
        "currencyCode": world.view(views.currency, _currency(world, project)),
    }
    world.insert("phases", root, [project["guid"]])
    project["rootPhase"] = world.view(views.named, root)


def _status(table: str, key: str) -> Field:
    """The link is a record of its own, which carries its type's guid and name."""

    def read(world: World, value: Any) -> Record:
        given = as_object(value)
        kind = world.find(table, given.get(key.lower()))
        if kind is None:
            raise ValueError(f"there is no {table[:-1]} with this {key}.")
        return {"guid": kind["guid"], "name": kind["name"], key: kind["guid"]}

    return Field(read, kind="composite")


def _start(world: World, record: Record) -> None:
    if record["number"] is None:
        record["number"] = world.take_number("Project")
    if record["currency"] is None:
        home = world.need("currencies", world.details["currency"]["guid"])
        record["currency"] = world.view(views.currency, home)
    if record["salesStatus"] is None:
        won = next(t for t in world.all("salesstatustypes") if t["salesState"] == "Won")
        key = {"salesStatusTypeGuid": won["guid"]}
        record["salesStatus"] = PROJECT.fields["salesStatus"].parse(world, "salesStatus", key)
    record["closedDate"] = read_day(world.clock()) if record["isClosed"] else None
    record["pricelist"] = None


def _belongs_to_customer(project: Record) -> Iterable[str]:
    return [project["customer"]["guid"]]


def _close_or_reopen(world: World, record: Record, changes: Record) -> None:
    if changes.get("isClosed", record["isClosed"]) != record["isClosed"]:
        changes["closedDate"] = read_day(world.clock()) if changes["isClosed"] else None


def _remove_phases(world: World, project: Record) -> None:
    for phase in world.all("phases", project["guid"]):
        world.remove("phases", phase)


PROJECT = Entity(
    "projects",
    {
        "name": text(required=True),
        "number": whole(),
        "internalName": text(),
        "description": text(),
        "customer": ref("customers", views.numbered, required=True),
        "projectOwner": ref("users", views.person, required=True),
        "salesPerson": ref("users", views.person),
        "billingContact": ref("users", views.person),
        "customerContact": ref("contactpersons", views.contact),
        "businessUnit": ref("businessunits", views.business_unit),
        "costCenter": ref("costcenters", views.cost_center),
        "currency": ref("currencies", views.currency),
        "startDate": day(),
        "deadline": day(),
        "isClosed": flag(),
        "isInternal": flag(),
        "isJoiningAllowed": flag(),
        "projectStatus": _status("projectstatustypes", "projectStatusTypeGuid"),
        "salesStatus": _status("salesstatustypes", "salesStatusTypeGuid"),
        "probability": whole(largest=2**31),
        "expectedValue": money(),
        "expectedOrderDate": day(),
        "completionEstimatePercentage": whole(largest=2**31),
        "ourReference": text(),
        "yourReference": text(),
        "orderNumber": text(),
        "invoiceNotes": text(),
        "paymentTerm": whole(largest=2**31),
        "useOvertimeMultipliers": flag(),
        "useProductsFromSetting": flag(default=True),
        "useWorkTypesFromSetting": flag(default=True),
    },
    {
        "calculatedCompletionPercentage": None,
        "defaultWorkType": None,
        "invoiceTemplate": None,
        "leadSource": None,
        "keywords": (),
        "rootPhase": None,
        "isDailyAllowanceBillable": True,
        "isMileageBillable": True,
        "isOtherTravelExpensesBillable": True,
    },
    event="project",
    parents=_belongs_to_customer,
    born=_start,
    settled=_add_root_phase,
    changing=_close_or_reopen,
    removing=_remove_phases,
    used_in=(("invoices", "projects"), ("projectfees", "project")),
    aliases={
        "projectstatustypeguid": "projectStatus/projectStatusTypeGuid",
        "salesstatustypeguid": "salesStatus/salesStatusTypeGuid",
    },
)


def _under_its_parent(world: World, record: Record) -> None:
    parent = world.find("phases", record["parentPhase"]["guid"])
    if record["project"] is None and parent:
        record["project"] = parent["project"]
    if record["project"] is not None:
        project = world.need("projects", record["project"]["guid"])
        record["currencyCode"] = world.view(views.currency, _currency(world, project))


def _currency(world: World, project: Record) -> Record:
    return world.need("currencies", project["currency"]["guid"])


def _belongs_to_project(record: Record) -> Iterable[str]:
    return [record["project"]["guid"]]


PHASE = Entity(
    "phases",
    {
        "name": text(required=True),
        "parentPhase": ref("phases", views.named, required=True),
        "project": ref("projects", views.phase_project),
        "code": text(),
        "startDate": day(),
        "deadline": day(),
        "originalStartDate": day(),
        "originalDeadline": day(),
        "isCompleted": flag(),
        "isLocked": flag(),
        "sortOrder": whole(largest=2**31),
        "workHoursEstimate": number(),
        "originalWorkHoursEstimate": number(),
    },
    {"currencyCode": None, "defaultWorkType": None, "phaseStatus": None},
    parents=_belongs_to_project,
    born=_under_its_parent,
)


def hierarchy(world: World, guid: str) -> list[Record]:
    """phaseswithhierarchy: the tree as a flat list, each phase with its level."""
    project = world.look("projects", guid)
    customer = world.find("customers", project["customer"]["guid"])
    if customer is None:
        raise NotFound
    phases = list(world.listed("phases", guid))
    parents = {phase["guid"]: (phase["parentPhase"] or {}).get("guid") for phase in phases}

    def level(phase: str | None) -> int:
        return 0 if phase is None else 1 + level(parents.get(phase))

    shown = {**views.numbered(customer), "isInternal": customer["isInternal"]}
    return [
        {
            **phase,
            "customer": shown,
            "hasChildren": phase["guid"] in parents.values(),
            "level": level(parents[phase["guid"]]),
        }
        for phase in phases
    ]
