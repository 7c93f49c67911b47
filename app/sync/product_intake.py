"""Products, Fortnox → Severa: articles with a numeric number become products.

A service is own work in Severa (FixedFees), what is kept in stock is bought (Materials): the type
decides there under which heading sales are reported, and Fortnox says no more about it.
"""

import json
from decimal import Decimal
from functools import partial
from typing import Any

from app.calls import to_json
from app.effects import Intent
from app.errors import Blocked, Missing, NothingToDo, because
from app.fortnox import schemas as fortnox
from app.fortnox.text import cut
from app.links import Link
from app.severa import schemas as severa
from app.severa.client import ARTICLE_REGISTERS
from app.sync.article_names import key_of, only_one_with, same_name
from app.sync.intake import Intake, Payload, take_in
from app.sync.meeting import meet
from app.sync.seen import digest
from app.sync.sides import Sides
from app.sync.writing import change
from app.waiting import changed_key
from app.worklist import Item

KNOWN_TO = {
    "product": {"name", "isActive", "measurementUnit", "vatRate", "unitPrice", "salesAccount"},
    "work_type": {"name", "isActive"},
    "travel_expense_type": {"name", "isActive", "measurementUnit", "vatRate"},
}


def sync(sides: Sides, item: Item) -> Link:
    """`item.key`: `fortnox:<ArticleNumber>`."""
    number = item.key.removeprefix("fortnox:")
    meet(sides, item, f"product#{number}")
    try:
        theirs = sides.fortnox.article(number)
    except Missing as error:
        raise NothingToDo(because("fortnox_record_gone", kind="product")) from error
    name = theirs.description or number
    if not number.isascii() or not number.isdigit():
        raise NothingToDo(because("article_number_not_numeric", number=number, product=name))
    record = translate(theirs)
    intake = Intake(
        "product",
        number,
        name,
        record,
        sides.document.product_master,
        taken=because("product_code_shared", number=number, names=name),
        payload=lambda: _fields(sides, {"code": number, "type": _type(theirs)} | record),
        look=partial(_look, sides, number),
        make=lambda payload: f"product:{sides.severa.create_product(payload).guid.lower()}",
        complete=lambda _made: None,
        alter=partial(_alter, sides, item),
        seen=lambda key: digest(_read(sides, key)),
    )
    return take_in(sides, item, intake)


def translate(theirs: fortnox.Article) -> Payload:
    """What Severa is to know of the article, in words; a price of zero is none."""
    record = {
        "name": theirs.description or theirs.article_number,
        "isActive": theirs.active and not theirs.expired,
        "measurementUnit": theirs.unit,
        "vatRate": _number(theirs.vat),
        "unitPrice": _number(theirs.sales_price) if theirs.sales_price else None,
        "salesAccount": theirs.sales_account,
    }
    return {field: value for field, value in record.items() if value is not None}


def _number(value: Any) -> str | None:
    return None if value is None else f"{value.normalize():f}"


def _type(theirs: fortnox.Article) -> str:
    return "Materials" if theirs.type == "STOCK" else "FixedFees"


def _look(sides: Sides, number: str, name: str) -> str | None:
    """The record of Severa with this code and name; Blocked where only one of them is the same."""
    found = only_one_with(sides, number)
    if found is None:
        _refuse_taken_name(sides, number, name)
        return None
    register, article = found
    if not same_name(article.name, name):
        raise Blocked(
            because("product_conflict", number=number, severa=article.name, fortnox=name),
            waits_for=changed_key("product", key_of(register, article)),
        )
    return key_of(register, article)


def _refuse_taken_name(sides: Sides, number: str, name: str) -> None:
    for register in ARTICLE_REGISTERS:
        for one in sides.severa.all_articles(register):
            if same_name(one.name, name):
                raise Blocked(
                    because(
                        "product_name_conflict",
                        name=name,
                        severa=one.code or "–",
                        fortnox=number,
                    ),
                    waits_for=changed_key("product", key_of(register, one)),
                )


def _alter(sides: Sides, item: Item, key: str, before: Payload, now: Payload) -> bool:
    """Writes what Severa has otherwise, of what that register knows."""
    register, _, guid = key.partition(":")
    current = _read(sides, key)
    values = {
        name: now.get(name)
        for name in {**before, **now}
        if name in KNOWN_TO[register] and _current(current)[name] != now.get(name)
    }
    fields = _fields(sides, values, for_patch=True)
    if not fields:
        return False
    intent = Intent(
        sides.name, item.id, "severa", "update_product", f"product:{guid}", fields, creates=False
    )
    change(sides, intent, lambda: sides.severa.change_article(register, guid, fields))
    return True


def _current(article: severa.Article) -> Payload:
    """What Severa has, as Fortnox would have it."""
    price = article.unit_price.amount if article.unit_price else None
    return {
        "name": cut(article.name, 200),
        "isActive": article.is_active is not False,
        "measurementUnit": cut(article.measurement_unit, 20),
        "vatRate": _number(article.vat_rate),
        "unitPrice": _number(price) if price else None,
        "salesAccount": article.sales_account.number if article.sales_account else None,
    }


def _fields(sides: Sides, record: Payload, *, for_patch: bool = False) -> Payload:
    """As Severa is told it; a sales account that Severa does not have is left alone."""
    fields = dict(record)
    if fields.get("vatRate") is not None:
        fields["vatRate"] = _sent(fields["vatRate"])
    if fields.get("unitPrice") is not None:
        fields["unitPrice"] = {"amount": _sent(fields["unitPrice"]), "currencyCode": "SEK"}
    account = _accounts(sides).get(fields.pop("salesAccount", None) or "")
    if account:
        fields |= (
            {"salesAccount/guid": account} if for_patch else {"salesAccount": {"guid": account}}
        )
    return fields


def _sent(number: str) -> Any:
    return json.loads(to_json(Decimal(number)))


def _accounts(sides: Sides) -> dict[str, str]:
    """GUIDs of the sales accounts in use, by number."""
    return sides.registers.get(
        "sales_accounts",
        lambda: {
            one.number: one.guid
            for one in sides.severa.sales_accounts()
            if one.number and one.is_active
        },
    )


def _read(sides: Sides, key: str) -> severa.Article:
    register, _, guid = key.partition(":")
    return sides.severa.article(register, guid)
