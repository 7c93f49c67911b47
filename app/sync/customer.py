"""Customers, Severa → Fortnox: matched on the customer number, which is theirs for ever.

New ones go over whichever side they were made on, updates from the side that is the master.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from app.errors import Blocked, Missing, NothingToDo, because
from app.fortnox import schemas as fortnox
from app.fortnox.text import address_lines, clean, cut
from app.links import Link
from app.severa import schemas as severa
from app.sync import customer_intake
from app.sync.meeting import meet
from app.sync.register import Record, Register, carry_over, is_there, known_link, name_it, unchanged
from app.sync.right_of_way import give_way
from app.sync.seen import digest
from app.sync.sides import Sides
from app.worklist import Item

SWEDISH_VAT = re.compile(r"(?:SE)?(\d{6})-?(\d{4})(?:01)?", re.ASCII)
EU_VAT = re.compile(r"(?!SE)[A-Z]{2}[0-9A-Z+*]{2,12}")


@dataclass(frozen=True)
class Country:
    """`names`: every way Severa writes it, in lower case."""

    code: str
    in_eu: bool
    names: frozenset[str] = frozenset()


Countries = Mapping[str, Country]


def sync(sides: Sides, item: Item) -> Link:
    """`item.key`: Severa's GUID, or `fortnox:<CustomerNumber>`."""
    if item.key.startswith("fortnox:"):
        return customer_intake.sync(sides, item)
    customer = _read(sides, item)
    known, master = known_link(sides, "customer", item.key), sides.document.customer_master
    name_it(sides, item, customer.number, customer.name)
    number = known.fortnox_id if known else customer.number
    if number is not None and meet(sides, item, f"customer#{number}"):
        customer = _read(sides, item)
    if known is None and number is not None:
        give_way(sides, "customer", str(number), "severa")
    addresses = sides.severa.addresses(item.key)
    settings = sides.severa.country_settings(item.key)
    seen = digest(customer, [*addresses, *settings])
    if known is not None and unchanged(known, master, seen):
        return known
    content = translate(
        customer,
        addresses,
        settings,
        countries=sides.registers.get("countries", lambda: countries_of(sides.severa.countries())),
        terms=sides.registers.get(
            "terms", lambda: {one.code for one in sides.fortnox.terms_of_payments()}
        ),
        vat_types=sides.document.vat_types,
    )
    register = Register(
        "customer",
        "CustomerNumber",
        read=sides.fortnox.customer,
        create=sides.fortnox.create_customer,
        update=sides.fortnox.update_customer,
        taken=because("customer_number_shared", number=number, customer=customer.name),
        is_there=lambda guid: is_there(sides.severa.customer, guid),
        seen_from_severa=customer_intake.translate,
        master=master,
    )
    record = Record(item.key, content.customer_number, customer.name, content, {"seen": seen})
    return carry_over(sides, item, register, record)


def _read(sides: Sides, item: Item) -> severa.Customer:
    try:
        return sides.severa.customer(item.key)
    except Missing as error:
        raise NothingToDo(because("severa_record_gone", kind="customer")) from error


def translate(  # noqa: PLR0913 - a customer, and the registers that its words are looked up in
    customer: severa.Customer,
    addresses: Sequence[severa.Address],
    settings: Sequence[severa.CountrySetting] = (),
    *,
    countries: Countries,
    terms: set[str],
    vat_types: Mapping[str, str],
) -> fortnox.CustomerIn:
    """Blocked when the number, a valid VAT number or every address is missing.

    Fortnox's customer has no language and no e-invoice operator, and of e-invoice addresses it
    takes a GLN; none of them is guessed.
    """
    if customer.number is None:
        raise Blocked(because("customer_number_missing", customer=customer.name))
    if not (customer.vat_number or "").strip():
        raise Blocked(because("customer_vat_missing", customer=customer.name))
    if not addresses:
        raise Blocked(because("customer_address_missing", customer=customer.name))
    billing = _first(addresses, "is_billing_address") or addresses[0]
    postal, visit = _first(addresses, "is_postal_address"), _first(addresses, "is_visit_address")
    country = _country(billing, countries, customer.name)
    vat_number, organisation_number = tax_numbers(customer.vat_number or "", country.code)
    if not organisation_number and country.in_eu and not EU_VAT.fullmatch(vat_number):
        raise Blocked(
            because("customer_vat_invalid", customer=customer.name, vat_number=customer.vat_number)
        )
    term = str(customer.payment_term) if customer.payment_term is not None else ""
    return fortnox.CustomerIn(
        customer_number=str(customer.number),
        name=cut(customer.name, 1024) or str(customer.number),
        active=customer.is_active,
        organisation_number=organisation_number,
        vat_number=vat_number,
        vat_type=vat_types.get(country.code) or _vat_type(customer, country, settings),
        **_address("", billing, countries, customer.name),
        **(_address("delivery_", postal, countries, customer.name) if postal else {}),
        **(_visiting(visit, countries, customer.name) if visit else {}),
        email=_line(customer.email),
        email_invoice=_line(customer.email),
        phone1=cut(billing.phone, 1024),
        www=_line(customer.website),
        gln=_gln(customer.e_invoice_address),
        currency=customer.currency.code if customer.currency else None,
        terms_of_payment=term if term in terms else None,
    )


