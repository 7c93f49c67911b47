"""Products, work types, travel types and articles: one register, matched on code and on name."""

from typing import Any

import pytest

from app import waiting
from app.sandbox.chaos import Fault
from tests.journeys.echoes import Echoes
from tests.journeys.test_registers import LATER, at_once
from tests.workshop import Workshop

SKYLT: dict[str, Any] = {"ArticleNumber": "900", "Description": "Skylt", "Unit": "st", "VAT": 12}
TABLES = {
    "product": "products",
    "work_type": "worktypes",
    "travel_expense_type": "travelexpensetypes",
}


def key_of(shop: Workshop, register: str, code: str) -> str:
    return f"{register}:{shop.partners.severa.find(TABLES[register], code)['guid']}"


def severa_codes(shop: Workshop, code: str) -> list[tuple[str, str]]:
    """Register and name of everything with this code."""
    return [
        (register, one["name"])
        for register, table in TABLES.items()
        for one in shop.partners.severa.records(table)
        if one["code"] == code
    ]


def fault_one_post(shop: Workshop, kind: Any) -> None:
    shop.partners.severa.chaos.faults.append(Fault(kind, "/v1/products$", "POST"))


# --- Severa → Fortnox ---


@pytest.mark.parametrize(
    ("register", "code", "unit"),
    [
        ("product", "200", "st"),
        ("work_type", "100", ""),
        ("travel_expense_type", "300", "km"),
    ],
)
def test_each_of_severas_registers_becomes_service_articles(
    shop: Workshop, echoes: Echoes, register: str, code: str, unit: str
) -> None:
    key = key_of(shop, register, code)
    shop.look_at("product", key)
    made = shop.partners.books.articles[code]
    assert (made["Type"], made["Unit"], made["Active"]) == ("SERVICE", unit, True)
    assert echoes.settle() == 0
    assert shop.outcome("product", f"fortnox:{code}") == ("done", None)
    assert shop.log("product", key) == ["created_product"]


def test_nothing_is_sent_of_a_work_type_that_severa_does_not_know(shop: Workshop) -> None:
    shop.look_at("product", key_of(shop, "work_type", "100"))
    sent = [c for c in shop.partners.fortnox.chaos.calls if c.method == "POST" and "/3/" in c.path]
    assert len(sent) == 1
    made = shop.partners.books.articles["100"]
    assert (made["VAT"], made["SalesPrice"]) == (25, None)  # as Fortnox makes them by itself


def test_a_missing_unit_blocks_and_resumes_when_it_appears(shop: Workshop) -> None:
    key = key_of(shop, "product", "210")
    writes = shop.partners.writes()
    shop.look_at("product", key)
    assert shop.outcome("product", key) == ("blocked", "fortnox_unit_missing")
    row = shop.row("product", key)
    assert row.waits_for == "fortnox:units"
    assert (row.reason["facts"]["product"], row.reason["facts"]["unit"]) == ("Serverplats", "mån")
    assert shop.partners.writes() == writes
    shop.partners.books.add_unit("mån", "Månad")
    with shop.hall.db.transaction() as tx:
        waiting.wake(tx, shop.name, "fortnox:units", shop.clock())
    shop.run()
    assert shop.outcome("product", key) == ("done", None)
    assert shop.partners.books.articles["210"]["Unit"] == "mån"


def test_one_code_with_another_name_is_a_conflict(shop: Workshop) -> None:
    shop.partners.books.add_article(ArticleNumber="200", Description="Bil")
    key = key_of(shop, "product", "200")
    writes = shop.partners.writes()
    shop.look_at("product", key, "fortnox:200")
    assert shop.outcome("product", key) == ("blocked", "product_conflict")
    assert shop.outcome("product", "fortnox:200") == ("blocked", "product_conflict")
    assert shop.partners.writes() == writes


@pytest.mark.parametrize("search", ["substring", "prefix", "exact"])
def test_one_name_with_another_code_is_a_conflict(shop: Workshop, search: Any) -> None:
    shop.partners.fortnox.options.search = search
    shop.partners.books.add_article(ArticleNumber="777", Description="Licens")
    key = key_of(shop, "product", "200")
    writes = shop.partners.writes()
    shop.look_at("product", key, "fortnox:777")
    assert shop.outcome("product", key) == ("blocked", "product_name_conflict")
    assert shop.outcome("product", "fortnox:777") == ("blocked", "product_name_conflict")
    assert shop.partners.writes() == writes


def test_a_longer_name_that_only_holds_ours_is_no_conflict(shop: Workshop) -> None:
    shop.partners.books.add_article(ArticleNumber="777", Description="Licens Plus")
    key = key_of(shop, "product", "200")
    shop.look_at("product", key)
    assert shop.outcome("product", key) == ("done", None)


