"""Before activation, and when the books of a period are compared."""

from datetime import timedelta
from decimal import Decimal

import pytest

from app import clock
from app.checks import preflight, reconcile
from app.checks.findings import Report
from app.checks.survey import Survey
from app.reasons import explain
from app.sandbox.severa import ALL_SCOPES, PAID, RECEIVED, TRANSFER
from app.sandbox.severa.demo import CLIENT_ID, CLIENT_SECRET
from tests.journeys.test_invoices import order
from tests.workshop import Workshop


def preflight_of(shop: Workshop) -> Report:
    sides = shop.process.room.sides(shop.connection(), 0)
    return preflight.run(Survey(sides))


def statuses(report: Report) -> dict[str, str]:
    return {one.code: one.status for one in report.findings}


def books_of(shop: Workshop) -> reconcile.Reconciliation:
    today = clock.today(shop.clock())
    sides = shop.process.room.sides(shop.connection(), 0)
    return reconcile.run(sides, today - timedelta(days=31), today + timedelta(days=31))


def verdicts(shop: Workshop) -> list[tuple[str, str, Decimal]]:
    return [(one.subject, one.verdict, one.difference) for one in books_of(shop).differences]


def test_the_demo_company_lacks_a_unit_and_is_told_where_to_add_it(shop: Workshop) -> None:
    report = preflight_of(shop)
    found = {one.code: one for one in report.findings}
    assert found["units"].status == "error"
    assert found["units"].about == ("mån",)
    reason = found["units"].reason
    assert reason is not None
    step = explain(reason, "sv").next_step
    assert "Inställningar → Fakturering → Prislistor och enheter" in step
    shop.partners.books.add_unit("mån", "månad")
    assert statuses(preflight_of(shop))["units"] == "ok"


def test_every_condition_of_the_guide_is_answered(shop: Workshop) -> None:
    shop.partners.books.add_unit("mån", "månad")
    assert statuses(preflight_of(shop)) == {
        "settings": "ok",
        "severa_access": "ok",
        "fortnox_access": "ok",
        "severa_registers": "ok",
        "fortnox_registers": "ok",
        "project_accounting": "ok",
        "status_transfer": "ok",
        "status_received": "ok",
        "status_paid": "ok",
        "default_product": "warning",
        "error_emails": "warning",
        "product_codes": "ok",
        "units": "ok",
        "product_conflicts": "ok",
        "products_near_miss": "ok",
        "customers_without_number": "ok",
        "customers_without_vat_number": "ok",
        "customers_with_invalid_vat_number": "ok",
        "customers_without_address": "ok",
        "customers_near_miss": "ok",
        "cost_centers": "ok",
        "currencies": "ok",
        "financial_year": "ok",
    }


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_each_setting_and_register_that_lacks_something_says_what(shop: Workshop) -> None:
    severa, books = shop.partners.severa, shop.partners.books
    severa.change("customers", 1002, number=None)
    severa.change("customers", 1003, currency="CHF")
    severa.change("products", "290", code="U-1")
    books.remove_financial_year(int(books.today()[:4]))
    wanted: dict[str, object] = {
        "default_product": severa.find("products", "U-1")["guid"],
        "error_emails": ["ekonomi@acme.example"],
        "cost_centers": {"from": "row", "map": {"10": "UMEA"}},
    }
    shop.connect(**wanted)
    lacking = ("default_product", "cost_centers", "currencies", "financial_year")
    lacking = (*lacking, "customers_without_number", "units", "error_emails")
    found = {one.code: one for one in preflight_of(shop).findings}
    assert [(found[code].status, found[code].about) for code in lacking] == [
        ("error", ()),
        ("error", ("UMEA",)),
        ("warning", ("CHF",)),
        ("error", ()),
        ("warning", ("Kustens Energi AB",)),
        ("error", ("mån",)),
        ("ok", ()),
    ]
    severa.change("customers", "Kustens Energi AB", number=1002)
    severa.change("products", "U-1", code="290")
    books.add_currency("CHF", "11.9")
    books.add_cost_center("UMEA", "Umeå")
    books.add_unit("mån", "månad")
    books.add_financial_year(f"{books.today()[:4]}-01-01", f"{books.today()[:4]}-12-31")
    assert set(statuses(preflight_of(shop)).values()) == {"ok"}


def test_a_status_that_is_gone_or_switched_off_is_an_error(shop: Workshop) -> None:
    gone = "55000000-0000-4000-8000-00000000dead"
    shop.partners.severa.change("invoicestatuses", RECEIVED, isActive=False)
    shop.connect(invoice_statuses={"transfer": gone, "received": RECEIVED, "paid": None})
    told = statuses(preflight_of(shop))
    found = {name: told[f"status_{name}"] for name in ("transfer", "received", "paid")}
    assert found == {"transfer": "error", "received": "error", "paid": "warning"}


