"""Making an invoice: header from the billed customer, rows, and what lies under the rows."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

from app.sandbox.severa import views
from app.sandbox.severa.amounts import Number, exact, money
from app.sandbox.severa.invoices import (
    ADDRESS_PARTS,
    INVOICE,
    SETTINGS_BLANK,
    TEXTS,
    enter_status,
    free_text,
    invoice_parents,
    recount,
)
from app.sandbox.severa.items import Entry, add_item, article_of
from app.sandbox.severa.rows import ROW_TYPES, Item, Row
from app.sandbox.severa.veil import Record
from app.sandbox.severa.world import World


@dataclass
class Draft:
    """`rate`: what one unit of `currency` costs in the organisation's currency; dates ISO."""

    customer: Record
    billing: Record
    projects: list[Record]
    rows: Sequence[Row]
    status: Record
    currency: Record
    rate: Number = 1
    date: str = ""
    payment_term: int | None = None
    work_hour_vat: Number | None = 25
    reverse_charge: bool = False
    header: Mapping[str, Any] = field(default_factory=dict)


def add_invoice(world: World, draft: Draft, guid: str | None = None) -> Record:
    invoice = {**blank_invoice(world, draft), "guid": guid}
    world.insert("invoices", invoice, invoice_parents(invoice))
    for place, asked in enumerate(draft.rows, 1):
        _add_row(world, draft, invoice, asked, place)
    invoice.update(recount(world, invoice))
    settings = {**SETTINGS_BLANK, "isReverseCharged": draft.reverse_charge}
    world.insert("invoicesettings", settings, [invoice["guid"]])
    return invoice


def blank_invoice(world: World, draft: Draft) -> Record:
    """The header; totals and rows come after."""
    term = _term(world, draft)
    billed = draft.billing
    invoice: Record = {
        **dict.fromkeys(TEXTS),
        "number": None,
        "status": world.view(views.status, draft.status),
        "customer": world.view(views.numbered, draft.customer),
        "billingCustomer": world.view(views.numbered, billed),
        "projects": [world.view(views.numbered, project) for project in draft.projects],
        "date": draft.date,
        "dueDate": (date.fromisoformat(draft.date) + timedelta(days=term)).isoformat(),
        "entryDate": None,
        "paymentDate": None,
        "paymentTerm": term,
        "overdueInterest": billed["overdueInterest"] or 8.0,
        "currency": world.view(views.currency, draft.currency),
        "currencyRate": currency_rate(world, draft.rate),
        "workHourValueAddedTax": None
        if draft.work_hour_vat is None
        else float(exact(draft.work_hour_vat)),
        "receiverCustomerName": billed["name"],
        "receiverContactEmail": billed["email"],
        "receiverVatNumber": billed["vatNumber"],
        "receiverKvkNumber": billed["kvkNumber"],
        "receiverAddress": receiver_address(world, billed),
        **sender(world),
        "isCreditNote": False,
        "reimburseInvoice": None,
        "creditNoteInvoice": None,
        "invoiceNumberBusinessUnitGuid": None,
        "invoiceTemplate": None,
        "culture": {"code": "sv-SE", "name": "svenska (Sverige)", "englishName": "Swedish"},
        "language": billed["language"] or world.view(views.language, world.need("languages", "sv")),
        "freeText1": None,
        "freeText2": None,
        "canBeDeleted": True,
    }
    _project_references(invoice, draft.projects)
    _fill_header(world, invoice, draft.header)
    changes = {"status": invoice["status"]}
    enter_status(world, invoice, changes)
    invoice.update(changes)
    return invoice


def _project_references(invoice: Record, projects: list[Record]) -> None:
    if projects:
        for name in ("ourReference", "yourReference", "orderNumber"):
            invoice[name] = projects[0][name]
        owner = projects[0]["projectOwner"] or {}
        invoice["ourReference"] = invoice["ourReference"] or owner.get("name")


def _fill_header(world: World, invoice: Record, header: Mapping[str, Any]) -> None:
    for name, value in header.items():
        if name.startswith("freeText") and isinstance(value, str):
            invoice[name] = free_text(value)
        elif name in INVOICE.fields:
            invoice[name] = INVOICE.fields[name].parse(world, name, value)
        elif name in invoice:
            invoice[name] = value
        else:
            raise LookupError(f"An invoice has no '{name}'.")


