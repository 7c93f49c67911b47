"""What there is one of: the company, its settings, the signed-in user; and the price list."""

from decimal import Decimal
from typing import Any

from app.sandbox.fortnox import errors
from app.sandbox.fortnox.books import Books
from app.sandbox.fortnox.calls import Answer, Call, created, no_such_method
from app.sandbox.fortnox.documents import Document, words
from app.sandbox.fortnox.errors import Refused
from app.sandbox.fortnox.lists import Listing, columns
from app.sandbox.fortnox.register_fields import PRICE

ADDRESS = "Address City CountryCode VisitAddress VisitCity VisitCountryCode VisitZipCode ZipCode"
SETTINGS = words(
    "Address BG BIC BranchCode City ContactFirstName ContactLastName Country"
    " CountryCode DatabaseNumber Domicile Email Fax IBAN Name OrganizationNumber PG"
    " Phone1 Phone2 TaxEnabled VATNumber VisitAddress VisitCity VisitCountry"
    " VisitCountryCode VisitName VisitZipCode WWW ZipCode"
)


def handle_information(call: Call) -> Answer:
    books = call.books
    found = {name: books.company.get(name, "") for name in ADDRESS.split()}
    found |= {
        "DatabaseNumber": int(books.tenant_id),
        "CompanyName": books.name,
        "OrganizationNumber": books.company["OrganizationNumber"],
    }
    return _only_get(call, {"CompanyInformation": found})


def handle_settings(call: Call) -> Answer:
    books = call.books
    if call.path[1:] == ["company"]:
        settings = {name: books.company.get(name, "") for name in SETTINGS}
        settings |= {"DatabaseNumber": books.tenant_id, "Name": books.name, "TaxEnabled": True}
        return _only_get(call, {"CompanySettings": settings})
    if call.path[1:] == ["lockedperiod"]:
        until = books.locked_until
        if until is None and books.options.empty_locked_period == "absent":
            return _only_get(call, {"LockedPeriod": {}})
        return _only_get(call, {"LockedPeriod": {"EndDate": until and until.isoformat()}})
    raise errors.missing(errors.NO_SUCH_PATH, "Kan inte hitta resursen.")


def handle_me(call: Call) -> Answer:
    me = {
        "Id": "1",
        "Name": "Eva Ek",
        "Email": "eva.ek@example.com",
        "SysAdmin": True,
        "Locale": "sv_SE",
    }
    return _only_get(call, {"MeInformation": me})


def _only_get(call: Call, body: dict[str, Any]) -> Answer:
    if call.method != "GET":
        raise no_such_method()
    return Answer(200, body)


PRICES = Listing("Prices", columns("@url ArticleNumber FromQuantity Price PriceList"))
NO_PRICE = (errors.NO_PRICE, "Kan inte hitta priset.")


def price_key(price_list: str, article: str, from_quantity: str = "0") -> str:
    return f"{price_list}/{article}/{from_quantity}"


def set_price(books: Books, payload: Any, key: str = "") -> Document:
    """List A from quantity 0 is also the article's SalesPrice."""
    patch = PRICE.read(payload, books.options)
    if not key:
        PRICE.require(PRICE.blank() | patch)
    price = books.shelves["prices"].get(key) or books.new(PRICE.blank())
    if not key:
        price.update(patch)
        quantity = f"{price['FromQuantity'].normalize():f}"
        key = price_key(price["PriceList"], price["ArticleNumber"], quantity)
    if price["ArticleNumber"] not in books.shelves["articles"]:
        raise Refused(errors.NO_ARTICLE, "Kan inte hitta artikeln.")
    books.check_references(price)
    books.change(price)
    price.update({name: patch[name] for name in ("Price", "Percent") if name in patch})
    price["Date"] = books.now().strftime("%Y-%m-%d %H:%M:%S")
    price["@url"] = books.url("prices", *key.split("/"))
    books.shelves["prices"][key] = price
    _show_on_article(books, price, key)
    return price


def _show_on_article(books: Books, price: Document, key: str) -> None:
    if key == price_key("A", price["ArticleNumber"]):
        article = books.shelves["articles"][price["ArticleNumber"]]
        books.change(article)
        article["SalesPrice"] = Decimal(price["Price"])
        books.signal("articles", "article-updated", price["ArticleNumber"])


def handle_prices(call: Call) -> Answer:
    shelf = call.books.shelves["prices"]
    match (call.method, call.path[1:]):
        case ("POST", []):
            return created("prices", {"Price": set_price(call.books, call.wrapped("Price"))})
        case ("GET", []):
            return PRICES.answer(call, shelf.values())
        case ("GET", ["sublist", price_list, article]):
            start = price_key(price_list, article, "")
            return PRICES.answer(call, (shelf[key] for key in shelf if key.startswith(start)))
        case ("GET" | "PUT" | "DELETE", [price_list, article, *quantity]) if len(quantity) < 2:
            return _one_price(call, price_key(price_list, article, *quantity))
    raise no_such_method()


def _one_price(call: Call, key: str) -> Answer:
    price = call.books.find("prices", key, *NO_PRICE)
    if call.method == "PUT":
        set_price(call.books, call.wrapped("Price"), key)
    elif call.method == "DELETE":
        del call.books.shelves["prices"][key]
        return Answer(204)
    return Answer(200, {"Price": price})