def test_a_preflight_writes_nothing_in_either_system(shop: Workshop) -> None:
    preflight_of(shop)
    assert shop.partners.writes() == 0


def test_a_conflicting_article_and_a_customer_under_another_number_are_found(
    shop: Workshop,
) -> None:
    books = shop.partners.books
    books.add_article(ArticleNumber="100", Description="Något annat")
    books.add_article(ArticleNumber="999", Description="Licens")
    books.add_customer(CustomerNumber="77", Name="Nordbygg Aktiebolag")
    books.add_customer(CustomerNumber="1002", Name="Kustens Energi AB")
    report = preflight_of(shop)
    conflicts = {one.why for one in report.articles if one.verdict == "conflict"}
    assert conflicts == {"same_code_other_name", "same_name_other_code"}
    assert statuses(report)["product_conflicts"] == "error"
    counts = [one.verdict for one in report.customers]
    assert counts.count("link") == 1


def test_a_customer_with_the_same_tax_number_under_another_number_is_a_near_miss(
    shop: Workshop,
) -> None:
    ours = shop.partners.severa.find("customers", 1001)
    digits = ours["vatNumber"][2:12]
    shop.partners.books.add_customer(
        CustomerNumber="77", Name="Nybygge i Norr", OrganisationNumber=f"{digits[:6]}-{digits[6:]}"
    )
    report = preflight_of(shop)
    (near,) = [one for one in report.customers if one.verdict == "near_miss"]
    told = next(one for one in report.findings if one.code == "customers_near_miss")
    assert (told.status, told.about) == ("warning", ("1001 Nordbygg AB / 77 Nybygge i Norr",))
    assert near.why == "same_tax_number_other_number"
    assert near.severa is not None
    assert near.severa.number == "1001"


def test_what_the_guide_asks_of_every_customer_and_product_is_told_by_name(
    shop: Workshop,
) -> None:
    severa, books = shop.partners.severa, shop.partners.books
    severa.change("customers", 1001, vatNumber=None)
    severa.change("customers", 1002, vatNumber="12")
    severa.add_customer(name="Utan adress AB", number=1009, vatNumber="SE556677889901")
    severa.add_product(code="A-1", name="Utan siffror")
    books.add_article(ArticleNumber="998", Description="Konsultarbete .")
    report = preflight_of(shop)
    told = {one.code: one for one in report.findings if one.status != "ok"}
    assert told["customers_without_vat_number"].about == ("Nordbygg AB",)
    assert [one[-4:] for one in told["customers_with_invalid_vat_number"].about] == ["(12)"]
    assert told["customers_without_address"].about == ("Utan adress AB",)
    assert told["product_codes"].about == ("Utan siffror",)
    (near,) = [one for one in report.articles if one.verdict == "near_miss"]
    assert (near.why, near.score >= 88) == ("same_name_other_number", True)
    assert told["products_near_miss"].about == ("100 Konsultarbete / 998 Konsultarbete .",)


def test_a_scope_that_severa_did_not_give_names_the_register(shop: Workshop) -> None:
    given = ALL_SCOPES - {"fees:read"}
    shop.partners.severa.add_client(CLIENT_ID, CLIENT_SECRET, given)
    (found,) = [one for one in preflight_of(shop).findings if one.status == "error"]
    assert found.reason is not None
    assert "fees:read" in explain(found.reason, "en").message + " ".join(found.about)


def test_a_wrong_secret_is_an_error_and_nothing_further_is_asked(shop: Workshop) -> None:
    access = {"client_id": "demo-client", "client_secret": "wrong", "tenant_id": "654896"}
    shop.connect(fortnox=access)
    report = preflight_of(shop)
    assert statuses(report) == {
        "settings": "ok",
        "severa_access": "ok",
        "fortnox_access": "error",
    }
    assert not report.is_clear


def test_a_missing_licence_names_the_register(shop: Workshop) -> None:
    shop.partners.books.lose_licence("supplierinvoice")
    (finding,) = [one for one in preflight_of(shop).findings if one.code == "fortnox_registers"]
    assert (finding.status, finding.about) == ("error", ("supplierinvoices",))


def test_files_have_to_be_open_in_fortnox_where_attachments_are_carried_over(
    shop: Workshop,
) -> None:
    """Else the first invoice with a file would stop the connection; without them nobody asks."""
    shop.partners.books.lose_licence("inbox", "archive")
    assert statuses(preflight_of(shop))["fortnox_registers"] == "ok"
    shop.connect(transfer_attachments=True)
    found = [one for one in preflight_of(shop).findings if one.code == "fortnox_registers"]
    assert [(one.status, one.about) for one in found] == [
        ("error", ("inbox",)),
        ("error", ("archive",)),
    ]


