"""Every code a vendor can answer with: what becomes of the record, and what people read about it.

The numbers are all that are known of Fortnox's, the words all of Severa's. What is `AS_IT_IS` has
no reason of its own: nothing that we send is answered so, and should it be, its words are shown.
"""

import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from app import connections
from app.errors import Reason
from app.reasons import explain
from app.sandbox.chaos import Fault
from app.sandbox.fortnox import errors
from app.sandbox.severa import TRANSFER
from app.sandbox.severa.problems import STATUS, Problem
from app.sync import refusals
from tests import canaries
from tests.installation import Addresses
from tests.servers import RedisServer
from tests.workshop import Workshop, long_shop

pytestmark = pytest.mark.xdist_group("refusals")  # made once, for all of them

AS_IT_IS = ("blocked", "vendor_refused")
LATER = ("waiting", "vendor_system_error")
LOCKED = ("waiting", "fortnox_record_in_use")
OURS = ("blocked", "our_request_refused")
TAX_REDUCTION = ("blocked", "fortnox_tax_reduction_refused")
VALUE = ("blocked", "fortnox_value_refused")
WAREHOUSE = ("blocked", "fortnox_warehouse_refused")
DEFAULT = ("blocked", "fortnox_default_missing")
PREDEFINED = ("blocked", "fortnox_predefined_account_missing")

