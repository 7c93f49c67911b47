"""What every Swedish organisation in Severa has from its first day."""

from app.sandbox.severa import guids, views
from app.sandbox.severa.guids import fixed
from app.sandbox.severa.registers import STATUS_FLAGS
from app.sandbox.severa.veil import Record
from app.sandbox.severa.world import World

CURRENCIES = [
    ("SEK", "Svensk krona", "kr", 1.0),
    ("EUR", "Euro", "€", 11.45),
    ("NOK", "Norsk krona", "kr", 0.98),
    ("DKK", "Dansk krona", "kr", 1.53),
    ("USD", "Amerikansk dollar", "$", 10.6),
    ("GBP", "Brittiskt pund", "£", 13.4),
    ("CHF", "Schweizisk franc", "CHF", 12.1),
]
LANGUAGES = [
    ("sv", "svenska", "Swedish"),
    ("en", "engelska", "English"),
    ("nb", "norska", "Norwegian"),
    ("da", "danska", "Danish"),
    ("fi", "finska", "Finnish"),
    ("de", "tyska", "German"),
]
COUNTRIES = [
    ("SE", "SWE", "Sverige", "Sweden", True, "SEK", "sv"),
    ("NO", "NOR", "Norge", "Norway", False, "NOK", "nb"),
    ("DK", "DNK", "Danmark", "Denmark", True, "DKK", "da"),
    ("FI", "FIN", "Finland", "Finland", True, "EUR", "fi"),
    ("DE", "DEU", "Tyskland", "Germany", True, "EUR", "de"),
    ("NL", "NLD", "Nederländerna", "Netherlands", True, "EUR", "en"),
    ("GB", "GBR", "Storbritannien", "United Kingdom", False, "GBP", "en"),
    ("US", "USA", "USA", "United States", False, "USD", "en"),
    ("CH", "CHE", "Schweiz", "Switzerland", False, "CHF", "de"),
]
VAT_RATES = [(25.0, "MP1", True), (12.0, "MP2", False), (6.0, "MP3", False), (0.0, "MF", False)]
STATUSES = [
    (guids.DRAFT, "Utkast", {"isDefault"}),
    (
        guids.TRANSFER,
        "Klar för Fortnox",
        {"isReadOnly", "hasInvoiceNumber", "isDefaultForCreditNote"},
    ),
    (
        guids.RECEIVED,
        "Mottagen i Fortnox",
        {"isReadOnly", "hasInvoiceNumber", "isSent", "isWaitingPayment"},
    ),
    (guids.PAID, "Betald", {"isReadOnly", "hasInvoiceNumber", "isSent", "isPaid"}),
    (guids.ERROR, "Fel i överföringen", {"hasInvoiceNumber"}),
]
USERS = [(guids.USER, "Anna", "Lind", "AL"), (guids.SECOND_USER, "Erik", "Berg", "EB")]


def furnish(world: World) -> None:
    _users(world)
    _places(world)
    _invoicing(world)
    _progress(world)
    world.details = _details(world)
    world.settings = _settings()


def _users(world: World) -> None:
    for guid, first, last, code in USERS:
        name = {"name": f"{first} {last}", "firstName": first, "lastName": last}
        world.insert("users", {"guid": guid, **name, "code": code, "isActive": True})
    world.author = world.view(views.person, world.need("users", guids.USER))


def _places(world: World) -> None:
    for place, (code, name, symbol, rate) in enumerate(CURRENCIES, 1):
        record: Record = {
            "guid": fixed("c0", place),
            "code": code,
            "name": name,
            "symbol": symbol,
        }
        record.update(rate=rate, isActive=True, isOrganizationCurrency=code == "SEK")
        world.insert("currencies", record)
    for place, (code, name, english) in enumerate(LANGUAGES, 1):
        record = {"guid": fixed("1b", place), "code": code, "name": name, "englishName": english}
        world.insert("languages", {**record, "isInvoiceLanguage": True}, stamped=False)
    for place, country in enumerate(COUNTRIES, 1):
        code2, code3, name, english, in_eu, currency, language = country
        record = {"guid": fixed("cc", place), "code2": code2, "code3": code3}
        record.update(name=name, englishName=english, isInEU=in_eu, hasRegions="NoRegion")
        money = world.view(views.currency, world.need("currencies", currency))
        spoken = world.view(views.named, world.need("languages", language))
        record.update(currency=money, defaultLanguage=spoken, defaultCulture=None, timezone=None)
        record.update(companyRegisterUrl=None, isRegistrationCountry=code2 == "SE")
        world.insert("countries", record, stamped=False)


