"""An invoice on its way from Severa to Fortnox, in fair weather and with what people forget."""

import json

import pytest

from app.sandbox.chaos import Fault
from app.sandbox.severa import PAID, RECEIVED, TRANSFER, Row
from tests.workshop import Workshop

SQLITE = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


def order(shop: Workshop, **fields: object) -> str:
    """An invoice that stands in the transfer status."""
    guid: str = shop.partners.severa.add_simple_invoice(**fields)["guid"]
    shop.partners.severa.set_status(guid, TRANSFER)
    return guid


def status(shop: Workshop, guid: str) -> str:
    found: str = shop.partners.severa.find("invoices", guid)["status"]["guid"]
    return found


def only_invoice(shop: Workshop) -> dict[str, object]:
    (invoice,) = shop.partners.books.invoices.values()
    return invoice


def test_an_invoice_in_the_transfer_status_appears_in_fortnox_and_moves_to_received(
    shop: Workshop,
) -> None:
    guid = order(shop)
    shop.look_at("invoice", guid)
    assert only_invoice(shop)["ExternalInvoiceReference1"] == f"severa:{guid}"
    assert status(shop, guid) == RECEIVED
    assert shop.log("invoice", guid) == ["created_invoice", "moved_to_received"]
    assert [shop.outcome(kind, key) for kind, key in _carried_first(shop)] == [("done", None)] * 3


def _carried_first(shop: Workshop) -> list[tuple[str, str]]:
    severa = shop.partners.severa
    return [
        ("customer", severa.find("customers", 1001)["guid"]),
        ("project", severa.find("projects", 3001)["guid"]),
        ("product", f"work_type:{severa.find('worktypes', '100')['guid']}"),
    ]


def test_an_invoice_standing_elsewhere_is_left_alone(shop: Workshop) -> None:
    guid = shop.partners.severa.add_simple_invoice()["guid"]
    writes = shop.partners.writes()
    shop.look_at("invoice", guid)
    assert shop.outcome("invoice", guid) == ("skipped", "not_in_transfer_status")
    assert shop.partners.writes() == writes


def test_an_invoice_that_is_gone_is_skipped_and_says_so(shop: Workshop) -> None:
    guid = "00000000-0000-4000-8000-00000000dead"
    shop.look_at("invoice", guid)
    assert shop.outcome("invoice", guid) == ("skipped", "severa_invoice_gone")


def test_a_warm_invoice_costs_two_fortnox_calls_and_three_severa_calls(shop: Workshop) -> None:
    shop.look_at("invoice", order(shop))
    before = len(shop.partners.fortnox.chaos.calls), len(shop.partners.severa.chaos.calls)
    shop.look_at("invoice", order(shop))
    after = len(shop.partners.fortnox.chaos.calls), len(shop.partners.severa.chaos.calls)
    assert (after[0] - before[0], after[1] - before[1]) == (2, 3)


def test_a_missing_customer_number_blocks_until_it_is_given(shop: Workshop) -> None:
    severa = shop.partners.severa
    severa.change("customers", 1001, number=None)
    customer = severa.find("customers", "Nordbygg AB")["guid"]
    guid = order(shop)
    shop.look_at("invoice", guid)
    assert shop.outcome("customer", customer) == ("blocked", "customer_number_missing")
    assert shop.row("customer", customer).source_label == "Nordbygg AB"
    assert shop.outcome("invoice", guid) == ("blocked", "other_record_blocked")
    assert shop.partners.books.invoices == {}
    severa.change("customers", customer, number=1001)
    shop.look_at("customer", customer)
    assert shop.outcome("invoice", guid) == ("done", None)
    assert status(shop, guid) == RECEIVED


@SQLITE
def test_who_pays_is_the_customer_in_fortnox_whoever_the_work_was_for(shop: Workshop) -> None:
    work = Row("hours", 1, 900, article="100")
    invoice = shop.partners.severa.add_invoice(1001, [3001], [work], billing_customer=1002)
    shop.partners.severa.set_status(invoice["guid"], TRANSFER)
    shop.look_at("invoice", invoice["guid"])
    assert only_invoice(shop)["CustomerNumber"] == "1002"
    assert list(shop.partners.books.customers) == ["1002"]