def countries_of(register: Sequence[severa.Country]) -> dict[str, Country]:
    """By every name Severa writes a country with, in lower case, and by its GUID."""
    known: dict[str, Country] = {}
    for one in register:
        if one.code2:
            names = frozenset(
                name.lower() for name in (one.guid, one.name, one.english_name) if name
            )
            country = Country(one.code2.upper(), bool(one.is_in_eu), names)
            known |= dict.fromkeys(names, country)
    return known


def tax_numbers(written: str, country: str) -> tuple[str, str | None]:
    """VATNumber and OrganisationNumber: `SE556677889901`, `556677-8899`; abroad as written."""
    plain = re.sub(r"[\s.]", "", written).upper()
    swedish = SWEDISH_VAT.fullmatch(plain)
    if swedish and (plain.startswith("SE") or country == "SE"):
        return f"SE{swedish[1]}{swedish[2]}01", f"{swedish[1]}-{swedish[2]}"
    return plain.replace("-", ""), None


def _vat_type(
    customer: severa.Customer, country: Country, settings: Sequence[severa.CountrySetting]
) -> str:
    """By country, and by whether Severa charges this customer VAT: the invoices are to agree.

    Where Severa says nothing of that, VAT is charged in Sweden and nowhere else. Outside the EU it
    is only where the customer has a setting for that very country.
    """
    exempt = _exemption(customer, country, settings)
    if country.code == "SE":
        return "SEREVERSEDVAT" if exempt else "SEVAT"
    if not country.in_eu:
        special = _setting(country, settings)
        rate = special.value_added_tax if special and not exempt else None
        return "SEVAT" if rate and rate.percentage else "EXPORT"
    return "EUVAT" if exempt is False else "EUREVERSEDVAT"


def _exemption(
    customer: severa.Customer, country: Country, settings: Sequence[severa.CountrySetting]
) -> bool | None:
    """Whether VAT is left out: by the setting for that country, else by the customer's own VAT.

    None where Severa says nothing of it.
    """
    special = _setting(country, settings)
    if special is not None:
        percentage = special.value_added_tax.percentage if special.value_added_tax else None
        return bool(special.is_tax_free) or percentage == 0
    vat = customer.invoicing_vat
    return None if vat is None or vat.percentage is None else vat.percentage == 0


def _setting(
    country: Country, settings: Sequence[severa.CountrySetting]
) -> severa.CountrySetting | None:
    for one in settings:
        where = one.country
        names = (where.guid, where.name, where.english_name) if where else ()
        if country.names & {name.lower() for name in names if name}:
            return one
    return None


def _country(address: severa.Address, countries: Countries, customer: str) -> Country:
    """Sweden where none is given; Blocked where one is that the register does not know."""
    if address.country is None:
        return Country("SE", in_eu=True)
    for name in (address.country.guid, address.country.name, address.country.english_name):
        if name and name.lower() in countries:
            return countries[name.lower()]
    written = address.country.name or address.country.english_name or address.country.guid
    raise Blocked(because("customer_country_unknown", customer=customer, country=written))


def _first(addresses: Sequence[severa.Address], flag: str) -> severa.Address | None:
    return next((one for one in addresses if getattr(one, flag)), None)


def _address(
    prefix: str, address: severa.Address, countries: Countries, customer: str
) -> dict[str, str | None]:
    first, second = address_lines(address.addressline)
    return {
        f"{prefix}address1": first,
        f"{prefix}address2": second,
        f"{prefix}zip_code": cut(address.postal_code, 10),
        f"{prefix}city": cut(address.city, 1024),
        f"{prefix}country_code": _country(address, countries, customer).code,
    }


def _visiting(
    address: severa.Address, countries: Countries, customer: str
) -> dict[str, str | None]:
    return {
        "visiting_address": cut(clean(address.addressline).replace("\n", ", "), 128),
        "visiting_zip_code": cut(address.postal_code, 10),
        "visiting_city": cut(address.city, 128),
        "visiting_country_code": _country(address, countries, customer).code,
    }


def _gln(address: str | None) -> str | None:
    """The one kind of e-invoice address that Fortnox has a field for."""
    digits = re.sub(r"\s", "", address or "")
    return digits if re.fullmatch(r"[0-9]{13}", digits) else None


def _line(text: str | None) -> str | None:
    return (text or "").strip() or None