FORTNOX = {
    1000003: LATER,
    1000030: OURS,
    1000031: OURS,
    2000013: ("blocked", "fortnox_article_taken"),
    2000106: VALUE,
    2000107: ("blocked", "fortnox_value_too_long"),
    2000108: VALUE,
    2000134: VALUE,
    2000204: ("blocked", "fortnox_customer_missing"),
    2000310: LOCKED,  # a login that is refused altogether has a test of its own
    2000311: ("stopped", "fortnox_login_refused"),
    2000359: ("blocked", "fortnox_characters_refused"),
    2000401: ("blocked", "fortnox_period_locked"),
    2000423: ("blocked", "fortnox_account_missing"),
    2000427: ("blocked", "fortnox_currency_missing"),
    2000428: ("blocked", "fortnox_article_missing"),
    2000429: ("blocked", "fortnox_terms_missing"),
    2000430: DEFAULT,
    2000431: DEFAULT,
    2000432: ("blocked", "fortnox_unit_missing"),
    2000433: ("blocked", "fortnox_customer_missing"),
    2000434: ("blocked", "fortnox_invoice_missing"),
    2000435: DEFAULT,
    2000439: AS_IT_IS,  # an order; nothing of ours is one
    2000550: ("blocked", "fortnox_account_inactive"),
    2000587: OURS,
    2000588: OURS,
    2000600: TAX_REDUCTION,
    2000637: ("blocked", "fortnox_customer_number_taken"),
    2000663: ("stopped", "fortnox_scope_missing"),
    2000719: ("stopped", "fortnox_login_refused"),
    2000729: ("stopped", "fortnox_login_refused"),
    2000755: AS_IT_IS,  # a supplier invoice that does not balance; we write none
    2001101: ("stopped", "fortnox_licence_missing"),
    2001103: ("stopped", "fortnox_licence_missing"),
    2001161: ("blocked", "fortnox_project_missing"),
    2001265: ("blocked", "fortnox_account_inactive"),
    2001302: ("blocked", "fortnox_article_missing"),
    2001304: ("blocked", "fortnox_account_missing"),
    2001392: OURS,
    2001393: ("stopped", "fortnox_right_missing"),
    2001399: OURS,
    2001403: PREDEFINED,
    2001740: OURS,
    2001795: ("blocked", "fortnox_detail_missing"),
    2002115: OURS,
    2002455: ("stopped", "fortnox_right_missing"),
    2002462: ("blocked", "fortnox_account_number_refused"),
    2002980: TAX_REDUCTION,
    2003095: PREDEFINED,
    2003115: AS_IT_IS,  # rows of a supplier invoice; we write none
    2003124: WAREHOUSE,
    2003125: WAREHOUSE,
    2003126: WAREHOUSE,
    2003127: WAREHOUSE,
    2003157: TAX_REDUCTION,
    2003241: WAREHOUSE,
    2003275: ("stopped", "fortnox_right_missing"),
    2003277: WAREHOUSE,
    2003399: WAREHOUSE,
    2003977: ("blocked", "fortnox_row_incomplete"),
    2004021: TAX_REDUCTION,
    2004052: ("blocked", "fortnox_vat_refused"),
    2004054: ("stopped", "fortnox_login_refused"),
    2004167: ("blocked", "fortnox_vat_refused"),
    2004194: ("blocked", "fortnox_vat_number_refused"),
    2004209: TAX_REDUCTION,
    2004217: TAX_REDUCTION,
    2004218: TAX_REDUCTION,
    2004262: TAX_REDUCTION,
    2004263: TAX_REDUCTION,
    2009999: AS_IT_IS,  # one that nobody has heard of
}
NOT_FOUND = {2001161, *range(2000423, 2000440)}
SEVERA = {
    "AddonMissing": ("stopped", "severa_addon_missing"),
    "AddonMissingTermsOfServiceApproval": ("stopped", "severa_terms_not_approved"),
    "AuthenticationRequired": ("stopped", "token_refused"),
    "ConfigurationError": ("blocked", "severa_configuration_refused"),
    "ExcludedFromTrial": ("stopped", "severa_trial_refused"),
    "FeatureIsNotEnabled": ("stopped", "severa_addon_missing"),
    "HttpsRequired": ("stopped", "severa_address_refused"),
    "InsufficientApiScope": ("stopped", "severa_scope_missing"),
    "InternalSystemError": LATER,
    "InvalidApiVersion": ("stopped", "severa_address_refused"),
    "InvalidOperation": ("blocked", "severa_operation_refused"),
    "InvalidParameter": ("blocked", "severa_value_refused"),
    "InvalidRecaptcha": AS_IT_IS,  # of a person who logs in
    "InvalidRequest": OURS,
    "NotAvailableInTrial": ("stopped", "severa_trial_refused"),
    "OrganizationNotActive": ("stopped", "severa_organization_inactive"),
    "PermissionDenied": ("stopped", "severa_permission_denied"),
    "TermsOfServiceNotApproved": ("stopped", "severa_terms_not_approved"),
    "TrialExpired": ("stopped", "severa_organization_inactive"),
    "UserLicenseType": ("stopped", "severa_permission_denied"),
    "SomethingNew": AS_IT_IS,
}
# Texts that are known, with a code that is not.
FORTNOX_WORDS = {
    "Kunde inte hämta kostnadsställe.": ("blocked", "fortnox_cost_center_missing"),
    "Räkenskapsår saknas för 2031-01-01.": ("blocked", "fortnox_financial_year_missing"),
    "Bokföringsår saknas.": ("blocked", "fortnox_financial_year_missing"),
    "Kunde inte hitta moms 24 %.": ("blocked", "fortnox_vat_refused"),
    "Kunde inte hämta moms.": ("blocked", "fortnox_vat_refused"),
    "Inköpskonto inte uppdaterat. Kontot 4000 existerar inte.": (
        "blocked",
        "fortnox_account_missing",
    ),
    "Försäljningskonto inte uppdaterat. Kontot 3041 existerar inte.": (
        "blocked",
        "fortnox_account_missing",
    ),
    "Kunde inte hitta leveranssätt.": DEFAULT,
    "Projektredovisning är inte aktiverad.": ("blocked", "fortnox_project_accounting_off"),
    "Ogiltig rabatt. Får inte överstiga 100 %": AS_IT_IS,
}
IN_TWO_WAYS = 2000310
NEW_INVOICE = "/3/invoices$"
OUTAGE = timedelta(minutes=6)  # by then it has been asked whether the vendor answers again


@pytest.fixture(scope="module")
def shop(
    migrated: Path,
    shared_redis: RedisServer,
    homes: Addresses,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Workshop]:
    """One for all of them, whose customer, project and product are carried over."""
    folder = tmp_path_factory.mktemp("refusals")
    with long_shop(migrated, shared_redis, homes, folder) as opened:
        opened.look_at("invoice", order(opened))
        yield opened