def test_without_project_accounting_there_is_a_warning_and_no_error(shop: Workshop) -> None:
    shop.partners.books.add_unit("mån", "månad")
    shop.partners.books.lose_licence("project")
    report = preflight_of(shop)
    assert statuses(report)["project_accounting"] == "warning"
    assert report.is_clear


def test_project_accounting_is_known_by_what_became_of_a_project_that_was_sent(
    shop: Workshop,
) -> None:
    """No call of Fortnox tells it: the register of projects is open either way."""

    def told() -> tuple[str, str | None]:
        found = {one.code: one for one in preflight_of(shop).findings}["project_accounting"]
        return found.status, found.reason.code if found.reason else None

    shop.partners.books.add_unit("mån", "månad")
    shop.partners.fortnox.options.project_accounting = "off"
    assert told() == ("ok", "project_accounting_untold")
    shop.look_at("invoice", order(shop))
    assert told() == ("warning", "projects_lost")
    shop.partners.fortnox.options.project_accounting = "on"
    shop.look_at("invoice", order(shop))
    assert told() == ("ok", None)


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_books_that_agree_have_no_differences(shop: Workshop) -> None:
    shop.look_at("invoice", order(shop), order(shop, price="99.99", quantity=3))
    for number in ("1", "2"):
        shop.partners.books.book(number)
        shop.partners.books.pay(number)
        shop.look_at("payment", number)
    books = books_of(shop)
    assert books.differences == []
    assert [one.difference for one in books.lines] == [0, 0, 0, 0]
    assert [(one.subject, one.currency) for one in books.sums] == [
        ("invoice", "SEK"),
        ("payment", "SEK"),
    ]
    assert all(one.severa == one.fortnox for one in books.sums)


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_planted_difference_of_one_ore_is_found_behind_the_rounding(shop: Workshop) -> None:
    guid = order(shop, price="99.99", quantity=3)
    shop.look_at("invoice", guid)
    invoice = shop.partners.books.invoices["1"]
    invoice["Net"] += Decimal("0.01")
    invoice["RoundOff"] -= Decimal("0.01")
    assert verdicts(shop) == [("invoice", "amount_differs", Decimal("0.01"))]


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_planted_difference_of_one_ore_in_a_payment_is_found(shop: Workshop) -> None:
    shop.look_at("invoice", order(shop, price=100, quantity=3))
    books, ore = shop.partners.books, Decimal("0.01")
    books.book("1")
    books.pay("1")
    shop.look_at("payment", "1")
    assert verdicts(shop) == []
    invoice = books.invoices["1"]
    invoice["Balance"] += ore  # an öre short: Fortnox does not call that paid
    assert verdicts(shop) == [("payment", "paid_only_in_severa", -ore)]
    invoice["Balance"] -= ore
    invoice["RoundOff"] -= ore  # paid in full, and in full is an öre more than in Severa
    assert verdicts(shop) == [
        ("invoice", "amount_differs", ore),
        ("payment", "amount_differs", ore),
    ]


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_missing_and_a_surplus_invoice_are_found(shop: Workshop) -> None:
    guid, other = order(shop), order(shop)
    shop.look_at("invoice", guid, other)
    shop.partners.books.cancel(shop.row("invoice", guid).target_id)
    shop.partners.severa.delete_invoice(other)
    found = {(subject, verdict) for subject, verdict, _ in verdicts(shop)}
    assert found == {("invoice", "missing_in_fortnox"), ("invoice", "surplus_in_fortnox")}


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_an_invoice_that_waits_is_no_difference(shop: Workshop) -> None:
    order(shop)
    books = books_of(shop)
    assert [one.verdict for one in books.lines] == ["pending"]
    assert books.differences == []


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
@pytest.mark.parametrize("status", [RECEIVED, PAID])
def test_a_payment_known_on_one_side_only_is_found(shop: Workshop, status: str) -> None:
    guid = order(shop)
    shop.look_at("invoice", guid)
    if status == RECEIVED:
        shop.partners.books.book("1")
        shop.partners.books.pay("1")
    shop.partners.severa.set_status(guid, status)
    only = "paid_only_in_fortnox" if status == RECEIVED else "paid_only_in_severa"
    assert [(subject, verdict) for subject, verdict, _ in verdicts(shop)] == [("payment", only)]


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_nothing_is_written_by_comparing(shop: Workshop) -> None:
    guid = shop.partners.severa.add_simple_invoice()["guid"]
    shop.partners.severa.set_status(guid, TRANSFER)
    books_of(shop)
    assert shop.partners.writes() == 0
