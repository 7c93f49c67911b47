"""What the preflight looks at, read once: the registers of both systems, as they stand now."""

from collections import defaultdict
from contextlib import suppress
from functools import cached_property

from app import links
from app.checks.matching import Entry, Pair, by_code_and_name, by_number
from app.errors import Blocked, Missing, System, VendorError
from app.fortnox import schemas as fortnox
from app.severa import schemas as severa
from app.severa.client import ARTICLE_REGISTERS
from app.sync.customer import Countries, countries_of, tax_numbers, translate
from app.sync.sides import Sides

MOST_LOOKED_AT = 20
VAT_INVALID = "customer_vat_invalid"


class Survey:
    """Everything is read at most once, and only when it is asked for."""

    def __init__(self, sides: Sides) -> None:
        self.sides, self.document = sides, sides.document

    @cached_property
    def statuses(self) -> dict[str, severa.InvoiceStatus]:
        return {one.guid.lower(): one for one in self.sides.severa.invoice_statuses()}

    @cached_property
    def customers(self) -> list[severa.Customer]:
        """Those that may be invoiced: active and not our own."""
        return [
            one
            for one in self.sides.severa.all_customers()
            if one.is_active and not one.is_internal
        ]

    @cached_property
    def addresses(self) -> dict[str, list[severa.Address]]:
        """Of each customer, by its GUID."""
        found: dict[str, list[severa.Address]] = defaultdict(list)
        for one in self.sides.severa.all_addresses():
            if one.customer is not None:
                found[one.customer.guid.lower()].append(one)
        return dict(found)

    @cached_property
    def with_invalid_vat_number(self) -> list[severa.Customer]:
        """By the rule that a transfer goes by; those without any number apart."""
        countries = countries_of(self.sides.severa.countries())
        return [one for one in self.customers if self._blocks(one, countries) == VAT_INVALID]

    def _blocks(self, customer: severa.Customer, countries: Countries) -> str | None:
        addresses = self.addresses.get(customer.guid.lower(), [])
        try:
            translate(customer, addresses, countries=countries, terms=set(), vat_types={})
        except Blocked as blocked:
            return blocked.reason.code
        return None

    @cached_property
    def articles(self) -> list[tuple[str, severa.Article]]:
        return [
            (register, one)
            for register in ARTICLE_REGISTERS
            for one in self.sides.severa.all_articles(register)
            if one.is_active is not False
        ]

    @cached_property
    def units(self) -> set[str]:
        return {one.code.casefold() for one in self.sides.fortnox.units()}

    @cached_property
    def customer_pairs(self) -> list[Pair]:
        ours = [
            Entry(one.guid, str(one.number or ""), one.name, _tax(one.vat_number))
            for one in self.customers
        ]
        theirs = [
            Entry(
                one.customer_number,
                one.customer_number,
                one.name or "",
                _tax(one.organisation_number),
            )
            for one in self.sides.fortnox.all_customers()
        ]
        return by_number(ours, theirs)

    @cached_property
    def article_pairs(self) -> list[Pair]:
        ours = [
            Entry(f"{register}:{one.guid}", (one.code or "").strip(), one.name)
            for register, one in self.articles
        ]
        theirs = [
            Entry(one.article_number, one.article_number, one.description or "")
            for one in self.sides.fortnox.all_articles()
        ]
        return by_code_and_name(ours, theirs)

    @cached_property
    def invoice_sent_with_project(self) -> fortnox.Invoice | None:
        """The newest of the last few that we sent a project with, as Fortnox has it."""
        with self.sides.db.reading() as tx:
            newest = links.newest(tx, self.sides.name, "invoice", MOST_LOOKED_AT)
        for link in newest:
            sent = link.carried.get("payload") or {}
            if any(part.get("Project") for part in (sent, *sent.get("InvoiceRows", ()))):
                with suppress(Missing):
                    return self.sides.fortnox.invoice(link.fortnox_id)
        return None

    def refusal(self, path: str, system: System = "fortnox") -> VendorError | None:
        """What a system has against our reading a register; None when it answers."""
        try:
            self.sides.window(system).may_read(path)
        except VendorError as error:
            return error
        return None


def _tax(number: str | None) -> str:
    """Organisation numbers in the one spelling `556677-8899`; others as they are written."""
    if not number:
        return ""
    vat, organisation = tax_numbers(number, "SE")
    return organisation or vat
