"""What is carried over while processes die: one scenario for each handler that writes.

Each makes new records and yields the rows of the work list that are to be carried over first, then
the scene: the rows about which a process may die, and how many of each thing there are in the end
by the books of the partners: one, whatever happened. What must be none is counted from one.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Protocol

from app.sandbox.severa import PAID, RECEIVED, TRANSFER, Row
from tests.installation import Vendors

Key = tuple[str, str]

PDF = b"%PDF-1.4 tidrapport"
VAT = "SE556700123401"
Counts = dict[str, int]


@dataclass(frozen=True)
class Scene:
    keys: list[Key]
    count: Callable[[], Counts]


class Stage(Protocol):
    """Where they are played: both partners, and somebody who carries over."""

    @property
    def partners(self) -> Vendors: ...

    def number(self) -> int: ...

    def want(self, *keys: Key) -> None: ...

    def recover(self) -> None: ...

    def unsettled(self) -> dict[Key, tuple[str, Any]]: ...

    def log(self) -> str: ...


Scenario = Callable[[Stage], Iterator[list[Key] | Scene]]


def scenes(stage: Stage, scenario: Scenario, number: int) -> list[Scene]:
    """So many of them, each with records of its own; what they need first is carried over."""
    begun = [scenario(stage) for _ in range(number)]
    found: list[Scene] = []
    while not found:
        asked = [next(one) for one in begun]
        found = [one for one in asked if isinstance(one, Scene)]
        first = [key for one in asked if not isinstance(one, Scene) for key in one]
        stage.want(*first)
        if first:
            stage.recover()
            assert stage.unsettled() == {}, stage.log()
    return found


def invoice(stage: Stage) -> Iterator[Scene]:
    """With a customer, a project and a product that are new, too, and with a file."""
    severa, number = stage.partners.severa, stage.number()
    customer = severa.add_customer(name=f"Kund {number} AB", number=number, vatNumber=VAT)
    severa.add_address(customer["guid"], addressline="Gatan 1", postalCode="41101", city="Göteborg")
    project = severa.add_project(name=f"Projekt {number}", number=number, customer=number)
    product = severa.add_product(name=f"Vara {number}", code=str(number))
    row = Row("fee", 2, 150, "Vara", product)
    guid = severa.add_invoice(customer["guid"], [project], [row])["guid"]
    severa.add_file(guid, "underlag.pdf", PDF + str(number).encode())
    severa.set_status(guid, TRANSFER)
    books = stage.partners.books

    def count() -> Counts:
        files = [one for one in books.files.values() if one.content == PDF + str(number).encode()]
        made = _of_reference(stage, guid)
        attached = [
            one
            for one in books.attachments.values()
            if made and str(one["entityId"]) == made[0]["DocumentNumber"]
        ]
        return {
            "invoices": len(made),
            "customers": _having(books.customers, "Name", f"Kund {number} AB"),
            "articles": _having(books.articles, "Description", f"Vara {number}"),
            "projects": _having(books.projects, "Description", f"Projekt {number}"),
            "files": len(files),
            "attachments": len(attached),
            "received": _standing(stage, guid, RECEIVED),
        }

    yield Scene([("invoice", guid)], count)


def credit_of_all(stage: Stage) -> Iterator[list[Key] | Scene]:
    yield from _credit(stage, None)


def credit_in_part(stage: Stage) -> Iterator[list[Key] | Scene]:
    yield from _credit(stage, 3)


def payment(stage: Stage) -> Iterator[list[Key] | Scene]:
    guid = _ordered(stage)
    yield [("invoice", guid)]
    stage.partners.books.pay(_number(stage, guid))
    yield Scene([("payment", _number(stage, guid))], lambda: {"paid": _standing(stage, guid, PAID)})


def customer_taken_in(stage: Stage) -> Iterator[Scene]:
    number = str(stage.number())
    stage.partners.books.add_customer(
        CustomerNumber=number,
        Name=f"Hamn {number} AB",
        VATNumber=VAT,
        Address1="Kajen 1",
        City="Göteborg",
        CountryCode="SE",
        DeliveryAddress1="Lagret 2",
        DeliveryCity="Göteborg",
        DeliveryCountryCode="SE",
    )

    def count() -> Counts:
        severa = stage.partners.severa
        made = [one for one in severa.records("customers") if str(one["number"]) == number]
        lines = [one["addressline"] for one in severa.records("addresses", made[0]["guid"])]
        streets = {line: lines.count(line) for line in ("Kajen 1", "Lagret 2")}
        return {"customers": len(made), **streets, "others": len(lines) - 1}

    yield Scene([("customer", f"fortnox:{number}")], count)


def product_taken_in(stage: Stage) -> Iterator[Scene]:
    """Severa's sandbox would take two products with the same code."""
    number = str(stage.number())
    stage.partners.books.add_article(
        ArticleNumber=number, Description=f"Skylt {number}", Unit="st", VAT=25
    )
    products = stage.partners.severa.records
    yield Scene(
        [("product", f"fortnox:{number}")],
        lambda: {"products": sum(one["code"] == number for one in products("products"))},
    )


