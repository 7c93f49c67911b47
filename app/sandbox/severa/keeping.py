"""What a person keeps in Severa's registers, as methods: customers, articles, projects, fees."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from app.sandbox.severa import views
from app.sandbox.severa.amounts import exact
from app.sandbox.severa.entity import Entity, announcement, apply, create, parse_changes, remove
from app.sandbox.severa.fees import FEE
from app.sandbox.severa.fields import Field
from app.sandbox.severa.invoices import INVOICE, INVOICE_ROW
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
from app.sandbox.severa.rows import Key
from app.sandbox.severa.veil import Record
from app.sandbox.severa.world import World

ENTITIES = {
    entity.table: entity
    for entity in (
        CUSTOMER,
        ADDRESS,
        CONTACT,
        COUNTRY_SETTING,
        PRODUCT,
        WORK_TYPE,
        TRAVEL_TYPE,
        SALES_ACCOUNT,
        COST_ACCOUNT,
        COST_CENTER,
        BUSINESS_UNIT,
        INVOICE_STATUS,
        VAT_RATE,
        PROJECT,
        PHASE,
        FEE,
        INVOICE,
        INVOICE_ROW,
    )
}


class Keeper:
    """Fields have Severa's own names; a reference may be a record, a guid, a code or a name.

    The records that are returned are the live ones: read them, change them by these methods.
    """

    world: World

    def announce(self, event: str, guid: str) -> None:
        """Outside the lock: whoever listens may well call back."""
        notify = self.world.options.notify
        if notify is not None:
            notify(event, guid)

    def _tell(self, entity: Entity, verb: str, record: Record) -> None:
        event = announcement(entity, verb, record)
        if event:
            self.announce(*event)

    def add(self, table: str, **fields: Any) -> Record:
        entity = ENTITIES[table]
        with self.world.lock:
            record = self._create(entity, fields)
        self._tell(entity, "created", record)
        return record

    def _create(self, entity: Entity, fields: Mapping[str, Any]) -> Record:
        given = spelled_out(self.world, entity, fields)
        guid = given.pop("guid", None)
        unknown = given.keys() - entity.fields.keys()
        if unknown:
            raise LookupError(f"There is no field {', '.join(sorted(unknown))}.")
        return create(self.world, entity, given, guid)

    def change(self, table: str, key: Key, **fields: Any) -> Record:
        entity = ENTITIES[table]
        with self.world.lock:
            record = self.world.need(table, key)
            given = spelled_out(self.world, entity, fields)
            apply(self.world, entity, record, parse_changes(self.world, entity, given))
        self._tell(entity, "updated", record)
        return record

    def delete(self, table: str, key: Key) -> None:
        """Refused with `Problem` when the record is in use."""
        entity = ENTITIES[table]
        with self.world.lock:
            record = self.world.need(table, key)
            remove(self.world, entity, record)
        self._tell(entity, "deleted", record)

    def add_customer(self, **fields: Any) -> Record:
        """Without an address; see `add_address`. Numbered by Severa unless `number` is given."""
        return self.add("customers", **fields)

    def add_address(self, customer: Key, **fields: Any) -> Record:
        """Billing and postal address, in Sweden, unless said otherwise; announces the customer."""
        usual = {"country": "SE", "isBillingAddress": True, "isPostalAddress": True}
        with self.world.lock:
            owner = self.world.need("customers", customer)
            address = self._create(ADDRESS, {**usual, **fields, "customer": owner})
            if owner["headquarterAddress"] is None:
                shown = self.world.view(views.headquarters, address)
                self.world.change(owner, headquarterAddress=shown)
        self._tell(ADDRESS, "created", address)
        return address

    def add_contact(self, customer: Key, **fields: Any) -> Record:
        """Announces the customer."""
        return self.add("contactpersons", **{**fields, "customer": customer})

    def add_country_setting(self, customer: Key, country: Key, **fields: Any) -> Record:
        """Tax exemption of a customer in a country; announces the customer."""
        given = {"isTaxFree": True, **fields, "customer": customer, "country": country}
        return self.add("customercountrysettings", **given)

    def add_product(self, **fields: Any) -> Record:
        return self.add("products", **fields)

    def add_work_type(self, **fields: Any) -> Record:
        return self.add("worktypes", **fields)

    def add_travel_type(self, **fields: Any) -> Record:
        """Mileage at 0 SEK unless said otherwise."""
        usual = {"expenseClass": "Mileage", "unitCost": 0}
        return self.add("travelexpensetypes", **{**usual, **fields})

    def add_project(self, **fields: Any) -> Record:
        """With a root phase and one open phase, "Genomförande", below it."""
        fields.setdefault("projectOwner", self.world.author)
        with self.world.lock:
            project = self._create(PROJECT, fields)
            self.add_phase(project, name="Genomförande")
        self.announce("project.created", project["guid"])
        return project

    def add_phase(self, project: Key, **fields: Any) -> Record:
        with self.world.lock:
            owner = self.world.need("projects", project)
            fields.setdefault("parentPhase", owner["rootPhase"])
            return self.add("phases", **{**fields, "project": owner})

    def add_fee(self, project: Key, **fields: Any) -> Record:
        return self.add("projectfees", **{**fields, "project": project})

    def find(self, table: str, key: Key) -> Record:
        """By guid, code, number or name; `LookupError` when there is none."""
        with self.world.lock:
            return self.world.need(table, key)

    def records(self, table: str, parent: str | None = None) -> list[Record]:
        """`table` is the last word of the path; `parent` the guid of an invoice, row, project…"""
        with self.world.lock:
            return self.world.all(table, parent)

    @contextmanager
    def silently(self) -> Iterator[None]:
        """Changes inside are not announced."""
        options = self.world.options
        notify: Callable[[str, str], None] | None = options.notify
        options.notify = None
        try:
            yield
        finally:
            options.notify = notify


def spelled_out(world: World, entity: Entity, fields: Mapping[str, Any]) -> dict[str, Any]:
    """Short forms that a person may use, in the form that the API asks for."""
    known = entity.fields
    return {
        name: _spell(world, known[name], value) if name in known else value
        for name, value in fields.items()
    }


def _spell(world: World, field: Field, value: Any) -> Any:
    if value is None:
        return None
    if field.kind == "ref":
        return {"guid": world.need(field.table, value)["guid"]}
    if field.kind == "money" and not isinstance(value, Mapping):
        return {"amount": float(exact(value)), "currencyCode": "SEK"}
    return value