def test_an_article_of_another_name_is_a_conflict_and_nothing_is_half_written(
    shop: Workshop,
) -> None:
    shop.partners.books.add_article(ArticleNumber="100", Description="Något helt annat")
    guid = order(shop)
    shop.look_at("invoice", guid)
    work_type = shop.partners.severa.find("worktypes", "100")["guid"]
    assert shop.outcome("product", f"work_type:{work_type}") == ("blocked", "product_conflict")
    assert shop.outcome("invoice", guid) == ("blocked", "other_record_blocked")
    assert shop.partners.books.invoices == {}
    assert status(shop, guid) == TRANSFER


def test_a_locked_period_blocks_with_the_vendors_own_words(shop: Workshop) -> None:
    guid = order(shop)
    shop.partners.books.lock_period("2030-12-31")
    shop.look_at("invoice", guid)
    assert shop.outcome("invoice", guid) == ("blocked", "fortnox_period_locked")
    assert "2030-12-31" in shop.row("invoice", guid).reason["facts"]["words"]
    shop.partners.books.lock_period(None)
    shop.look_at("invoice", guid)
    assert status(shop, guid) == RECEIVED
    assert len(shop.partners.books.invoices) == 1


def test_a_currency_that_is_not_registered_blocks_until_it_is(shop: Workshop) -> None:
    severa = shop.partners.severa
    invoice = severa.add_invoice(
        1002, [3002], [Row("hours", 3, 100, article="100")], currency="CHF", rate="11.8"
    )
    severa.set_status(invoice["guid"], TRANSFER)
    shop.look_at("invoice", invoice["guid"])
    assert shop.outcome("invoice", invoice["guid"]) == ("blocked", "currency_missing")
    assert shop.partners.books.invoices == {}
    shop.partners.books.add_currency("CHF", "11.9")
    shop.look_at("invoice", invoice["guid"])
    assert status(shop, invoice["guid"]) == RECEIVED


def test_ten_events_for_one_invoice_are_one_run(shop: Workshop) -> None:
    guid = order(shop)
    shop.look_at("invoice", *[guid] * 10)
    assert shop.row("invoice", guid).attempts == 1


def test_a_difference_in_the_answer_blocks_before_the_status_is_moved(shop: Workshop) -> None:
    shop.look_at("invoice", order(shop))
    guid = order(shop, quantity=2)
    wrong = {
        "DocumentNumber": "2",
        "CustomerNumber": "1001",
        "Currency": "SEK",
        "Net": 2200.01,
        "TotalVAT": 550,
        "Total": 2750.01,
        "InvoiceRows": [{}],
    }
    shop.partners.fortnox.chaos.faults.append(
        Fault("mask", "/3/invoices", "POST", status=201, body=json.dumps({"Invoice": wrong}))
    )
    shop.look_at("invoice", guid)
    assert shop.outcome("invoice", guid) == ("blocked", "read_back_differs")
    assert shop.row("invoice", guid).reason["facts"] == {
        "number": "2",
        "field": "Net",
        "asked": "2200",
        "got": "2200.01",
    }
    assert status(shop, guid) == TRANSFER
    shop.look_at("invoice", guid)  # the invoice itself is right: the next look finds that
    assert status(shop, guid) == RECEIVED
    assert len(shop.partners.books.invoices) == 2


def test_an_unbooked_invoice_that_is_transferred_again_is_updated_in_place(shop: Workshop) -> None:
    guid = order(shop)
    shop.look_at("invoice", guid)
    severa = shop.partners.severa
    severa.change_invoice(guid, orderNumber="PO-7781")
    severa.set_status(guid, TRANSFER)
    shop.look_at("invoice", guid)
    assert only_invoice(shop)["YourOrderNumber"] == "PO-7781"
    assert status(shop, guid) == RECEIVED
    assert shop.log("invoice", guid)[2:] == ["updated_invoice", "moved_to_received"]