def test_one_code_in_two_registers_is_a_conflict_on_every_side(shop: Workshop) -> None:
    shop.partners.severa.add_work_type(code="200", name="Licens")
    keys = [key_of(shop, "product", "200"), key_of(shop, "work_type", "200")]
    writes = shop.partners.writes()
    shop.look_at("product", *keys)
    assert [shop.outcome("product", key) for key in keys] == [
        ("blocked", "product_code_shared")
    ] * 2
    shop.partners.books.add_article(ArticleNumber="200", Description="Licens")
    shop.look_at("product", "fortnox:200")
    assert shop.outcome("product", "fortnox:200") == ("blocked", "product_code_shared")
    assert shop.partners.writes() == writes


@pytest.mark.parametrize("first", ["severa", "fortnox"])
def test_code_and_name_alike_are_linked_and_nothing_is_written(
    shop: Workshop, echoes: Echoes, first: str
) -> None:
    shop.partners.books.add_article(ArticleNumber="100", Description="KONSULTARBETE ")
    key = key_of(shop, "work_type", "100")
    rows = [key, "fortnox:100"] if first == "severa" else ["fortnox:100", key]
    for one in rows:
        shop.look_at("product", one)
    assert echoes.settle() == 0
    assert {shop.outcome("product", one) for one in rows} == {("done", None)}


def test_a_renamed_product_is_renamed_in_fortnox_and_an_emptied_unit_is_emptied(
    shop: Workshop, echoes: Echoes
) -> None:
    shop.look_at("product", key_of(shop, "product", "200"))
    echoes.settle()
    shop.partners.severa.change("products", "200", name="Licens 2.0", measurementUnit=None)
    assert echoes.settle() == 1
    after = shop.partners.books.articles["200"]
    assert (after["Description"], after["Unit"]) == ("Licens 2.0", "")


@pytest.mark.parametrize("active", [False, True])
def test_deactivation_goes_to_fortnox(shop: Workshop, echoes: Echoes, active: bool) -> None:
    shop.partners.severa.change("products", "200", isActive=not active)
    shop.look_at("product", key_of(shop, "product", "200"))
    echoes.settle()
    shop.partners.severa.change("products", "200", isActive=active)
    assert echoes.settle() == 1
    assert shop.partners.books.articles["200"]["Active"] is active


# --- Fortnox → Severa ---


@pytest.mark.parametrize(("kind", "becomes"), [("SERVICE", "FixedFees"), ("STOCK", "Materials")])
def test_an_article_becomes_a_product(
    shop: Workshop, echoes: Echoes, kind: str, becomes: str
) -> None:
    shop.partners.books.add_account(3051, "Varor")
    shop.partners.books.add_article(price="149.50", Type=kind, SalesAccount=3051, **SKYLT)
    assert echoes.settle() == 1
    made = shop.partners.severa.find("products", "900")
    assert (made["name"], made["type"], made["measurementUnit"]) == ("Skylt", becomes, "st")
    assert (made["vatRate"], made["unitPrice"]["amount"]) == (12, 149.5)
    assert made["salesAccount"]["number"] == "3051"
    assert made["isActive"] is True
    assert shop.outcome("product", f"product:{made['guid']}") == ("done", None)
    assert shop.log("product", "fortnox:900") == ["created_in_severa"]


def test_a_sales_account_that_severa_does_not_have_is_left_out(
    shop: Workshop, echoes: Echoes
) -> None:
    shop.partners.books.add_article(**SKYLT)
    assert echoes.settle() == 1
    assert shop.partners.severa.find("products", "900")["salesAccount"] is None


def test_zeros_at_the_front_of_an_article_number_stay(shop: Workshop, echoes: Echoes) -> None:
    shop.partners.books.add_article(**SKYLT | {"ArticleNumber": "007"})
    assert echoes.settle() == 1
    assert severa_codes(shop, "007") == [("product", "Skylt")]


def test_an_article_number_with_letters_is_skipped(shop: Workshop, echoes: Echoes) -> None:
    shop.partners.books.add_article(**SKYLT | {"ArticleNumber": "A-17"})
    assert echoes.settle() == 0
    assert shop.outcome("product", "fortnox:A-17") == ("skipped", "article_number_not_numeric")


def test_an_article_deleted_in_fortnox_is_left_in_severa(shop: Workshop, echoes: Echoes) -> None:
    shop.partners.books.add_article(**SKYLT)
    echoes.settle()
    shop.partners.books.delete_article(900)
    assert echoes.settle() == 0
    assert shop.outcome("product", "fortnox:900") == ("skipped", "fortnox_record_gone")
    assert severa_codes(shop, "900") == [("product", "Skylt")]


