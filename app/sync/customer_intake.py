"""Customers, Fortnox → Severa: companies whose number Severa can hold, with their addresses.

Severa has no language or e-invoice operator to take from Fortnox, which has neither.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from app.effects import Intent
from app.errors import Blocked, Missing, NothingToDo, because
from app.fortnox import schemas as fortnox
from app.fortnox.text import cut
from app.links import Link
from app.severa import schemas as severa
from app.sync import customer_addresses
from app.sync.customer_addresses import Addresses
from app.sync.intake import Intake, Payload, take_in
from app.sync.meeting import meet
from app.sync.seen import digest
from app.sync.sides import Sides
from app.sync.writing import change
from app.waiting import changed_key
from app.worklist import Item

NUMBER = re.compile(r"[1-9][0-9]{0,18}", re.ASCII)
LARGEST = 2**63 - 1
ORGANISATION = re.compile(r"(\d{6})-?(\d{4})", re.ASCII)


@dataclass(frozen=True)
class Guids:
    """What Severa calls by GUID, by the code that Fortnox knows."""

    countries: Mapping[str, str]
    currencies: Mapping[str, str]


def sync(sides: Sides, item: Item) -> Link:
    """`item.key`: `fortnox:<CustomerNumber>`."""
    number = item.key.removeprefix("fortnox:")
    meet(sides, item, f"customer#{number}")
    try:
        theirs = sides.fortnox.customer(number)
    except Missing as error:
        raise NothingToDo(because("fortnox_record_gone", kind="customer")) from error
    check(theirs)
    record, guids = translate(theirs), partial(_guids, sides)
    addresses = Addresses(sides, item, guids)
    intake = Intake(
        "customer",
        number,
        theirs.name or number,
        record,
        sides.document.customer_master,
        taken=because("customer_number_shared", number=number, customer=theirs.name or ""),
        payload=lambda: {"number": int(number)} | _fields(record, guids()),
        look=partial(_look, sides, number),
        make=lambda payload: sides.severa.create_customer(payload).guid.lower(),
        complete=lambda guid: addresses.bring(guid, {}, record["addresses"]),
        alter=lambda guid, before, now: _alter(sides, item, addresses, guid, (before, now)),
        seen=partial(_seen, sides),
    )
    return take_in(sides, item, intake)


def check(theirs: fortnox.Customer) -> None:
    number, name = theirs.customer_number, theirs.name or ""
    if theirs.type == "PRIVATE":
        raise NothingToDo(because("customer_not_company", number=number, customer=name))
    if not NUMBER.fullmatch(number) or int(number) > LARGEST:
        raise NothingToDo(because("customer_number_not_numeric", number=number, customer=name))


def translate(theirs: fortnox.Customer) -> Payload:
    """What Severa is to know of the customer, in words: countries and currencies by their codes."""
    terms = theirs.terms_of_payment or ""
    record = {
        "name": theirs.name or theirs.customer_number,
        "isActive": theirs.active,
        "vatNumber": _vat_number(theirs),
        "email": theirs.email or theirs.email_invoice,
        "website": theirs.www,
        "eInvoiceAddress": theirs.gln,
        "paymentTerm": int(terms) if terms.isascii() and terms.isdigit() else None,
        "currency": theirs.currency,
    }
    known = {field: value for field, value in record.items() if value is not None}
    return known | {"addresses": customer_addresses.translate(theirs)}


def _seen(sides: Sides, guid: str) -> str:
    """How Severa's customer looks now, to know later whether somebody has changed it."""
    parts = [*sides.severa.addresses(guid), *sides.severa.country_settings(guid)]
    return digest(sides.severa.customer(guid), parts)


def _vat_number(theirs: fortnox.Customer) -> str | None:
    """Many Swedish companies have only an organisation number in Fortnox."""
    found = ORGANISATION.fullmatch((theirs.organisation_number or "").strip())
    if theirs.vat_number or not found or (theirs.country_code or "SE") != "SE":
        return theirs.vat_number
    return f"SE{found[1]}{found[2]}01"


def _look(sides: Sides, number: str, name: str) -> str | None:
    found = sides.severa.customers_by_number(int(number))
    if len(found) > 1:
        raise Blocked(
            because("customer_number_shared", number=number, customer=name),
            waits_for=changed_key("customer", found[-1].guid.lower()),
        )
    return found[0].guid.lower() if found else None


def _alter(
    sides: Sides, item: Item, addresses: Addresses, guid: str, change_: tuple[Payload, Payload]
) -> bool:
    before, now = change_
    values = _differing(sides.severa.customer(guid), before, now)
    fields = _fields(values, _guids(sides), for_patch=True)
    if fields:
        intent = Intent(
            sides.name,
            item.id,
            "severa",
            "update_customer",
            f"customer:{guid}",
            fields,
            creates=False,
        )
        change(sides, intent, lambda: sides.severa.change_customer(guid, fields))
    moved = addresses.bring(guid, before.get("addresses") or {}, now["addresses"])
    return bool(fields) or moved


def _differing(current: severa.Customer, before: Payload, now: Payload) -> Payload:
    """What Severa has otherwise, with None for what was emptied in Fortnox.

    What only Fortnox's alphabet or a VAT number's spelling makes different is no difference.
    """
    known = {
        "name": cut(current.name, 1024),
        "isActive": current.is_active,
        "vatNumber": current.vat_number,
        "email": current.email,
        "website": current.website,
        "eInvoiceAddress": current.e_invoice_address,
        "paymentTerm": current.payment_term,
        "currency": current.currency.code if current.currency else None,
    }
    names = [name for name in {**before, **now} if name in known]
    return {
        name: now.get(name)
        for name in names
        if _spelling(name, known[name]) != _spelling(name, now.get(name))
    }


def _spelling(name: str, value: Any) -> Any:
    if name == "vatNumber":
        return re.sub(r"[\s.-]", "", value or "").upper()
    return value or None if isinstance(value, str) else value


def _fields(record: Payload, guids: Guids, *, for_patch: bool = False) -> Payload:
    """As Severa is told it; a currency that Severa does not have is left alone."""
    fields: dict[str, Any] = {
        name: value for name, value in record.items() if name not in ("currency", "addresses")
    }
    currency = guids.currencies.get(record.get("currency") or "")
    if currency:
        fields |= {"currency/guid": currency} if for_patch else {"currency": {"guid": currency}}
    return fields


def _guids(sides: Sides) -> Guids:
    def ask() -> Guids:
        countries = {one.code2.upper(): one.guid for one in sides.severa.countries() if one.code2}
        return Guids(countries, {one.code: one.guid for one in sides.severa.currencies()})

    return sides.registers.get("severa_guids", ask)
