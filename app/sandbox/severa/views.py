"""How a record is shown inside other records."""

from app.sandbox.severa.veil import Record


def _part(record: Record, *names: str) -> Record:
    return {name: record.get(name) for name in names}


def named(record: Record) -> Record:
    return _part(record, "guid", "name")


def numbered(record: Record) -> Record:
    return _part(record, "guid", "name", "number")


def coded(record: Record) -> Record:
    return _part(record, "guid", "name", "code")


def account(record: Record) -> Record:
    return _part(record, "guid", "name", "number")


def row_account(record: Record) -> Record:
    return _part(record, "name", "number")


def row_cost_center(record: Record) -> Record:
    return {"number": record["identifier"], "name": record["name"]}


def cost_center(record: Record) -> Record:
    return _part(record, "guid", "identifier", "name")


def currency(record: Record) -> Record:
    return _part(record, "guid", "name", "code", "symbol")


def language(record: Record) -> Record:
    return _part(record, "guid", "name", "englishName", "code")


def country(record: Record) -> Record:
    return _part(record, "guid", "name", "englishName", "hasRegions")


def plain_country(record: Record) -> Record:
    return _part(record, "guid", "name", "englishName")


def bare(record: Record) -> Record:
    return _part(record, "guid")


def percentage(record: Record) -> Record:
    return _part(record, "guid", "percentage")


def person(record: Record) -> Record:
    return _part(record, "guid", "name", "firstName", "lastName", "code")


def worker(record: Record) -> Record:
    return {**_part(record, "guid", "name", "code"), "companyGuid": None}


def contact(record: Record) -> Record:
    return _part(record, "guid", "name", "firstName", "lastName", "isDeleted")


def headquarters(record: Record) -> Record:
    where = _part(record, "guid", "addressline", "postalCode", "city")
    return {**where, "country": (record["country"] or {}).get("name")}


def vat(record: Record) -> Record:
    return _part(record, "guid", "code", "percentage")


def status(record: Record) -> Record:
    return _part(record, "guid", "name", "isSent", "isWaitingPayment", "isPaid")


def business_unit(record: Record) -> Record:
    company = {
        name: record.get(name)
        for name in (
            "companyBusinessUnitGuid",
            "companyCountryGuid",
            "companyCurrencyGuid",
            "companyGuid",
            "companyName",
        )
    }
    return {**_part(record, "guid", "name", "code"), **company}


def invoice_link(record: Record) -> Record:
    return _part(record, "guid", "number")


def invoice(record: Record) -> Record:
    return _part(record, "guid", "number", "date")


def phase(record: Record) -> Record:
    return _part(record, "guid", "name", "isCompleted")


def work_phase(record: Record) -> Record:
    return _part(record, "guid", "name", "isCompleted", "isLocked")


def phase_project(record: Record) -> Record:
    return _part(record, "guid", "name", "number", "isClosed", "isInternal")


def work_project(record: Record) -> Record:
    return {**_part(record, "guid", "name", "number", "isClosed"), "companyGuid": None}


def fee_project(record: Record) -> Record:
    return {**_part(record, "guid", "name"), "companyGuid": None}


def travel_project(record: Record) -> Record:
    return {**_part(record, "guid", "name", "number", "isInternal"), "companyGuid": None}


def credited_project(record: Record) -> Record:
    """The number is text here, unlike everywhere else."""
    return {**_part(record, "guid", "name"), "number": str(record["number"])}


def travel_type(record: Record) -> Record:
    return _part(record, "guid", "name", "code", "expenseClass", "includeTime")