def test_a_product_deleted_in_severa_is_left_in_fortnox(shop: Workshop, echoes: Echoes) -> None:
    made = shop.partners.severa.add_product(code="220", name="Handbok")
    assert echoes.settle() == 1
    shop.partners.severa.delete("products", "220")
    assert echoes.settle() == 0
    key = f"product:{made['guid']}"
    assert shop.outcome("product", key) == ("skipped", "severa_record_gone")
    assert shop.partners.books.articles["220"]["Active"] is True


@pytest.mark.parametrize("unique", [True, False])
@pytest.mark.parametrize("kind", ["lose", "break"])
def test_a_lost_answer_makes_one_product(
    shop: Workshop, echoes: Echoes, kind: Any, unique: bool
) -> None:
    shop.partners.severa.options.unique_codes = unique
    fault_one_post(shop, kind)
    shop.partners.books.add_article(**SKYLT)
    echoes.settle()
    assert shop.outcome("product", "fortnox:900")[0] == "waiting"
    for _ in range(6):
        shop.clock.move_on(LATER)
        shop.run()
    assert severa_codes(shop, "900") == [("product", "Skylt")]
    assert shop.outcome("product", "fortnox:900") == ("done", None)


@pytest.mark.parametrize("change", [{"Active": False}, {"Expired": True}])
def test_deactivation_goes_to_severa_when_fortnox_is_master(
    shop: Workshop, echoes: Echoes, change: dict[str, Any]
) -> None:
    shop.connect(product_master="fortnox")
    shop.partners.books.add_article(**SKYLT)
    echoes.settle()
    shop.partners.books.change_article(900, **change)
    assert echoes.settle() == 1
    assert shop.partners.severa.find("products", "900")["isActive"] is False


def test_a_work_type_is_told_only_what_it_can_hold(shop: Workshop, echoes: Echoes) -> None:
    shop.connect(product_master="fortnox")
    shop.look_at("product", key_of(shop, "work_type", "100"))
    echoes.settle()
    shop.partners.books.change_article(100, Unit="h", VAT=6)
    assert echoes.settle() == 0
    assert shop.log("product", "fortnox:100") == []
    shop.partners.books.change_article(100, Description="Rådgivning")
    assert echoes.settle() == 1
    assert severa_codes(shop, "100") == [("work_type", "Rådgivning")]


@pytest.mark.parametrize("master", ["severa", "fortnox"])
@pytest.mark.parametrize("born", ["severa", "fortnox"])
def test_a_product_changed_on_both_sides_settles_on_the_masters_word_in_two_writes_at_most(
    shop: Workshop, echoes: Echoes, master: str, born: str
) -> None:
    shop.connect(product_master=master)
    code = "900" if born == "fortnox" else "200"
    if born == "fortnox":
        shop.partners.books.add_article(**SKYLT)
    else:
        shop.look_at("product", key_of(shop, "product", code))
    echoes.settle()
    shop.partners.severa.change("products", code, name="Enligt Severa")
    shop.partners.books.change_article(code, Description="Enligt Fortnox")
    assert echoes.settle() <= 2
    key = key_of(shop, "product", code)
    names = {shop.partners.books.articles[code]["Description"], severa_codes(shop, code)[0][1]}
    assert names == {f"Enligt {master.capitalize()}"}
    writes = shop.partners.writes()
    for _ in range(3):
        shop.look_at("product", key, f"fortnox:{code}")
    assert shop.partners.writes() == writes


@pytest.mark.parametrize("master", ["severa", "fortnox"])
def test_a_change_where_the_master_is_not_writes_nothing_and_is_not_undone(
    shop: Workshop, echoes: Echoes, master: str
) -> None:
    shop.connect(product_master=master)
    key = key_of(shop, "product", "200")
    shop.look_at("product", key)
    echoes.settle()
    if master == "fortnox":
        shop.partners.severa.change("products", "200", name="Annat")
        row, reason = key, "fortnox_is_master"
    else:
        shop.partners.books.change_article(200, Description="Annat")
        row, reason = "fortnox:200", "severa_is_master"
    assert echoes.settle() == 0
    assert shop.outcome("product", row) == ("skipped", reason)


def test_what_an_invoice_does_to_the_stock_is_no_change(shop: Workshop, echoes: Echoes) -> None:
    shop.partners.books.add_article(**SKYLT)
    echoes.settle()
    shop.partners.books.change_article(900, QuantityInStock=7)
    assert echoes.settle() == 0
    assert shop.outcome("product", "fortnox:900") == ("done", None)


def test_both_rows_of_one_product_at_once_make_one_link_and_no_double(shop: Workshop) -> None:
    shop.partners.books.add_article(ArticleNumber="100", Description="Konsultarbete")
    key = key_of(shop, "work_type", "100")
    writes = shop.partners.writes()
    at_once(shop, ("product", "fortnox:100"), ("product", key), threads=4)
    assert shop.partners.writes() == writes
    assert shop.outcome("product", "fortnox:100") == ("done", None)
    assert shop.outcome("product", key) == ("done", None)