@pytest.fixture(scope="module")
def held(shop: Workshop) -> str:
    """An invoice for all that is blocked and goes on when a person says so: to save time."""
    shop.partners.fortnox.chaos.faults.append(Fault("refuse", NEW_INVOICE, "POST", status=400))
    guid = order(shop)
    shop.look_at("invoice", guid)
    assert shop.outcome("invoice", guid) == AS_IT_IS
    return guid


def order(shop: Workshop) -> str:
    guid: str = shop.partners.severa.add_simple_invoice()["guid"]
    shop.partners.severa.set_status(guid, TRANSFER)
    return guid


def standing(shop: Workshop, guid: str) -> tuple[str, str | None]:
    """As in the tables above: a stopped connection takes its records with it."""
    state, code = shop.outcome("invoice", guid)
    with shop.hall.db.reading() as tx:
        return ("stopped" if connections.is_stopped(tx, shop.name) else state), code


def reads_well(reason: Reason, words: str) -> None:
    for language in ("sv", "en"):
        told = explain(reason, language)
        shown = f"{told.message} {told.next_step}"
        assert words.rstrip(".") in shown
        assert "?" not in shown.replace(words, "")
        assert canaries.found_in(shown) == []
        assert told.next_step or "av sig självt" in shown or "automatically" in shown


def said_by(shop: Workshop, guid: str) -> Reason:
    kept = shop.row("invoice", guid).reason
    return Reason(kept["code"], kept["facts"])


def met_by(shop: Workshop, held: str, end: tuple[str, str]) -> str:
    """The invoice that meets the fault: one of its own where it goes on by itself at once."""
    if end[0] != "waiting":
        shop.retry("invoice", held)
        return held
    guid = order(shop)
    shop.hear_of("invoice", guid)
    shop.process.crank.turn()
    return guid


def goes_on(shop: Workshop, guid: str) -> None:
    """By itself, as soon as the vendor is asked again and has nothing against it; once in all."""
    for _ in range(2):  # what may have gone through is looked for first
        shop.clock.move_on(OUTAGE)
        shop.run()
    assert shop.outcome("invoice", guid) == ("done", None)
    assert shop.partners.invoices_by_reference()[f"severa:{guid}"] == 1


def leaves_in_order(shop: Workshop, guid: str, end: tuple[str, str]) -> None:
    if end[0] == "waiting":
        return goes_on(shop, guid)
    with shop.hall.db.transaction() as tx:
        connections.resume(tx, shop.name, shop.clock())
    assert f"severa:{guid}" not in shop.partners.invoices_by_reference()
    return None


def of_fortnox(shop: Workshop, held: str, code: int, words: str, end: tuple[str, str]) -> None:
    status = 404 if code in NOT_FOUND else 500 if code == errors.SYSTEM_ERROR else 400
    body = json.dumps(errors.Refused(code, words, status).body())
    fault = Fault("refuse", NEW_INVOICE, "POST", status=status, body=body)
    shop.partners.fortnox.chaos.faults[:] = [fault]
    guid = met_by(shop, held, end)
    assert standing(shop, guid) == end
    assert said_by(shop, guid).facts["code"] == str(code)
    reads_well(said_by(shop, guid), words)
    leaves_in_order(shop, guid, end)


@pytest.mark.parametrize("code", FORTNOX)
def test_a_code_of_fortnox(shop: Workshop, held: str, code: int) -> None:
    of_fortnox(shop, held, code, f"Fortnox förklarar {code} med egna ord.", FORTNOX[code])


@pytest.mark.parametrize("words", FORTNOX_WORDS)
def test_a_text_of_fortnox_whose_code_nobody_knows(shop: Workshop, held: str, words: str) -> None:
    of_fortnox(shop, held, errors.MADE_UP, words, FORTNOX_WORDS[words])


@pytest.mark.parametrize("kind", SEVERA)
def test_a_type_of_severa(shop: Workshop, held: str, kind: str) -> None:
    words, end = f"Severa explains {kind} in its own words.", SEVERA[kind]
    problem = Problem(kind, words, status=STATUS.get(kind, 400))
    body = bytes(problem.response().body).decode()
    fault = Fault("refuse", "/invoices/", "GET", status=problem.status, body=body, times=None)
    shop.partners.severa.chaos.faults[:] = [fault]
    guid = met_by(shop, held, end)
    fault.times = 0
    assert standing(shop, guid) == end
    assert said_by(shop, guid).facts["code"] == kind
    reads_well(said_by(shop, guid), words)
    leaves_in_order(shop, guid, end)