def _invoicing(world: World) -> None:
    sweden = world.need("countries", "SE")["guid"]
    for percentage, code, is_default in VAT_RATES:
        record = {"guid": fixed("7a", int(percentage)), "percentage": percentage, "code": code}
        record.update(countryGuid=sweden, isActive=True, isDefault=is_default)
        world.insert("vatrates", record)
    for order, (guid, name, flags) in enumerate(STATUSES, 1):
        record = {"guid": guid, "name": name, "sortOrder": order, "isActive": True}
        world.insert("invoicestatuses", record | {flag: flag in flags for flag in STATUS_FLAGS})


def _progress(world: World) -> None:
    for order, (state, name) in enumerate(
        [("InProgress", "Pågående"), ("Won", "Vunnen"), ("Lost", "Förlorad")], 1
    ):
        record: Record = {"guid": fixed("5a", order), "name": name, "salesState": state}
        record["isActive"] = True
        world.insert("salesstatustypes", record)
    for order, name in enumerate(["Pågår", "Avslutat"], 1):
        kind = {"guid": fixed("9a", order), "name": name, "sortOrder": order, "isActive": True}
        world.insert("projectstatustypes", kind)


def _details(world: World) -> Record:
    sweden, krona = world.need("countries", "SE"), world.need("currencies", "SEK")
    swedish = world.need("languages", "sv")
    country = {"guid": sweden["guid"], "code": "SE", "name": "Sverige", "englishName": "Sweden"}
    return {
        "guid": guids.ORGANIZATION,
        "name": "Konsult AB",
        "vatNumber": "SE559900112201",
        "address": "Kungsgatan 5",
        "postalCode": "411 19",
        "city": "Göteborg",
        "country": country,
        "currency": views.currency(krona),
        "language": {"guid": swedish["guid"], "code": "sv", "name": "svenska"},
        "isVatRegistered": True,
        "activeAddons": [],
        "activeCompanies": [_company(sweden, krona)],
        **dict.fromkeys(("eInvoiceAddress", "eInvoiceOperatorCode", "fax", "kvkNumber", "phone")),
        **dict.fromkeys(("formatting", "odpCompany", "registeredOffice", "timezone")),
        "termsOfServiceApprover": None,
    }


def _company(country: Record, currency: Record) -> Record:
    shown = {name: country[name] for name in ("guid", "name", "englishName", "code3")}
    return {
        "guid": guids.COMPANY,
        "name": "Konsult AB",
        "country": shown,
        "currencyCode": currency["code"],
        "currencyGuid": currency["guid"],
        "currencyRate": 1.0,
        "currencySymbol": currency["symbol"],
        "rootBusinessUnitGuid": None,
    }


def _settings() -> Record:
    return {
        "nextInvoiceNumber": 2077,
        "lastInvoiceNumber": 2076,
        "nextCustomerNumber": 1042,
        "lastCustomerNumber": 1041,
        "nextProjectNumber": 3001,
        "lastProjectNumber": 3000,
        "nextTravelReimbursementNumber": 1,
        "paymentTerm": 30,
        "overdueInterest": 8.0,
        "currencyRoundingType": "AwayFromZero",
        "paymentReferenceNumberDisplaySetting": "ReferenceNumber",
        "projectNameDisplayFormatSetting": "ProjectNamePhaseName",
        "projectNameDisplaySetting": "ShowProjectLongName",
        "quickSearchSetting": "ShowOpenProjectsSalesCasesAndCustomers",
        "workHourEntryFormat": "Quantity",
        "workHourApprovalMode": "None",
        "workWeek": ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday"],
        "displayProjectNumber": True,
        "isAddingNewKeywordsFromProjectAllowed": False,
        "isCustomerSearchAllowed": True,
        "isEnteringHourPlannedInvoiceQuantityAllowed": False,
        "isIdenticalPhaseCodesAllowed": True,
        "isTravelExpenseImmediatelyInvoiceable": True,
        "isWorkHourDescriptionMandatory": False,
    }