def _term(world: World, draft: Draft) -> int:
    for term in (draft.payment_term, draft.billing["paymentTerm"], world.settings["paymentTerm"]):
        if term is not None:
            return int(term)
    return 30


def currency_rate(world: World, rate: Number) -> float:
    known = exact(rate)
    backwards = world.options.currency_rate == "from_organization"
    return float(round(1 / known, 8) if backwards else known)


def receiver_address(world: World, customer: Record) -> Record | None:
    addresses = world.all("addresses", customer["guid"])
    billing = [a for a in addresses if a["isBillingAddress"]] or addresses
    if not billing:
        return None
    first = billing[0]
    shown = {name: first.get(name) for name in ADDRESS_PARTS}
    return {**shown, "country": (first["country"] or {}).get("name")}


def sender(world: World) -> Record:
    details, author = world.details, world.author or {}
    return {
        "senderName": details["name"],
        "senderContactName": author.get("name"),
        "senderContactGuid": author.get("guid"),
        "senderAddress": {
            "addressline": details["address"],
            "postalCode": details["postalCode"],
            "city": details["city"],
            "state": None,
            "country": "Sverige",
        },
        "senderVatNumber": details["vatNumber"],
        "senderKvkNumber": None,
    }


def _project_of(world: World, draft: Draft, asked: Row, item: Item) -> Record:
    for key in (item.project, asked.project):
        if key is not None:
            return world.need("projects", key)
    return draft.projects[0]


def _add_row(world: World, draft: Draft, invoice: Record, asked: Row, place: int) -> None:
    articles = [article_of(world, asked, item) for item in asked.entries()]
    row = _row(world, invoice, asked, articles, place)
    world.insert("invoicerows", row, [invoice["guid"]])
    for item, article in zip(asked.entries(), articles, strict=True):
        project = _project_of(world, draft, asked, item)
        made = add_item(world, Entry(invoice, row, asked, item, project, article))
        if row["rowType"] == "FlatRate":
            row["flatRateGuid"] = made["guid"]


def _row(
    world: World, invoice: Record, asked: Row, articles: list[Record | None], place: int
) -> Record:
    row_type, category, unit = ROW_TYPES[asked.kind]
    first = next(filter(None, articles), {})
    quantity = asked.quantity
    if quantity is None:
        quantity = sum((exact(item.quantity) for item in asked.entries()), exact(0))
    codes = asked.codes
    if codes is None:
        codes = tuple(dict.fromkeys(a["code"] for a in articles if a and a["code"]))
    return {
        "invoiceGuid": invoice["guid"],
        "rowType": row_type,
        "category": category,
        "code": list(codes) or None,
        "description": asked.description or first.get("name"),
        "quantity": float(exact(quantity)),
        "unitPrice": money(exact(asked.price), invoice["currency"]["code"]),
        "measurementUnit": asked.unit if asked.unit is not None else _unit(asked, first, unit),
        "vatRate": None if asked.vat is None else float(exact(asked.vat)),
        "sortOrder": place,
        "salesAccount": _row_account(world, asked, first),
        "recurringSalesAccount": None,
        "vatAccount": None,
        "salesReceivableAccount": None,
        "costCenter": _row_cost_center(world, asked),
        "flatRateGuid": None,
        "hasInvoiceComment": False,
    }


def _unit(asked: Row, article: Record, usual: str | None) -> str | None:
    if asked.kind == "hours" or not article:
        return usual
    return article.get("measurementUnit")


def _row_account(world: World, asked: Row, article: Record) -> Record | None:
    key = asked.sales_account or (article.get("salesAccount") or {}).get("guid")
    if key is None:
        return None
    return world.view(views.row_account, world.need("salesaccounts", key))


def _row_cost_center(world: World, asked: Row) -> Record | None:
    if asked.cost_center is None:
        return None
    found = world.need("costcenters", asked.cost_center)
    return world.view(views.row_cost_center, found)
