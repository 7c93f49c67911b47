"""The table of contents: every path that is served, its scope, paging and filters."""

from dataclasses import dataclass
from typing import Literal

from app.sandbox.severa.entity import Entity
from app.sandbox.severa.fees import FEE
from app.sandbox.severa.filters import (
    Filters,
    any_of,
    any_of_project,
    flag,
    from_day,
    home_amount,
    present,
    same,
    since,
    text_in,
    until_day,
)
from app.sandbox.severa.invoices import INVOICE, INVOICE_ROW
from app.sandbox.severa.paging import Style
from app.sandbox.severa.parties import ADDRESS, CONTACT, COUNTRY_SETTING, CUSTOMER
from app.sandbox.severa.projects import PHASE, PROJECT
from app.sandbox.severa.registers import (
    BUSINESS_UNIT,
    COST_ACCOUNT,
    COST_CENTER,
    INVOICE_STATUS,
    PRODUCT,
    SALES_ACCOUNT,
    TRAVEL_TYPE,
    VAT_RATE,
    WORK_TYPE,
)

Verb = Literal["list", "get", "post", "patch", "delete"]
ALL: frozenset[Verb] = frozenset({"list", "get", "post", "patch", "delete"})
READ: frozenset[Verb] = frozenset({"list", "get"})
CHANGE: frozenset[Verb] = READ | {"patch"}


@dataclass(frozen=True)
class Resource:
    """`path` is also the table; `scope` the first half of a scope, as in `customers:read`."""

    path: str
    scope: str
    paging: Style
    filters: Filters
    entity: Entity | None = None
    verbs: frozenset[Verb] = READ


@dataclass(frozen=True)
class Sublist:
    """`/<owner>/{guid}/<path>`: the records of `table` that belong to one owner."""

    owner: str
    path: str
    table: str
    scope: str
    paging: Style
    filters: Filters


ACTIVE: Filters = {"active": flag("isActive"), "textToSearch": text_in("name", "number", "code")}
CHANGED: Filters = {"changedSince": since()}
CODED: Filters = {**ACTIVE, **CHANGED, "code": same("code")}

CUSTOMER_FILTERS: Filters = {
    **CHANGED,
    "isActive": flag("isActive"),
    "isInternal": flag("isInternal"),
    "customerOwnerGuids": any_of("owner.guid"),
    "numbers": any_of("number"),
    "emailAddresses": any_of("email"),
    "customerNames": any_of("name"),
    "vatNumber": same("vatNumber"),
    "kvkNumber": same("kvkNumber"),
}
INVOICE_FILTERS: Filters = {
    **CHANGED,
    "paymentDateStart": from_day("paymentDate"),
    "invoiceStatusGuids": any_of("status.guid"),
    "projectGuids": any_of("projects.guid"),
    "customerGuids": any_of("customer.guid"),
    "startDate": from_day("date"),
    "endDate": until_day("date"),
    "minimumTotalExcludingTax": home_amount(least=True),
    "maximumTotalExcludingTax": home_amount(least=False),
    "referenceNumbers": any_of("referenceNumber"),
    "numbers": any_of("number"),
    "projectOwnerGuids": any_of_project("projectOwner.guid"),
    "projectBusinessUnitGuids": any_of_project("businessUnit.guid"),
    "salesPersonGuids": any_of_project("salesPerson.guid"),
    "createdByUserGuids": any_of("createdBy.guid"),
}
PROJECT_FILTERS: Filters = {
    **CHANGED,
    "isClosed": flag("isClosed"),
    "internal": flag("isInternal"),
    "customerGuids": any_of("customer.guid"),
    "projectGuids": any_of("guid"),
    "numbers": any_of("number"),
    "businessUnitGuids": any_of("businessUnit.guid"),
    "projectOwnerGuids": any_of("projectOwner.guid"),
    "salesPersonGuids": any_of("salesPerson.guid"),
    "projectStatusTypeGuids": any_of("projectStatus.projectStatusTypeGuid"),
    "salesStatusTypeGuids": any_of("salesStatus.salesStatusTypeGuid"),
    "currencyGuid": any_of("currency.guid"),
}
FEE_FILTERS: Filters = {
    "productType": same("productType"),
    "isBillable": flag("isBillable"),
    "isBilled": present("invoice"),
}
PRODUCT_FILTERS: Filters = {
    **CHANGED,
    "type": same("type"),
    "isActive": flag("isActive"),
    "code": same("code"),
}
CENTER_FILTERS: Filters = {
    **ACTIVE,
    **CHANGED,
    "identifier": same("identifier"),
    "name": same("name"),
}
DELETED_FILTERS: Filters = {
    "deletedSince": since("deletedDateTime"),
    "projectGuids": any_of("project.guid"),
    "userGuids": any_of("user.guid"),
}