def fee(stage: Stage) -> Iterator[list[Key] | Scene]:
    number = _bill(stage, 5000)
    yield Scene([("project_fee", number)], lambda: _fees(stage, number, 5000))


def fee_followed(stage: Stage) -> Iterator[list[Key] | Scene]:
    """What is booked changes while the fee is not invoiced."""
    number = _bill(stage, 5000)
    yield [("project_fee", number)]
    _rebook(stage, number, 6000)
    yield Scene([("project_fee", number)], lambda: _fees(stage, number, 6000))


def fee_corrected(stage: Stage) -> Iterator[list[Key] | Scene]:
    """What is booked changes after the fee was invoiced: a second one makes the difference."""
    number = _bill(stage, 5000)
    yield [("project_fee", number)]
    severa = stage.partners.severa
    for one in _marked(stage, number):
        severa.change("projectfees", one["guid"], invoice=severa.add_simple_invoice()["guid"])
    _rebook(stage, number, 6000)
    yield Scene([("project_fee", number)], lambda: _fees(stage, number, 5000, 1000))


def fee_withdrawn(stage: Stage) -> Iterator[list[Key] | Scene]:
    number = _bill(stage, 5000)
    yield [("project_fee", number)]
    stage.partners.books.cancel_supplier_invoice(number)
    yield Scene([("project_fee", number)], lambda: {"left": 1 + len(_marked(stage, number))})


SCENARIOS: dict[str, Scenario] = {
    one.__name__: one
    for one in (
        invoice,
        credit_of_all,
        credit_in_part,
        payment,
        customer_taken_in,
        product_taken_in,
        fee,
        fee_followed,
        fee_corrected,
        fee_withdrawn,
    )
}


def _having(shelf: Any, field: str, value: str) -> int:
    return sum(one[field] == value for one in shelf.values())


def _of_reference(stage: Stage, guid: str) -> list[Any]:
    ref = f"severa:{guid}"
    every = stage.partners.books.invoices.values()
    return [one for one in every if one["ExternalInvoiceReference1"] == ref]


def _standing(stage: Stage, guid: str, status: str) -> int:
    return int(stage.partners.severa.find("invoices", guid)["status"]["guid"] == status)


def _ordered(stage: Stage) -> str:
    severa = stage.partners.severa
    guid: str = severa.add_simple_invoice(quantity=10, price=100)["guid"]
    severa.set_status(guid, TRANSFER)
    return guid


def _number(stage: Stage, guid: str) -> str:
    return str(_of_reference(stage, guid)[0]["DocumentNumber"])


def _credit(stage: Stage, quantity: int | None) -> Iterator[list[Key] | Scene]:
    """Of an invoice that was carried over and booked, whole or in part."""
    severa, original = stage.partners.severa, _ordered(stage)
    yield [("invoice", original)]
    rows = None if quantity is None else {severa.rows(original)[0]["guid"]: quantity}
    guid = severa.add_credit_note(original, rows)["guid"]
    severa.set_status(guid, TRANSFER)
    number = _number(stage, original)
    invoices = stage.partners.books.invoices

    def count() -> Counts:
        made = [str(one["DocumentNumber"]) for one in _of_reference(stage, guid)]
        named = str(invoices[number]["CreditInvoiceReference"])
        said = re.compile(rf"faktura {number}\b")
        about = [one for one in invoices.values() if said.search(str(one["Remarks"]))]
        return {
            "notes": len(made),
            "about it": len(about),
            "named": int([named] == made or quantity is not None),
            "received": _standing(stage, guid, RECEIVED),
        }

    yield Scene([("invoice", guid)], count)


def _bill(stage: Stage, amount: int) -> str:
    books = stage.partners.books
    number = str(
        books.add_supplier_invoice(
            _rows(amount), InvoiceNumber=f"UK-{stage.number()}", InvoiceDate="2026-10-31"
        )["GivenNumber"]
    )
    books.book_supplier_invoice(number)
    return number


def _rows(amount: int) -> list[dict[str, Any]]:
    return [{"Account": 4600, "Debit": amount, "Project": "3001"}]


def _rebook(stage: Stage, number: str, amount: int) -> None:
    """As a person corrects it."""
    stage.partners.books.change_supplier_invoice(number, SupplierInvoiceRows=_rows(amount))


def _marked(stage: Stage, number: str) -> list[Any]:
    severa = stage.partners.severa
    project = severa.find("projects", 3001)["guid"]
    every = severa.records("projectfees", project)
    return [one for one in every if f"[FX-{number}-" in (one["description"] or "")]


def _fees(stage: Stage, number: str, *amounts: int) -> Counts:
    costs = [one["quantity"] * one["unitCost"]["amount"] for one in _marked(stage, number)]
    return {f"fees of {amount}": costs.count(amount) for amount in amounts} | {
        "others": 1 + len(costs) - len(amounts)
    }
