"""What people change in both systems, and whether both say the same afterwards.

It is judged by the books of the two sandboxes, and by nothing of ours.
"""

import random
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from app.sandbox.severa import PAID, RECEIVED, TRANSFER
from tests.installation import Vendors

VAT = "SE556700123401"
COST = 5000
SITE = 3001  # the project that all costs are booked on
MARK = re.compile(r"\[FX-(\d+)-")
USUAL = {  # how often what is done, of twenty
    "order": 5,
    "pay": 4,
    "rename": 4,
    "add_customer": 1,
    "add_project": 1,
    "add_product": 1,
    "add_customer_in_fortnox": 1,
    "add_article_in_fortnox": 1,
    "book_a_cost": 2,
}
Names = dict[str, str]  # by number


@dataclass
class Verdict:
    """`lost`: on one side only; `doubled`: more than once; `unequal`: with another content."""

    lost: list[str] = field(default_factory=list)
    doubled: list[str] = field(default_factory=list)
    unequal: list[str] = field(default_factory=list)

    @property
    def is_clean(self) -> bool:
        return not (self.lost or self.doubled or self.unequal)


class Changes:
    """One person after the other. `names`: what must be there in both systems at the end."""

    def __init__(self, partners: Vendors, seed: int) -> None:
        self.partners, self._random = partners, random.Random(seed)
        self._number = 20_000
        self.ordered: list[str] = []
        self.paid: set[str] = set()
        self.bills: list[str] = []
        self.taken_in: list[str] = []
        self.names: dict[str, Names] = {"customers": {}, "projects": {}, "products": {}}
        self._renamed = {register: list[str]() for register in self.names}
        self._before = self._numbers()

    def make(self) -> None:
        [what] = self._random.choices([*USUAL], weights=[*USUAL.values()])
        getattr(self, what)()

    def one_of_each(self) -> None:
        for what in USUAL:
            getattr(self, what)()

    def order(self) -> None:
        severa = self.partners.severa
        guid = severa.add_simple_invoice(quantity=self._random.randint(1, 8))["guid"]
        severa.set_status(guid, TRANSFER)
        self.ordered.append(guid)

    def pay(self) -> None:
        """One that was carried over; where there is none yet, one is ordered."""
        unpaid = [guid for guid in self.ordered if guid not in self.paid]
        guid = next((one for one in unpaid if self._status(one) == RECEIVED), None)
        if guid is None:
            return self.order()
        number = self._made_invoices()[f"severa:{guid}"][0]["DocumentNumber"]
        self.partners.books.book(number)
        self.partners.books.pay(number)
        self.paid.add(guid)
        return None

    def rename(self) -> None:
        """In the system that is the master of it."""
        register = self._random.choice([*self.names])
        number = self._random.choice(self._renamed[register] or [""])
        if not number:
            return getattr(self, f"add_{register.removesuffix('s')}")()
        name = f"{register} {number}, {self._next()}"
        self.partners.severa.change(register, self._key(register, number), name=name)
        self.names[register][number] = name
        return None

    def add_customer(self) -> None:
        severa, number = self.partners.severa, self._next()
        customer = severa.add_customer(name=f"Kund {number}", number=number, vatNumber=VAT)
        severa.add_address(customer["guid"], addressline="Gatan 1", city="Växjö")
        self._made("customers", number, f"Kund {number}")

    def add_project(self) -> None:
        number = self._next()
        self.partners.severa.add_project(name=f"Projekt {number}", number=number, customer=1001)
        self._made("projects", number, f"Projekt {number}")

    def add_product(self) -> None:
        number = self._next()
        self.partners.severa.add_product(name=f"Vara {number}", code=str(number))
        self._made("products", number, f"Vara {number}")

    def add_customer_in_fortnox(self) -> None:
        number = self._next()
        self.partners.books.add_customer(
            CustomerNumber=str(number),
            Name=f"Hamn {number}",
            VATNumber=VAT,
            Address1="Kajen 1",
            City="Göteborg",
            CountryCode="SE",
        )
        self.names["customers"][str(number)] = f"Hamn {number}"
        self.taken_in.append(str(number))

    def add_article_in_fortnox(self) -> None:
        number, name = self._next(), f"Skylt {self._number}"
        self.partners.books.add_article(ArticleNumber=str(number), Description=name, Unit="st")
        self.names["products"][str(number)] = name

    def book_a_cost(self) -> None:
        books = self.partners.books
        rows = [{"Account": 4600, "Debit": COST, "Project": str(SITE)}]
        bill = books.add_supplier_invoice(rows, InvoiceNumber=f"UK-{self._next()}")["GivenNumber"]
        books.book_supplier_invoice(bill)
        self.bills.append(str(bill))

    def verdict(self) -> Verdict:
        found = Verdict()
        for what, count in self.counted():
            if count != 1:
                (found.lost if count < 1 else found.doubled).append(what)
        found.unequal += self._wrong_invoices()
        for register, names in self.names.items():
            for side, stands in zip(("severa", "fortnox"), self._books(register), strict=True):
                wrong = {number: stands.get(number) for number in names if number in stands}
                found.unequal += [
                    f"{side} {register} {number}: {name}"
                    for number, name in wrong.items()
                    if name != names[number]
                ]
        return found

    def counted(self) -> Iterator[tuple[str, int]]:
        """What there must be one of, and how many there are; a stranger is one too many."""
        made, fees = self._made_invoices(), self._fees()
        for guid in self.ordered:
            yield f"invoice {guid}", len(made[f"severa:{guid}"])
        for bill in self.bills:
            yield f"cost {bill}", len(fees[bill])
        for number in self.taken_in:
            yield f"address of {number}", self._addresses(number)
        for register, names in self.names.items():
            ours, theirs = (Counter(one) for one in self._numbers()[register])
            for number in names:
                yield f"severa {register} {number}", ours[number]
                yield f"fortnox {register} {number}", theirs[number]
            ours_before, theirs_before = self._before[register]
            for number in ours.keys() - names.keys() - set(ours_before):
                yield f"severa {register} {number}, a stranger", 2
            for number in theirs.keys() - ours.keys() - set(theirs_before):
                yield f"fortnox {register} {number}, a stranger", 2

    def _wrong_invoices(self) -> Iterator[str]:
        made, fees = self._made_invoices(), self._fees()
        for guid in self.ordered:
            wanted = PAID if guid in self.paid else RECEIVED
            if self._status(guid) != wanted:
                yield f"status of {guid}"
            net = Decimal(str(self._invoice(guid)["totalExcludingTax"]["amount"]))
            if any(Decimal(str(one["Net"])) != net for one in made[f"severa:{guid}"]):
                yield f"sum of {guid}"
        for bill in self.bills:
            costs = [one["quantity"] * one["unitCost"]["amount"] for one in fees[bill]]
            if any(cost != COST for cost in costs):
                yield f"cost {bill}"

    def _books(self, register: str) -> tuple[Names, Names]:
        severa, books = self.partners.severa, self.partners.books
        key = _KEYS[register][0]
        ours = {str(one[key]): one["name"] for one in severa.records(register)}
        shelf, label = {
            "customers": (books.customers, "Name"),
            "projects": (books.projects, "Description"),
            "products": (books.articles, "Description"),
        }[register]
        return ours, {number: one[label] for number, one in list(shelf.items())}

    def _numbers(self) -> Mapping[str, tuple[list[str], list[str]]]:
        """Of every record, in Severa and in Fortnox; a number that is there twice comes twice."""
        read = self.partners.severa.records
        return {
            register: (
                _texts(one[key] for table in tables for one in read(table)),
                [*self._books(register)[1]],
            )
            for register, (key, *tables) in _KEYS.items()
        }

    def _made(self, register: str, number: int, name: str) -> None:
        self.names[register][str(number)] = name
        self._renamed[register].append(str(number))

    def _key(self, register: str, number: str) -> Any:
        return number if register == "products" else int(number)

    def _next(self) -> int:
        self._number += 1
        return self._number

    def _invoice(self, guid: str) -> Any:
        return self.partners.severa.find("invoices", guid)

    def _status(self, guid: str) -> str:
        return str(self._invoice(guid)["status"]["guid"])

    def _made_invoices(self) -> Mapping[str, list[Any]]:
        """By our reference."""
        found = defaultdict(list)
        for one in list(self.partners.books.invoices.values()):
            found[str(one["ExternalInvoiceReference1"])].append(one)
        return found

    def _fees(self) -> Mapping[str, list[Any]]:
        """By the number of the supplier invoice."""
        severa = self.partners.severa
        found = defaultdict(list)
        for one in severa.records("projectfees", severa.find("projects", SITE)["guid"]):
            for bill in MARK.findall(one["description"] or ""):
                found[bill].append(one)
        return found

    def _addresses(self, number: str) -> int:
        severa = self.partners.severa
        owners = [one for one in severa.records("customers") if str(one["number"]) == number]
        return sum(len(severa.records("addresses", one["guid"])) for one in owners)


_KEYS = {  # the number, and the tables of Severa that are one register in Fortnox
    "customers": ("number", "customers"),
    "projects": ("number", "projects"),
    "products": ("code", "products", "worktypes", "travelexpensetypes"),
}


def _texts(values: Iterable[Any]) -> list[str]:
    return [str(one) for one in values if one is not None]
