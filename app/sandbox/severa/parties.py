"""Customers, their addresses and their contact persons."""

from collections.abc import Iterable

from app.sandbox.severa import views
from app.sandbox.severa.entity import Entity
from app.sandbox.severa.fields import choice, day, flag, number, ref, text, whole
from app.sandbox.severa.problems import Problem
from app.sandbox.severa.veil import Record
from app.sandbox.severa.world import World


def _taken(world: World, number_: int, guid: str) -> bool:
    holder = world.find("customers", world.customer_numbers.get(number_))
    return holder is not None and holder["number"] == number_ and holder["guid"] != guid


def _claim_number(world: World, number_: int, guid: str) -> None:
    if world.options.unique_customer_numbers and _taken(world, number_, guid):
        message = f"The customer number {number_} is already in use."
        raise Problem("InvalidParameter", message, name="number")
    world.customer_numbers[number_] = guid


def _number_customer(world: World, record: Record) -> None:
    while record["number"] is None:
        number_ = world.take_number("Customer")
        record["number"] = None if _taken(world, number_, record["guid"]) else number_
    _claim_number(world, record["number"], record["guid"])
    if record["currency"] is None:
        home = world.need("currencies", world.details["currency"]["guid"])
        record["currency"] = world.view(views.currency, home)


def _number_stays_free(world: World, record: Record, changes: Record) -> None:
    if changes.get("number") is not None:
        _claim_number(world, changes["number"], record["guid"])


def _remove_addresses(world: World, customer: Record) -> None:
    for table in ("addresses", "contactpersons", "customercountrysettings"):
        for record in world.all(table, customer["guid"]):
            world.remove(table, record)


CUSTOMER = Entity(
    "customers",
    {
        "name": text(required=True),
        "number": whole(),
        "isActive": flag(default=True),
        "email": text(),
        "website": text(),
        "notes": text(),
        "vatNumber": text(),
        "kvkNumber": text(longest=25),
        "language": ref("languages", views.language),
        "currency": ref("currencies", views.currency),
        "owner": ref("users", views.person),
        "headquarterAddress": ref("addresses", views.headquarters),
        "paymentTerm": whole(largest=2**31),
        "overdueInterest": number(),
        "invoicingVat": ref("vatrates", views.vat),
        "eInvoiceAddress": text(),
        "eInvoiceOperator": text(),
        "annualRevenue": whole(),
        "numberOfEmployees": whole(largest=2**31),
    },
    {
        "isInternal": False,
        "industry": None,
        "timezone": None,
        "pricelist": None,
        "invoiceTemplate": None,
    },
    event="customer",
    born=_number_customer,
    changing=_number_stays_free,
    removing=_remove_addresses,
    used_in=(("projects", "customer"), ("invoices", "customer"), ("invoices", "billingCustomer")),
)


def _customer(record: Record) -> str:
    return str(record["customer"]["guid"])


def _belongs_to_customer(record: Record) -> Iterable[str]:
    return [_customer(record)]


def _bump_customer(world: World, address: Record) -> None:
    customer = world.find("customers", address["customer"]["guid"])
    if customer and world.options.address_bumps_customer:
        world.change(customer)


ADDRESS = Entity(
    "addresses",
    {
        "addressline": text(),
        "postalCode": text(),
        "city": text(),
        "country": ref("countries", views.country),
        "phone": text(),
        "fax": text(),
        "isBillingAddress": flag(),
        "isPostalAddress": flag(),
        "isVisitAddress": flag(),
        "customer": ref("customers", views.numbered, required=True),
    },
    {"countryRegion": None, "contacts": ()},
    event="customer",
    part_of=_customer,
    parents=_belongs_to_customer,
    changed=_bump_customer,
    removing=_bump_customer,
)


COUNTRY_SETTING = Entity(
    "customercountrysettings",
    {
        "country": ref("countries", views.plain_country, required=True),
        "customer": ref("customers", views.bare, required=True),
        "isTaxFree": flag(),
        "taxFreeDescription": text(),
        "valueAddedTax": ref("vatrates", views.percentage),
        "zeroVatCategoryCodeEn16931": text(),
    },
    {},
    stamped=False,
    event="customer",
    part_of=_customer,
    parents=_belongs_to_customer,
)


def _full_name(_: World, record: Record) -> None:
    record["name"] = f"{record['firstName']} {record['lastName']}"


def _rename(_: World, record: Record, changes: Record) -> None:
    merged = {**record, **changes}
    changes["name"] = f"{merged['firstName']} {merged['lastName']}"


CONTACT = Entity(
    "contactpersons",
    {
        "customer": ref("customers", views.numbered, required=True),
        "firstName": text(required=True),
        "lastName": text(required=True),
        "jobTitle": text(),
        "addressGuid": text(),
        "language": ref("languages", views.named),
        "salutation": choice("Mr.", "Mrs.", "Ms."),
        "isActive": flag(default=True),
        "isEmailAllowed": flag(default=True),
        "dateOfBirth": day(),
        "description": text(),
    },
    {
        "isDeleted": False,
        "role": None,
        "timeZone": None,
        "satisfactionLevel": None,
        "emails": (),
        "phoneNumbers": (),
    },
    event="customer",
    part_of=_customer,
    parents=_belongs_to_customer,
    born=_full_name,
    changing=_rename,
)