@SQLITE
@pytest.mark.parametrize("rows_keep_old_values", [True, False])
def test_what_is_removed_from_a_row_in_severa_is_removed_in_fortnox(
    shop: Workshop, rows_keep_old_values: bool
) -> None:
    severa, books = shop.partners.severa, shop.partners.books
    shop.partners.fortnox.options.positional_rows_keep_old_values = rows_keep_old_values
    books.add_cost_center("UMEA", "Umeå")
    shop.connect(cost_centers={"from": "row", "map": {"10": "UMEA"}})
    rows = [
        Row("fee", 1, 500, article="200", project=3001, cost_center="10", sales_account="3041"),
        Row("fee", 2, 100, article="200", project=3002, sales_account="3041"),
    ]
    guid = severa.add_invoice(1001, [3001, 3002], rows)["guid"]
    severa.change_invoice(guid, orderNumber="PO-7781")
    severa.set_status(guid, TRANSFER)
    shop.look_at("invoice", guid)
    severa.world.change(severa.rows(guid)[0], costCenter=None, code=[])
    severa.world.change(severa.find("invoices", guid), orderNumber=None, projects=[])
    severa.set_status(guid, TRANSFER)
    shop.look_at("invoice", guid)
    assert shop.outcome("invoice", guid) == ("done", None)
    invoice = only_invoice(shop)
    names = ("ArticleNumber", "AccountNumber", "Project", "CostCenter", "DeliveredQuantity")
    assert [[row[name] for name in names] for row in invoice["InvoiceRows"]] == [  # type: ignore[attr-defined]
        ["", 3041, "", "", "1"],
        ["200", 3001, "", "", "2"],
    ]
    assert invoice["YourOrderNumber"] == ""
    writes = shop.partners.writes()
    shop.look_at("invoice", guid)
    assert shop.partners.writes() == writes


def test_a_booked_invoice_that_is_transferred_again_is_blocked_with_the_advice_to_credit(
    shop: Workshop,
) -> None:
    guid = order(shop)
    shop.look_at("invoice", guid)
    shop.partners.books.book("1")
    shop.partners.severa.set_status(guid, TRANSFER)
    writes = shop.partners.writes()
    shop.look_at("invoice", guid)
    assert shop.outcome("invoice", guid) == ("blocked", "already_booked")
    assert shop.partners.writes() == writes


def test_an_invoice_cancelled_in_fortnox_is_created_anew_when_transferred_again(
    shop: Workshop,
) -> None:
    guid = order(shop)
    shop.look_at("invoice", guid)
    shop.partners.books.cancel("1")
    shop.partners.severa.set_status(guid, TRANSFER)
    shop.look_at("invoice", guid)
    assert status(shop, guid) == RECEIVED
    assert shop.partners.invoices_by_reference() == {f"severa:{guid}": 1}
    assert list(shop.partners.books.invoices) == ["1", "2"]


def test_an_invoice_deleted_in_severa_leaves_fortnox_alone(shop: Workshop) -> None:
    guid = order(shop)
    shop.look_at("invoice", guid)
    shop.partners.severa.delete_invoice(guid)
    writes = shop.partners.writes()
    shop.look_at("invoice", guid)
    assert shop.outcome("invoice", guid) == ("skipped", "severa_invoice_gone")
    assert shop.partners.writes() == writes


def test_an_invoice_of_several_projects_carries_the_project_of_every_row(shop: Workshop) -> None:
    severa = shop.partners.severa
    rows = [
        Row("hours", 2, 1000, article="100", project=3001, description="Ett"),
        Row("fee", 1, 500, article="200", project=3002, description="Två"),
        Row("flat_rate", 1, 9000, project=3002, description="Fast", sales_account="3041"),
    ]
    guid = severa.add_invoice(1001, [3001, 3002], rows)["guid"]
    severa.set_status(guid, TRANSFER)
    shop.look_at("invoice", guid)
    invoice = only_invoice(shop)
    assert [row["Project"] for row in invoice["InvoiceRows"]] == ["3001", "3002", "3002"]  # type: ignore[union-attr]
    assert invoice["Project"] == ""
    assert status(shop, guid) == RECEIVED


@pytest.mark.parametrize("direction", ["to_organization", "from_organization"])
def test_an_invoice_in_euro_carries_its_rate_whichever_way_severa_writes_it(
    shop: Workshop, direction: str
) -> None:
    severa = shop.partners.severa
    severa.options.currency_rate = direction
    rows = [Row("hours", 10, 95, article="100", vat=0)]
    guid = severa.add_invoice(1004, [3003], rows, currency="EUR")["guid"]
    severa.set_status(guid, TRANSFER)
    shop.look_at("invoice", guid)
    invoice = only_invoice(shop)
    assert (invoice["Currency"], str(invoice["Net"]), status(shop, guid)) == (
        "EUR",
        "950.00",
        RECEIVED,
    )
    assert 10 < invoice["CurrencyRate"] < 13  # type: ignore[operator]


def test_paid_is_not_undone_by_a_late_look_at_the_invoice(shop: Workshop) -> None:
    guid = order(shop)
    shop.look_at("invoice", guid)
    shop.partners.books.book("1")
    shop.partners.books.pay("1")
    shop.look_at("payment", "1")
    shop.look_at("invoice", guid)
    assert status(shop, guid) == PAID
