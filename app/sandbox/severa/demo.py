"""Konsult AB: a Swedish consultancy with customers, registers, projects and a few drafts."""

from typing import TYPE_CHECKING, Any

from app.sandbox.severa.guids import fixed
from app.sandbox.severa.rows import Row

if TYPE_CHECKING:
    from app.sandbox.severa import Severa

CLIENT_ID, CLIENT_SECRET = "demo.apps.vismasevera.com", "demo-secret"

CUSTOMERS: list[tuple[dict[str, Any], dict[str, Any]]] = [
    (
        {"name": "Nordbygg AB", "number": 1001, "vatNumber": "SE556677889901", "currency": "SEK"},
        {"addressline": "Storgatan 1", "postalCode": "111 22", "city": "Stockholm"},
    ),
    (
        {"name": "Kustens Energi AB", "number": 1002, "vatNumber": "SE556123456701"},
        {"addressline": "Hamngatan 12\nBox 44", "postalCode": "411 06", "city": "Göteborg"},
    ),
    (
        {"name": "Fjordkraft AS", "number": 1003, "vatNumber": "NO912345678MVA", "currency": "NOK"},
        {"addressline": "Havnegata 3", "postalCode": "5003", "city": "Bergen", "country": "NO"},
    ),
    (
        {"name": "Hafen Logistik GmbH", "number": 1004, "vatNumber": "DE123456789"},
        {"addressline": "Am Kai 7", "postalCode": "20457", "city": "Hamburg", "country": "DE"},
    ),
]
MORE: dict[int, dict[str, Any]] = {
    1001: {"language": "sv", "email": "faktura@nordbygg.example", "paymentTerm": 30},
    1002: {"language": "sv", "email": "ekonomi@kustens.example", "paymentTerm": 20},
    1003: {"language": "nb", "email": "regnskap@fjordkraft.example", "paymentTerm": 30},
    1004: {"language": "de", "email": "buchhaltung@hafen.example", "currency": "EUR"},
}
ACCOUNTS = [("3041", "Konsultarvoden"), ("3051", "Varor"), ("3550", "Fakturerade resor")]
CENTERS = [("10", "Stockholm", "STH"), ("20", "Göteborg", "GBG")]
WORK_TYPES = [("100", "Konsultarbete"), ("110", "Projektledning"), ("120", "Utbildning")]
PRODUCTS = [("200", "Licens", "st", 2500), ("210", "Serverplats", "mån", 890)]
DEFAULT_PRODUCT = ("290", "Vidarefakturerade utlägg", "st", 0)
TRAVEL_TYPES = [("300", "Milersättning", "km", "Mileage", 25), ("310", "Hotell", "st", "", 0)]
PROJECTS = [
    (3001, "Ny webbplats", 1001, "10"),
    (3002, "Elnät 2030", 1002, "20"),
    (3003, "Hamnportal", 1004, "20"),
    (3004, "Kraftverk Bergen", 1003, "20"),
]


def seed_demo(severa: "Severa") -> None:
    """Nothing is announced while the company is set up."""
    with severa.silently(), severa.world.lock:
        severa.add_client(CLIENT_ID, CLIENT_SECRET)
        _accounts(severa)
        _articles(severa)
        _customers(severa)
        for number, name, customer, center in PROJECTS:
            _project(severa, number, name, customer, center)
        _invoices(severa)


def _accounts(severa: "Severa") -> None:
    for number, name in ACCOUNTS:
        severa.add("salesaccounts", guid=fixed("77", number), number=number, name=name)
    severa.add("costaccounts", guid=fixed("78", "5800"), number="5800", name="Resekostnader")
    for identifier, name, code in CENTERS:
        guid = fixed("cd", identifier)
        center = severa.add("costcenters", guid=guid, identifier=identifier, name=name)
        unit = fixed("b0", identifier)
        severa.add("businessunits", guid=unit, name=name, code=code, costCenter=center)


def _articles(severa: "Severa") -> None:
    for code, name in WORK_TYPES:
        severa.add_work_type(
            guid=fixed("30", code), code=code, name=name, salesAccount="3041", hourCost=550
        )
    for code, name, unit, price in [*PRODUCTS, DEFAULT_PRODUCT]:
        severa.add_product(
            guid=fixed("70", code),
            code=code,
            name=name,
            measurementUnit=unit,
            unitPrice=price,
            vatRate=25,
            salesAccount="3051",
        )
    for code, name, unit, kind, price in TRAVEL_TYPES:
        severa.add_travel_type(
            guid=fixed("73", code),
            code=code,
            name=name,
            measurementUnit=unit,
            expenseClass=kind or "OtherTravelExpense",
            unitCost=price,
            vatRate=25,
            salesAccount="3550",
        )


def _customers(severa: "Severa") -> None:
    for fields, address in CUSTOMERS:
        number = fields["number"]
        guid = fixed("0f", number)
        more = MORE[number]
        customer = severa.add_customer(**{**fields, **more, "guid": guid})
        severa.add_address(customer, **{**address, "guid": fixed("ad", number)})


def _project(severa: "Severa", number: int, name: str, customer: int, center: str) -> None:
    severa.add_project(
        guid=fixed("9d", number),
        number=number,
        name=name,
        customer=customer,
        businessUnit=fixed("b0", center),
        costCenter=center,
        currency={1003: "NOK", 1004: "EUR"}.get(customer, "SEK"),
        startDate="2026-01-01",
        ourReference="Anna Lind",
        yourReference="Kalle Kund",
    )
    severa.world.settings["nextProjectNumber"] = number + 1


def _invoices(severa: "Severa") -> None:
    work = Row("hours", 10, 1100, "Utveckling", "100", cost_center="10")
    licence = Row("fee", 1, 2500, "Licens 12 mån", "200", cost_center="10")
    trip = Row("travel", 100, "2.50", "Milersättning", "300")
    header: dict[str, Any] = {"orderNumber": "PO-7781", "notes": "Tack för förtroendet!"}
    rows = [work, licence, trip]
    severa.add_invoice(1001, 3001, rows, guid=fixed("1a", 1), **header)
    lead = Row("hours", "12.75", 1250, "Projektledning", "110", cost_center="20")
    severa.add_invoice(1002, 3002, [lead], guid=fixed("1a", 2))
    abroad = Row("hours", 20, 98, "Development", "100", vat=0)
    severa.add_invoice(
        1004, 3003, [abroad], currency="EUR", work_hour_vat=0, reverse_charge=True,
        guid=fixed("1a", 3),
    )  # fmt: skip
