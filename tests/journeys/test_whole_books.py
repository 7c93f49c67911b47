"""A year of everything that is invoiced: the books agree, and one öre that is planted is found."""

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest

from app.checks import reconcile
from app.checks.comparison import Reconciliation
from app.sandbox.severa import DRAFT, ERROR, TRANSFER, Row
from app.sandbox.severa.rows import Item
from tests.installation import document
from tests.journeys.test_invoices import order
from tests.workshop import Workshop

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)

ORE = Decimal("0.01")
HARBOUR = {"currency": "EUR", "work_hour_vat": 0, "reverse_charge": True, "rate": "11.2345"}
FJORD = {"currency": "NOK", "work_hour_vat": 0}


def fee(price: float | str, quantity: float | str = 1, vat: int = 25) -> Row:
    return Row("fee", quantity, price, "Licens", "200", vat=vat)


def hours(quantity: float | str, price: float | str, **fields: Any) -> Row:
    return Row("hours", quantity, price, "Arbete", "100", **fields)


GROUPED = Row(
    "hours",
    price="1100.50",
    description="Arbete och ledning",
    items=(Item("3.25", article="100"), Item("1.75", article="110")),
)
INVOICES: dict[str, tuple[int, list[int], list[Row], dict[str, Any]]] = {
    "vat on three rows": (1001, [3001], [fee("0.02")] * 3, {}),
    "vat of three rates": (1001, [3001], [fee("10.03", 1, vat) for vat in (25, 25, 12, 6)], {}),
    "rounded": (1001, [3001], [fee("99.99", 3)], {}),
    "three decimals": (1001, [3001], [hours("7.333", 1100)], {}),
    "euro": (1004, [3003], [hours(20, "98.37", vat=0)], HARBOUR),
    "export": (1003, [3004], [hours(20, "98.37", vat=0)], FJORD),
    "two projects": (
        1001,
        [3001, 3002],
        [hours(2, 1000, project=3001), hours(3, 999, project=3002)],
        {},
    ),
    "grouped codes": (1001, [3001], [GROUPED], {}),
    "zero": (1001, [3001], [fee(0)], {}),
    "below zero": (1002, [3002], [fee(100, 2), fee(100, -3)], {}),
    "credited": (1001, [3001], [fee("333.33", 2)], {}),
    "credited in part": (1001, [3001], [fee("333.33", 2)], {}),
    "paid in part": (1001, [3001], [fee("250.55", 2)], {}),
    "not booked": (1002, [3002], [fee("250.55", 2)], {}),
    "cancelled": (1002, [3002], [fee("77.10", 2)], {}),
}
WRONG = ("rate", "net", "vat", "more", "taxed")
INVOICES |= {f"vat on three rows: {what}": INVOICES["vat on three rows"] for what in WRONG}
PAID = ("vat on three rows", "vat of three rates", "rounded", "three decimals", "euro", "export")


class Year:
    """`guids` in Severa and `numbers` in Fortnox, by the names above."""

    def __init__(self, shop: Workshop) -> None:
        self.shop, self.severa, self.books = shop, shop.partners.severa, shop.partners.books
        self.guids: dict[str, str] = {}
        for name, (customer, projects, rows, header) in INVOICES.items():
            self.guids[name] = self.severa.add_invoice(customer, projects, rows, **header)["guid"]
        self.numbers = self.carried(*self.guids)

    def carried(self, *names: str) -> dict[str, str]:
        guids = {name: self.guids[name] for name in names}
        for guid in guids.values():
            self.severa.set_status(guid, TRANSFER)
        self.shop.look_at("invoice", *guids.values())
        rows = {name: self.shop.row("invoice", guid) for name, guid in guids.items()}
        assert {name: row.reason for name, row in rows.items() if row.state != "done"} == {}
        return {name: row.target_id for name, row in rows.items()}

    def is_lived(self) -> None:
        """Booked, paid, cancelled and credited; Severa hears of it."""
        for name, number in self.numbers.items():
            if name not in ("not booked", "cancelled"):
                self.books.book(number)
        self.books.cancel(self.numbers["cancelled"])
        self.severa.set_status(self.guids["cancelled"], DRAFT)
        for name in PAID:
            if self.invoice(name)["Balance"]:  # öresavrundning may leave nothing to pay
                self.books.pay(self.numbers[name])
        self.books.pay(self.numbers["paid in part"], amount=100)
        self.credit("credited")
        self.credit("credited in part", 1)
        self.shop.look_at("payment", *self.numbers.values())

    def credit(self, name: str, quantity: int | None = None) -> None:
        guid, note = self.guids[name], f"{name}: the note"
        rows = {self.severa.rows(guid)[0]["guid"]: quantity} if quantity else None
        self.guids[note] = self.severa.add_credit_note(guid, rows)["guid"]
        self.numbers |= self.carried(note)
        self.books.book(self.numbers[note])

    def invoice(self, name: str) -> Any:
        return self.books.invoices[self.numbers[name]]

    def reconciled(self) -> Reconciliation:
        return reconciled(self.shop, date(2026, 1, 1), date(2026, 12, 31))

    def told(self, *verdicts: str) -> list[tuple[str, str, str, Decimal]]:
        """What is no agreement, or has one of these verdicts: name, subject, verdict, amount."""
        names = {guid: name for name, guid in self.guids.items()}
        books = self.reconciled()
        return sorted(
            (names[one.severa_id], one.subject, one.verdict, one.difference)
            for one in books.lines
            if one.verdict in verdicts or one in books.differences
        )


