"""What the preflight looks at, read once: the registers of both systems, as they stand now."""

from functools import cached_property

from app.checks.matching import Entry, Pair, by_code_and_name, by_number
from app.errors import VendorError
from app.severa import schemas as severa
from app.severa.client import ARTICLE_REGISTERS
from app.sync.customer import tax_numbers
from app.sync.sides import Sides


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
    def with_address(self) -> set[str]:
        return {
            one.customer.guid.lower()
            for one in self.sides.severa.all_addresses()
            if one.customer is not None
        }

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

    def refusal(self, path: str) -> VendorError | None:
        """What Fortnox has against our reading a register; None when it answers."""
        try:
            self.sides.fortnox.may_read(path)
        except VendorError as error:
            return error
        return None


def _tax(number: str | None) -> str:
    """Organisation numbers in the one spelling `556677-8899`; others as they are written."""
    if not number:
        return ""
    vat, organisation = tax_numbers(number, "SE")
    return organisation or vat
