"""Severa's registers: what is sold, the accounts, and the settings behind them."""

from app.sandbox.severa import views
from app.sandbox.severa.entity import Entity
from app.sandbox.severa.fields import choice, flag, money, number, ref, text, whole
from app.sandbox.severa.problems import Problem
from app.sandbox.severa.veil import Record
from app.sandbox.severa.world import World

PRODUCT_TYPES = ("FixedFees", "Materials", "Subcontracting")
EXPENSE_CLASSES = ("Mileage", "DailyAllowance", "OtherTravelExpense")
CODED = ("products", "worktypes", "travelexpensetypes")


def _refuse_taken_code(world: World, record: Record, code: str | None) -> None:
    if not (world.options.unique_codes and code):
        return
    others = (other for table in CODED for other in world.all(table))
    if any(o["code"] == code and o["guid"] != record.get("guid") for o in others):
        raise Problem("InvalidParameter", f"The code {code} is already in use.", name="code")


def _code_free(world: World, record: Record) -> None:
    _refuse_taken_code(world, record, record["code"])


def _code_stays_free(world: World, record: Record, changes: Record) -> None:
    _refuse_taken_code(world, record, changes.get("code"))


def _travel_flags(world: World, record: Record) -> None:
    _code_free(world, record)
    record["isMileage"] = record["expenseClass"] == "Mileage"
    record["isDailyAllowance"] = record["expenseClass"] == "DailyAllowance"


PRODUCT = Entity(
    "products",
    {
        "name": text(required=True),
        "code": text(),
        "type": choice(*PRODUCT_TYPES, default="Materials"),
        "measurementUnit": text(),
        "unitCost": money(),
        "unitPrice": money(),
        "vatRate": number(),
        "proposalDescription": text(),
        "salesAccount": ref("salesaccounts", views.account),
        "isActive": flag(default=True),
    },
    {"productCategory": None},
    event="product",
    born=_code_free,
    changing=_code_stays_free,
    used_in=(("projectfees", "product"),),
)

WORK_TYPE = Entity(
    "worktypes",
    {
        "name": text(required=True),
        "code": text(),
        "hourCost": money(),
        "isProductive": flag(default=True),
        "isDefault": flag(),
        "isActive": flag(default=True),
        "salesAccount": ref("salesaccounts", views.named),
    },
    {},
    event="work_type",
    born=_code_free,
    changing=_code_stays_free,
    used_in=(("workhours", "workType"),),
)

TRAVEL_TYPE = Entity(
    "travelexpensetypes",
    {
        "name": text(required=True),
        "expenseClass": choice(*EXPENSE_CLASSES, required=True),
        "unitCost": money(required=True),
        "code": text(),
        "measurementUnit": text(),
        "vatRate": number(),
        "purchaseVatRate": number(),
        "salesAccount": ref("salesaccounts", views.account),
        "costAccount": ref("costaccounts", views.account),
        "includeTime": flag(),
        "isActive": flag(default=True),
    },
    {"productCategory": None},
    event="travel_expense_type",
    born=_travel_flags,
    changing=_code_stays_free,
    used_in=(("projecttravelexpenses", "travelExpense"),),
)

SALES_ACCOUNT = Entity(
    "salesaccounts",
    {
        "number": text(required=True),
        "name": text(required=True),
        "isActive": flag(default=True),
        "isProductDefault": flag(),
        "isWorkTypeDefault": flag(),
        "isTravelTypeDefault": flag(),
    },
    {},
    used_in=tuple((table, "salesAccount") for table in CODED),
)

COST_ACCOUNT = Entity(
    "costaccounts",
    {
        "number": text(required=True),
        "name": text(required=True),
        "isActive": flag(default=True),
        "isTravelTypeDefault": flag(),
    },
    {},
    used_in=(("travelexpensetypes", "costAccount"),),
)

COST_CENTER = Entity(
    "costcenters",
    {
        "identifier": text(required=True),
        "name": text(required=True),
        "isActive": flag(default=True),
        "isDefault": flag(),
    },
    {},
    used_in=(("businessunits", "costCenter"), ("projects", "costCenter")),
)

BUSINESS_UNIT = Entity(
    "businessunits",
    {
        "name": text(required=True),
        "code": text(),
        "parentGuid": text(),
        "costCenter": ref("costcenters", views.cost_center),
        "vatNumber": text(),
        "kvkNumber": text(longest=25),
        "isActive": flag(default=True),
    },
    {
        "companyBusinessUnitGuid": None,
        "companyCountryGuid": None,
        "companyCurrencyGuid": None,
        "companyGuid": None,
        "companyName": None,
    },
    used_in=(("projects", "businessUnit"),),
)

STATUS_FLAGS = (
    "isDefault",
    "isDefaultForCreditNote",
    "isReadOnly",
    "hasInvoiceNumber",
    "isSent",
    "isWaitingPayment",
    "isPaid",
)

INVOICE_STATUS = Entity(
    "invoicestatuses",
    {
        "name": text(required=True),
        "sortOrder": whole(default=0),
        "isActive": flag(default=True),
        **{name: flag() for name in STATUS_FLAGS},
    },
    {},
    used_in=(("invoices", "status"),),
)

VAT_RATE = Entity(
    "vatrates",
    {
        "percentage": number(required=True),
        "code": text(longest=10),
        "countryGuid": text(),
        "isActive": flag(default=True),
        "isDefault": flag(),
    },
    {},
)