def reconciled(shop: Workshop, first: date, last: date) -> Reconciliation:
    return reconcile.run(shop.process.room.sides(shop.connection(), 0), first, last)


@pytest.fixture
def year(shop: Workshop, request: pytest.FixtureRequest) -> Year:
    for option, value in getattr(request, "param", {}).items():
        assert hasattr(shop.partners.fortnox.options, option)
        setattr(shop.partners.fortnox.options, option, value)
    return Year(shop)


WITHOUT_SIGNS = {
    "credit_total": "positive",
    "credit_quantities": "positive",
    "credit_copies_references": True,
    "credit_sets_off": False,
    "vat_half": "even",
}


def test_where_all_went_well_nothing_differs_and_a_planted_ore_is_found(year: Year) -> None:
    year.is_lived()
    three = "vat on three rows"
    assert year.told("vat_rounded", "partly_paid") == [
        ("paid in part", "payment", "partly_paid", 100),
        (three, "invoice", "vat_rounded", -ORE),
        (three, "payment", "vat_rounded", -ORE),
        *(
            (f"{three}: {what}", subject, "vat_rounded", -ORE)
            for what in sorted(WRONG)
            for subject in ("invoice", "payment")
        ),
    ]
    books = year.reconciled()
    assert {(one.subject, one.currency): one.fortnox - one.severa for one in books.sums} == {
        (subject, currency): -ORE * 6 if currency == "SEK" else 0
        for subject in ("invoice", "payment")
        for currency in ("SEK", "EUR", "NOK")
    }
    planted = plant(year)
    found = [(name, verdict) for name, subject, verdict, _ in year.told() if subject == "invoice"]
    assert found == sorted((name, verdict) for name, verdict in planted.items())
    paid = [(name, verdict) for name, subject, verdict, _ in year.told() if subject == "payment"]
    assert ("rounded", "payment_date_differs") in paid


def plant(year: Year) -> dict[str, str]:
    """What no rounding of VAT explains, where both have rounded it; and what else goes wrong."""
    rate, net, vat, more = (year.invoice(f"vat on three rows: {what}") for what in WRONG[:4])
    rate["InvoiceRows"][0]["VAT"] = 12
    net["Net"] -= ORE
    net["TotalVAT"] += ORE
    vat["TotalVAT"] += 1
    vat["RoundOff"] -= 1
    more["Total"] += 1
    world = year.severa.world
    taxed = world.need("invoices", year.guids["vat on three rows: taxed"])
    for name in ("totalTax", "totalIncludingTax"):
        world.change(taxed, **{name: {**taxed[name], "amount": taxed[name]["amount"] + 1}})
    year.invoice("euro")["Total"] += ORE
    year.invoice("export")["Currency"] = "USD"
    year.invoice("credited in part: the note")["RoundOff"] -= ORE
    year.severa.change_invoice(year.guids["rounded"], paymentDate="2026-01-02")
    year.books.add_invoice(
        CustomerNumber="1001",
        ExternalInvoiceReference1=f"severa:{year.guids['grouped codes']}",
        InvoiceRows=[{"ArticleNumber": "200", "Price": 1, "DeliveredQuantity": "1"}],
    )
    wrong = ["euro", "export", "credited in part: the note"]
    wrong += [f"vat on three rows: {what}" for what in WRONG]
    return {"grouped codes": "twice_in_fortnox"} | dict.fromkeys(wrong, "amount_differs")


@pytest.mark.parametrize("year", [WITHOUT_SIGNS], indirect=True)
def test_nothing_differs_where_fortnox_shows_no_signs_and_rounds_another_way(year: Year) -> None:
    year.is_lived()
    assert year.told() == []


def test_an_invoice_of_another_date_or_in_the_error_status_is_told_as_that(shop: Workshop) -> None:
    severa, day = shop.partners.severa, date(2026, 10, 31)
    dated, held = (order(shop, date=day.isoformat()) for _ in range(2))
    shop.look_at("invoice", dated)
    shop.connect(invoice_statuses={**document()["invoice_statuses"], "error": ERROR})
    severa.set_status(held, ERROR)
    severa.change_invoice(dated, date="2026-11-01")

    def told(of: date) -> list[tuple[str, str, str]]:
        lines = reconciled(shop, of, of).lines
        return sorted((one.severa_id, one.subject, one.verdict) for one in lines)

    moved = [(dated, "invoice", "invoice_date_differs"), (dated, "payment", "agrees")]
    assert told(day) == sorted([*moved, (held, "invoice", "pending")])
    assert told(day + timedelta(days=1)) == moved


def test_where_severa_shows_no_payments_or_no_dates_none_is_missed(shop: Workshop) -> None:
    shop.partners.severa.options.payment_date_patch = False
    guid, today = order(shop), date.fromisoformat(shop.partners.books.today())
    shop.look_at("invoice", guid)
    shop.partners.books.book("1")
    shop.partners.books.pay("1")
    shop.look_at("payment", "1")
    assert shop.log("payment", "1") == ["paid_undated"]
    lines = [(one.subject, one.verdict) for one in reconciled(shop, today, today).lines]
    assert lines == [("invoice", "agrees"), ("payment", "agrees")]
    shop.connect(invoice_statuses={**document()["invoice_statuses"], "paid": None})
    assert [one.subject for one in reconciled(shop, today, today).lines] == ["invoice"]