RESOURCES = [
    Resource("invoices", "invoices", "cursor", INVOICE_FILTERS, INVOICE, CHANGE | {"delete"}),
    Resource("invoicerows", "invoices", "cursor", CHANGED, INVOICE_ROW, CHANGE),
    Resource("customers", "customers", "cursor", CUSTOMER_FILTERS, CUSTOMER, ALL),
    Resource("addresses", "customers", "offset", CHANGED, ADDRESS, CHANGE | {"delete"}),
    Resource("contactpersons", "customers", "offset", {**ACTIVE, **CHANGED}, CONTACT, ALL),
    Resource(
        "customercountrysettings", "customers", "whole", {}, COUNTRY_SETTING, ALL - READ
    ),
    Resource("invoicestatuses", "settings", "offset", ACTIVE, INVOICE_STATUS, ALL),
    Resource("products", "settings", "cursor", PRODUCT_FILTERS, PRODUCT, ALL),
    Resource(
        "worktypes", "settings", "offset", {**CODED, "productive": flag("isProductive")},
        WORK_TYPE, ALL,
    ),
    Resource("travelexpensetypes", "settings", "offset", CODED, TRAVEL_TYPE, ALL),
    Resource("salesaccounts", "settings", "offset", ACTIVE, SALES_ACCOUNT, ALL),
    Resource("costaccounts", "settings", "offset", ACTIVE, COST_ACCOUNT, ALL),
    Resource("costcenters", "settings", "offset", CENTER_FILTERS, COST_CENTER, ALL),
    Resource(
        "businessunits", "settings", "offset", {**CODED, "name": same("name")},
        BUSINESS_UNIT, CHANGE,
    ),
    Resource("currencies", "settings", "offset", ACTIVE),
    Resource(
        "vatrates", "settings", "whole",
        {"active": flag("isActive"), "countryGuid": same("countryGuid")}, VAT_RATE, ALL,
    ),
    Resource("projects", "projects", "cursor", PROJECT_FILTERS, PROJECT, ALL),
    Resource(
        "phases", "projects", "cursor",
        {**CHANGED, "code": same("code"), "projectGuids": any_of("project.guid")}, PHASE, ALL,
    ),
    Resource("projectfees", "fees", "cursor", CHANGED, FEE, ALL),
    Resource("deletedprojectfees", "fees", "cursor", DELETED_FILTERS, verbs=frozenset({"list"})),
    Resource("projecttravelexpenses", "travels", "cursor", CHANGED),
    Resource("workhours", "hours", "cursor", CHANGED),
    Resource("flatrates", "fees", "cursor", {"invoiceGuid": same("invoiceGuid")}),
    Resource("projectstatustypes", "settings", "offset", ACTIVE),
    Resource("salesstatustypes", "settings", "offset", ACTIVE),
]  # fmt: skip

UNDER_INVOICES: list[tuple[str, Style, Filters]] = [
    ("workhours", "cursor", {}),
    ("projectfees", "cursor", {"productType": same("productType")}),
    ("projecttravelexpenses", "cursor", {"expenseClass": same("travelExpense.expenseClass")}),
    ("reimbursedworkhours", "offset", {}),
    ("reimbursedprojectfees", "cursor", {}),
    ("reimbursedprojecttravelexpenses", "offset", {}),
]
SUBLISTS = [
    Sublist(
        "invoices", "invoicerows", "invoicerows", "invoices", "cursor",
        {"rowType": same("rowType")},
    ),
    *(
        Sublist(owner, path, path, "invoices", paging, filters)
        for owner in ("invoices", "invoicerows")
        for path, paging, filters in UNDER_INVOICES
    ),
    Sublist("invoices", "files", "invoicefiles", "files", "offset", {}),
    Sublist("customers", "addresses", "addresses", "customers", "offset", {}),
    Sublist("customers", "contactpersons", "contactpersons", "customers", "offset", ACTIVE),
    Sublist(
        "customers", "customercountrysettings", "customercountrysettings", "customers", "whole", {}
    ),
    Sublist("customers", "projects", "projects", "projects", "cursor", PROJECT_FILTERS),
    Sublist("projects", "projectfees", "projectfees", "fees", "cursor", FEE_FILTERS),
    Sublist("projects", "flatrates", "flatrates", "fees", "whole", {}),
]  # fmt: skip
