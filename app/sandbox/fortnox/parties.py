"""Customers, suppliers and articles, with the rules of each."""

import re
from typing import Any

from app.sandbox.fortnox import errors
from app.sandbox.fortnox.books import Books
from app.sandbox.fortnox.chart import COUNTRIES
from app.sandbox.fortnox.documents import Document, number
from app.sandbox.fortnox.errors import Refused
from app.sandbox.fortnox.lists import Listing, columns, named, text, truth
from app.sandbox.fortnox.party_fields import (
    ARTICLE,
    ARTICLE_ITEM,
    CUSTOMER,
    CUSTOMER_ITEM,
    SUPPLIER,
    SUPPLIER_ITEM,
)
from app.sandbox.fortnox.registers import Register

VAT_NUMBER = re.compile(r"[A-Z]{2}[0-9A-Z+*]{2,13}")
ACTIVITY = named(
    {"active": lambda each: each["Active"], "inactive": lambda each: not each["Active"]}
)


def _customer(books: Books, customer: Document, patch: dict[str, Any]) -> None:
    books.check_references(patch)
    code = customer["CustomerNumber"]
    if code in books.used_customer_numbers and code not in books.shelves["customers"]:
        raise Refused(
            errors.CUSTOMER_TAKEN,
            f"Kundnummer {code} används redan. Kundnumret har redan använts men blivit raderat.",
        )
    _countries(customer)
    vat_number = customer["VATNumber"].replace(" ", "")
    if customer["VATType"].startswith("EU") and vat_number and not VAT_NUMBER.fullmatch(vat_number):
        raise Refused(errors.BAD_VAT_NUMBER, "Ogiltigt VAT-nummer")
    if patch.get("SalesAccount"):
        books.check_account(patch["SalesAccount"])
    customer["TermsOfPayment"] = customer["TermsOfPayment"] or "30"
    books.used_customer_numbers.add(code)


def _countries(party: Document) -> None:
    for prefix in ("", "Delivery", "Visiting"):
        code = party.get(f"{prefix}CountryCode")
        if f"{prefix}Country" in party:
            party[f"{prefix}Country"] = COUNTRIES.get(code, code) if code else None


def _check_customer_unused(books: Books, customer: Document, _: dict[str, Any]) -> None:
    if books.options.delete_customer_with_invoices:
        return
    code = customer["CustomerNumber"]
    if any(each["CustomerNumber"] == code for each in books.shelves["invoices"].values()):
        raise Refused(errors.IN_USE, "Kunden används i dokument och kan inte tas bort.")


CUSTOMERS = Register(
    "customers",
    "Customer",
    "CustomerNumber",
    CUSTOMER,
    Listing(
        "Customers",
        columns(CUSTOMER_ITEM),
        {
            "filter": ACTIVITY,
            "customernumber": text("CustomerNumber"),
            "name": text("Name"),
            "zipcode": text("ZipCode"),
            "city": text("City"),
            "email": text("Email"),
            "phone": text("Phone1"),
            "organisationnumber": text("OrganisationNumber"),
            "gln": text("GLN"),
            "glndelivery": text("GLNDelivery"),
        },
        {"customernumber": "CustomerNumber", "name": "Name"},
    ),
    missing=(errors.NO_CUSTOMER, "Kan inte hitta kunden."),
    taken=(errors.CUSTOMER_TAKEN, "Kundnummer {} används redan."),
    topic="customers",
    event="customer",
    prepare=_customer,
    check_delete=_check_customer_unused,
)


def _supplier(books: Books, supplier: Document, patch: dict[str, Any]) -> None:
    books.check_references(patch)
    _countries(supplier)
    supplier["TermsOfPayment"] = supplier["TermsOfPayment"] or "30"


SUPPLIERS = Register(
    "suppliers",
    "Supplier",
    "SupplierNumber",
    SUPPLIER,
    Listing(
        "Suppliers",
        columns(SUPPLIER_ITEM),
        {
            "filter": ACTIVITY,
            "suppliernumber": text("SupplierNumber"),
            "name": text("Name"),
            "organisationnumber": text("OrganisationNumber"),
            "email": text("Email"),
        },
        {"suppliernumber": "SupplierNumber", "name": "Name"},
    ),
    missing=(errors.NO_SUPPLIER, "Kan inte hitta leverantören."),
    topic="suppliers",
    event="supplier",
    prepare=_supplier,
)


def _article(books: Books, article: Document, patch: dict[str, Any]) -> None:
    books.check("units", patch.get("Unit"), errors.NO_UNIT, "Kan inte hitta enheten.")
    books.check_vat_rate(article["VAT"])
    for name, title in (("PurchaseAccount", "Inköpskonto"), ("SalesAccount", "Försäljningskonto")):
        account = str(article[name])
        if article[name] and account not in books.shelves["accounts"]:
            raise Refused(
                errors.NO_DEFAULT_ACCOUNT,
                f'{title} inte uppdaterat. Kontot "{account}" existerar inte. ({name})',
            )
    article["StockGoods"] = patch.get("StockGoods", article["StockGoods"])


def _article_item(article: dict[str, Any]) -> dict[str, Any]:
    """Amounts are strings in the list, and VAT says 25 whatever it is."""
    item = columns(ARTICLE_ITEM)(article)
    for name in ("DisposableQuantity", "PurchasePrice", "ReservedQuantity", "StockValue"):
        item[name] = str(number(item[name]))
    price = item["SalesPrice"]
    return item | {"VAT": "25", "SalesPrice": "0" if price is None else str(number(price))}


ARTICLES = Register(
    "articles",
    "Article",
    "ArticleNumber",
    ARTICLE,
    Listing(
        "Articles",
        _article_item,
        {
            "filter": ACTIVITY,
            "articlenumber": text("ArticleNumber"),
            "description": text("Description"),
            "ean": text("EAN"),
            "suppliernumber": text("SupplierNumber"),
            "manufacturer": text("Manufacturer"),
            "manufacturerarticlenumber": text("ManufacturerArticleNumber"),
            "webshop": truth("WebshopArticle"),
        },
        {
            "articlenumber": "ArticleNumber",
            "quantityinstock": "QuantityInStock",
            "reservedquantity": "ReservedQuantity",
            "stockvalue": "StockValue",
        },
    ),
    missing=(errors.NO_ARTICLE, "Kan inte hitta artikeln."),
    taken=(errors.ARTICLE_TAKEN, "Artikelnumret {} används redan."),
    topic="articles",
    event="article",
    prepare=_article,
)