@pytest.mark.parametrize(("system", "path"), [("fortnox", NEW_INVOICE), ("severa", "/invoices/")])
def test_what_stopped_the_connection_goes_on_by_itself(
    shop: Workshop, system: str, path: str
) -> None:
    """When the vendor, asked every five minutes, has nothing against it any more."""
    refusal = errors.Refused(errors.NO_LICENCE, "Licens saknas.").body()
    problem = Problem("OrganizationNotActive", "Not active.").response().body
    body = json.dumps(refusal) if system == "fortnox" else bytes(problem).decode()
    vendor = shop.partners.fortnox if system == "fortnox" else shop.partners.severa
    vendor.chaos.faults[:] = [Fault("refuse", path, status=400, body=body)]
    guid = order(shop)
    shop.look_at("invoice", guid)
    assert standing(shop, guid)[0] == "stopped"
    goes_on(shop, guid)


def test_a_login_that_something_harmless_is_refused_for_as_well_stops_the_connection(
    shop: Workshop,
) -> None:
    body = json.dumps(errors.Refused(IN_TWO_WAYS, "Ogiltig inloggning").body())
    everywhere = "/3/(invoices$|companyinformation)"
    fault = Fault("refuse", everywhere, status=400, body=body, times=None)
    shop.partners.fortnox.chaos.faults[:] = [fault]
    guid = order(shop)
    shop.look_at("invoice", guid)
    assert standing(shop, guid) == ("stopped", "fortnox_login_refused")
    shop.clock.move_on(OUTAGE)
    shop.run()
    assert standing(shop, guid) == ("stopped", "fortnox_login_refused")
    fault.times = 0
    goes_on(shop, guid)


def test_a_record_that_stays_in_use_is_told_to_people_and_holds_up_no_other(shop: Workshop) -> None:
    """One that cannot be written for an hour, while the same login reads and books others."""
    customer, invoice = shop.partners.severa.find("customers", 1001)["guid"], order(shop)
    body = json.dumps(errors.Refused(IN_TWO_WAYS, "Posten används").body())
    fault = Fault("refuse", "/3/customers/1001", "PUT", status=400, body=body, times=None)
    shop.partners.fortnox.chaos.faults[:] = [fault]
    shop.partners.severa.change("customers", customer, website="www.nytt.example")
    shop.look_at("customer", customer)
    assert shop.outcome("customer", customer) == LOCKED
    shop.look_at("invoice", invoice)
    assert shop.outcome("invoice", invoice) == ("done", None)
    for _ in range(2):
        shop.clock.move_on(timedelta(minutes=31))
        shop.run()
    assert shop.outcome("customer", customer) == ("blocked", "fortnox_record_held")
    reads_well(Reason(**shop.row("customer", customer).reason), "Posten används")
    fault.times = 0
    shop.retry("customer", customer)
    assert shop.outcome("customer", customer) == ("done", None)


def test_what_was_blocked_goes_on_when_a_person_says_so(shop: Workshop, held: str) -> None:
    shop.retry("invoice", held)
    assert shop.outcome("invoice", held) == ("done", None)
    assert shop.partners.invoices_by_reference()[f"severa:{held}"] == 1


def test_no_code_is_in_the_program_that_is_not_tried_here() -> None:
    """And none is tried with a reason that the program does not give."""
    tried = {str(code) for code, end in FORTNOX.items() if end != AS_IT_IS}
    tables = refusals.FORTNOX, refusals.FORTNOX_CONNECTION
    assert tried == {code for table in tables for code in table} | {"1000003"}
    types = {kind for kind, end in SEVERA.items() if end != AS_IT_IS}
    known = {*refusals.SEVERA, *refusals.SEVERA_CONNECTION, "InternalSystemError"}
    assert types == known
    assert {"1000003", "InternalSystemError"} == refusals.SYSTEM_ERRORS
    assert set(SEVERA) == {*STATUS, "SomethingNew"}
    for part, reason in refusals.FORTNOX_WORDS.items():
        assert reason in {end for words, (_, end) in FORTNOX_WORDS.items() if part in words.lower()}
