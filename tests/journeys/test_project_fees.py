"""Costs on supplier invoices become project fees in Severa, and follow what is booked."""

from collections.abc import Iterable
from datetime import timedelta
from decimal import Decimal
from threading import Timer
from typing import Any

import pytest
from sqlalchemy import delete

from app import models
from app.errors import because
from app.fortnox import webhook
from app.sandbox.chaos import Fault, Kind
from app.sandbox.severa import ALL_SCOPES
from app.sandbox.severa.demo import CLIENT_ID, CLIENT_SECRET
from app.sync import project_fee, wants
from app.worklist import Settlement, Want, enqueue
from tests.installation import until
from tests.workshop import Workshop

Row = dict[str, Any]
LATER = timedelta(minutes=11)
SQLITE = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
COST = {"Account": 4600, "Debit": 5000, "TransactionInformation": "Underkonsult oktober"}
VAT = {"Account": 2641, "Debit": 1250}


@pytest.fixture(autouse=True)
def projects(shop: Workshop) -> None:
    """Every project is in Fortnox, and a default product is chosen."""
    severa = shop.partners.severa
    shop.look_at("project", *(one["guid"] for one in severa.records("projects")))
    shop.connect(default_product=severa.find("products", "290")["guid"])


def cost(amount: int = 5000, project: str = "3001", **fields: Any) -> Row:
    return {**COST, "Debit": amount, "Project": project, **fields}


def bill(shop: Workshop, *rows: Row, booked: bool = True, **header: Any) -> str:
    given = {"InvoiceNumber": "UK-310", "InvoiceDate": "2026-10-31", **header}
    books = shop.partners.books
    number = books.add_supplier_invoice([*rows], **given)["GivenNumber"]
    if booked:
        books.book_supplier_invoice(number)
    return str(number)


def carried(shop: Workshop, *rows: Row, **header: Any) -> str:
    number = bill(shop, *(rows or (cost(), VAT)), **header)
    shop.look_at("project_fee", number)
    return number


def hear(shop: Workshop, *topics: str) -> None:
    """What Fortnox has told of these topics is heard, and what is due is run."""
    told = [webhook.read(event) for event in shop.partners.fortnox.events]
    found = [wants.of_fortnox(shop.name, event).want for event in told if event.topic in topics]
    with shop.hall.db.transaction() as tx:
        enqueue(tx, [one for one in found if one is not None], shop.clock())
    shop.run()


def guid_of(shop: Workshop, project: int) -> str:
    guid: str = shop.partners.severa.find("projects", project)["guid"]
    return guid


def fees(shop: Workshop, project: int = 3001) -> list[Any]:
    """Those with a mark of ours, oldest first."""
    found = shop.partners.severa.records("projectfees", guid_of(shop, project))
    return [one for one in found if "[FX-" in (one["description"] or "")]


def amounts(shop: Workshop, project: int = 3001) -> list[Decimal]:
    """What each fee of the project costs, oldest first."""
    return [cost_of(one) for one in fees(shop, project)]


def cost_of(fee: Any) -> Decimal:
    return Decimal(str(fee["quantity"])) * Decimal(str(fee["unitCost"]["amount"]))


def invoice_fee(shop: Workshop, fee: Any) -> None:
    """A project lead puts it on an invoice."""
    severa = shop.partners.severa
    severa.change("projectfees", fee["guid"], invoice=severa.add_simple_invoice()["guid"])


def forget(shop: Workshop, number: str) -> None:
    """As when a database is restored from before the supplier invoice was seen."""
    row_id = shop.row("project_fee", number).id
    with shop.hall.db.transaction() as tx:
        tx.execute(delete(models.links).where(models.links.c.kind == "project_fee"))
        tx.execute(delete(models.effects).where(models.effects.c.work_id == row_id))
        tx.execute(delete(models.work).where(models.work.c.id == row_id))


def replayed(shop: Workshop, numbers: Iterable[str]) -> int:
    """How many writes three more looks cost."""
    before = shop.partners.writes()
    for _ in range(3):
        shop.look_at("project_fee", *numbers)
    return shop.partners.writes() - before


def test_the_events_of_a_supplier_invoice_make_one_fee_on_its_project(shop: Workshop) -> None:
    number = bill(shop, cost(), VAT)
    hear(shop, "supplier-invoices")
    (fee,) = fees(shop)
    assert cost_of(fee) == 5000
    assert fee["unitPrice"] == {"amount": 5000.0, "currencyCode": "SEK", "multiCurrencyInfo": None}
    assert fee["eventDate"] == "2026-10-31"
    assert fee["description"].startswith("Konsult & Co AB, UK-310: Underkonsult oktober [FX-1-")
    assert fee["invoiceRowDescription"] == "Konsult & Co AB, UK-310: Underkonsult oktober"
    assert fee["product"]["code"] == "290"
    assert (fee["phase"]["name"], fee["user"]) == ("Genomförande", None)
    assert shop.outcome("project_fee", number) == ("done", None)
    assert shop.log("project_fee", number) == ["created_project_fee"]


def test_vouchers_alone_lead_to_the_supplier_invoice(shop: Workshop) -> None:
    number = bill(shop, cost(), VAT)
    hear(shop, "vouchers")
    assert amounts(shop) == [5000]
    assert shop.outcome("project_fee", number) == ("done", None)


def test_the_payment_of_a_supplier_invoice_concerns_nobody(shop: Workshop) -> None:
    number = carried(shop)
    shop.partners.books.pay_supplier_invoice(number)
    year, series, voucher = list(shop.partners.books.vouchers)[-1].split(":")
    writes = shop.partners.writes()
    shop.look_at("voucher", f"{year}/{series}/{voucher}")
    assert shop.outcome("voucher", f"{year}/{series}/{voucher}")[1] == "voucher_of_no_concern"
    assert shop.partners.writes() == writes


def test_replaying_every_event_writes_nothing(shop: Workshop) -> None:
    numbers = [carried(shop), carried(shop, cost(200, "3002"), cost(300, "3002"))]
    writes = shop.partners.writes()
    hear(shop, "supplier-invoices", "vouchers")
    assert shop.partners.writes() == writes
    assert replayed(shop, numbers) == 0
    assert (amounts(shop), amounts(shop, 3002)) == ([5000], [200, 300])


def test_nothing_is_carried_over_before_it_is_booked(shop: Workshop) -> None:
    writes = shop.partners.writes()
    number = bill(shop, cost(), booked=False)
    shop.look_at("project_fee", number)
    assert shop.outcome("project_fee", number) == ("skipped", "supplier_invoice_not_booked")
    assert shop.partners.writes() == writes
    shop.partners.books.book_supplier_invoice(number)
    shop.look_at("project_fee", number)
    assert amounts(shop) == [5000]


def test_what_is_gone_cancelled_or_without_project_is_skipped_in_silence(shop: Workshop) -> None:
    writes = shop.partners.writes()
    bare, dead = bill(shop, {**COST}), bill(shop, cost(), booked=False)
    shop.partners.books.cancel_supplier_invoice(dead)
    shop.look_at("project_fee", "99", bare, dead)
    reasons = [shop.outcome("project_fee", number)[1] for number in ("99", bare, dead)]
    assert reasons == ["supplier_invoice_gone", "no_project_costs", "supplier_invoice_cancelled"]
    assert shop.partners.writes() == writes


def test_every_row_goes_to_its_own_project_and_the_headers_where_it_has_none(
    shop: Workshop,
) -> None:
    carried(shop, cost(3000, "3002"), {**COST, "Debit": 2000}, VAT, Project="3001")
    assert (amounts(shop), amounts(shop, 3002)) == ([2000], [3000])


def test_an_article_number_picks_the_product_and_else_the_default_one_is_taken(
    shop: Workshop,
) -> None:
    for code in ("210", "999"):
        shop.partners.books.add_article(ArticleNumber=code, Description="Serverplats")
    carried(shop, cost(100, ArticleNumber="210"), cost(200, ArticleNumber="999"))
    assert [fee["product"]["code"] for fee in fees(shop)] == ["210", "290"]


def test_without_any_product_the_fee_has_none_and_the_log_warns_once(shop: Workshop) -> None:
    shop.connect()
    number = carried(shop)
    (fee,) = fees(shop)
    assert (fee["product"], fee["name"]) == (None, "Underkonsult oktober")
    assert replayed(shop, [number]) == 0
    assert shop.log("project_fee", number) == ["created_project_fee", "fee_product_missing"]


def test_a_code_that_several_products_share_makes_no_fee(shop: Workshop) -> None:
    shop.partners.severa.add_product(code="210", name="Serverplats till")
    shop.partners.books.add_article(ArticleNumber="210", Description="Serverplats")
    number = carried(shop, cost(ArticleNumber="210"))
    assert shop.outcome("project_fee", number) == ("blocked", "product_code_shared")
    assert fees(shop) == []


def test_a_fee_goes_to_the_first_open_phase(shop: Workshop) -> None:
    severa = shop.partners.severa
    (first,) = (one for one in severa.records("phases", guid_of(shop, 3001)) if one["parentPhase"])
    severa.add_phase(3001, name="Drift")
    severa.change("phases", first["guid"], isCompleted=True)
    carried(shop)
    assert fees(shop)[0]["phase"]["name"] == "Drift"


def test_a_euro_invoice_is_booked_crowns_on_a_crown_project_and_euros_on_a_euro_project(
    shop: Workshop,
) -> None:
    rows = [
        {"Account": 4535, "DebitCurrency": 100, "Project": "3001"},
        {"Account": 4535, "DebitCurrency": 200, "Project": "3003"},
    ]
    number = carried(shop, *rows, Currency="EUR", CurrencyRate="11.25")
    shown = [fees(shop)[0]["unitCost"], fees(shop, 3003)[0]["unitCost"]]
    assert [(one["amount"], one["currencyCode"]) for one in shown] == [
        (1125.0, "SEK"),
        (200.0, "EUR"),
    ]
    assert replayed(shop, [number]) == 0


@SQLITE
def test_where_severa_takes_no_crowns_on_a_euro_project_no_fee_of_as_many_euros_stays(
    shop: Workshop,
) -> None:
    severa = shop.partners.severa
    severa.options.fee_currency = "refuse"
    number = carried(shop, cost(5000, "3003"), cost(700))
    assert shop.outcome("project_fee", number) == ("blocked", "severa_value_refused")
    assert amounts(shop) == [700]
    severa.options.fee_currency = "project"
    shop.retry("project_fee", number)
    assert shop.outcome("project_fee", number) == ("blocked", "fee_currency_not_kept")
    assert fees(shop, 3003) == []
    assert replayed(shop, [number]) == 0
    severa.change("projects", 3003, currency="SEK")
    shop.look_at("project", guid_of(shop, 3003))
    assert shop.outcome("project_fee", number) == ("done", None)
    assert amounts(shop, 3003) == [5000]


def test_a_change_in_fortnox_changes_the_fee_while_it_is_not_invoiced(shop: Workshop) -> None:
    number = carried(shop)
    books = shop.partners.books
    books.change_supplier_invoice(number, SupplierInvoiceRows=[cost(5500), VAT])
    hear(shop, "vouchers")
    assert amounts(shop) == [5500]
    assert shop.log("project_fee", number) == ["created_project_fee", "changed_project_fee"]
    books.change_supplier_invoice(number, InvoiceNumber="UK-311", InvoiceDate="2026-11-01")
    shop.look_at("project_fee", number)
    (fee,) = fees(shop)
    assert (cost_of(fee), fee["eventDate"]) == (5500, "2026-11-01")
    assert fee["invoiceRowDescription"] == "Konsult & Co AB, UK-311: Underkonsult oktober"
    assert replayed(shop, [number]) == 0


def test_what_a_project_lead_adds_to_the_price_stays_when_the_cost_changes(shop: Workshop) -> None:
    number = carried(shop)
    severa, books = shop.partners.severa, shop.partners.books
    severa.change("projectfees", fees(shop)[0]["guid"], unitPrice=6000)
    books.change_supplier_invoice(number, SupplierInvoiceRows=[cost(5500), VAT])
    shop.look_at("project_fee", number)
    (fee,) = fees(shop)
    assert (fee["unitCost"]["amount"], fee["unitPrice"]["amount"]) == (5500.0, 6000.0)


def test_a_change_after_invoicing_adds_a_correcting_fee_and_later_ones_go_into_that(
    shop: Workshop,
) -> None:
    number = carried(shop)
    books = shop.partners.books
    invoice_fee(shop, fees(shop)[0])
    books.change_supplier_invoice(number, SupplierInvoiceRows=[cost(4000), VAT])
    shop.look_at("project_fee", number)
    assert amounts(shop) == [5000, -1000]
    assert fees(shop)[1]["unitPrice"]["amount"] == 1000.0
    assert fees(shop)[1]["description"].startswith("Rättelse: Konsult & Co AB, UK-310")
    assert replayed(shop, [number]) == 0
    books.change_supplier_invoice(number, SupplierInvoiceRows=[cost(5200), VAT])
    shop.look_at("project_fee", number)
    assert amounts(shop) == [5000, 200]
    books.change_supplier_invoice(number, SupplierInvoiceRows=[cost(5000), VAT])
    shop.look_at("project_fee", number)
    assert amounts(shop) == [5000]
    assert replayed(shop, [number]) == 0


def test_a_row_that_moves_to_another_project_moves_its_fee(shop: Workshop) -> None:
    number = carried(shop, cost(5000), cost(700))
    books = shop.partners.books
    books.change_supplier_invoice(number, SupplierInvoiceRows=[cost(700), cost(5000, "3002")])
    shop.look_at("project_fee", number)
    assert (amounts(shop), amounts(shop, 3002)) == ([700], [5000])
    assert replayed(shop, [number]) == 0


def test_rows_in_another_order_are_the_same_rows(shop: Workshop) -> None:
    travel = cost(700, Account=5810, TransactionInformation="Tåg")
    number = carried(shop, cost(5000), travel)
    writes = shop.partners.writes()
    books = shop.partners.books
    books.change_supplier_invoice(number, SupplierInvoiceRows=[travel, VAT, cost(5000)])
    shop.look_at("project_fee", number)
    assert shop.partners.writes() == writes
    assert amounts(shop) == [5000, 700]


def test_a_cancelled_invoice_takes_its_fees_away(shop: Workshop) -> None:
    number = carried(shop, cost(5000), cost(700, "3002"))
    shop.partners.books.cancel_supplier_invoice(number)
    hear(shop, "supplier-invoices")
    assert (amounts(shop), amounts(shop, 3002)) == ([], [])
    assert shop.outcome("project_fee", number) == ("done", None)
    assert shop.log("project_fee", number)[2:] == ["withdrew_project_fee"] * 2
    assert replayed(shop, [number]) == 0


def test_a_cancelled_invoice_whose_fee_was_invoiced_is_balanced(shop: Workshop) -> None:
    number = carried(shop)
    invoice_fee(shop, fees(shop)[0])
    shop.partners.books.cancel_supplier_invoice(number)
    shop.look_at("project_fee", number)
    assert amounts(shop) == [5000, -5000]
    assert fees(shop)[1]["product"]["code"] == "290"
    assert replayed(shop, [number]) == 0


def test_a_row_that_comes_back_gets_a_fee_again(shop: Workshop) -> None:
    number = carried(shop, cost(5000), cost(700, "3002"))
    books = shop.partners.books
    for rows in ([cost(5000)], [cost(5000), cost(700, "3002")]):
        books.change_supplier_invoice(number, SupplierInvoiceRows=rows)
        shop.look_at("project_fee", number)
    assert (amounts(shop), amounts(shop, 3002)) == ([5000], [700])
    assert replayed(shop, [number]) == 0


def test_a_credit_invoice_is_a_record_of_its_own_that_counts_once_it_is_booked(
    shop: Workshop,
) -> None:
    number = carried(shop)
    books = shop.partners.books
    credit = books.credit_supplier_invoice(number, book=False)["GivenNumber"]
    hear(shop, "supplier-invoices")
    assert amounts(shop) == [5000]
    assert shop.outcome("project_fee", credit) == ("skipped", "supplier_invoice_not_booked")
    books.book_supplier_invoice(credit)
    hear(shop, "supplier-invoices")
    assert amounts(shop) == [5000, -5000]
    assert fees(shop)[1]["quantity"] == -1.0
    assert f"[FX-{credit}-" in fees(shop)[1]["description"]
    assert replayed(shop, [number, credit]) == 0


@pytest.mark.parametrize("status", [403, 401])
def test_where_nothing_may_be_deleted_a_fee_is_taken_back_by_a_correcting_one(
    shop: Workshop, status: int
) -> None:
    severa = shop.partners.severa
    severa.options.missing_scope_status = status
    severa.add_client(CLIENT_ID, CLIENT_SECRET, ALL_SCOPES - {"fees:delete"})
    severa.expire_tokens()
    number = carried(shop)
    shop.partners.books.cancel_supplier_invoice(number)
    shop.look_at("project_fee", number)
    assert amounts(shop) == [5000, -5000]
    assert shop.outcome("project_fee", number) == ("done", None)
    assert shop.connection().stopped is None
    assert replayed(shop, [number]) == 0


def test_a_fee_that_a_person_has_removed_is_not_made_again(shop: Workshop) -> None:
    number = carried(shop)
    shop.partners.severa.delete("projectfees", fees(shop)[0]["guid"])
    assert replayed(shop, [number]) == 0
    shop.partners.books.change_supplier_invoice(number, SupplierInvoiceRows=[cost(5500)])
    assert replayed(shop, [number]) == 0
    assert fees(shop) == []
    assert shop.log("project_fee", number) == ["created_project_fee", "project_fee_removed"]


@pytest.mark.parametrize("takes_them", [False, True])
def test_a_closed_project_blocks_until_it_is_opened_and_holds_up_no_other_row(
    shop: Workshop, takes_them: bool
) -> None:
    severa = shop.partners.severa
    severa.options.fee_on_closed_project = takes_them
    severa.change("projects", 3001, isClosed=True)
    number = carried(shop, cost(5000), cost(700, "3002"))
    assert shop.outcome("project_fee", number) == ("blocked", "project_closed")
    assert (fees(shop), amounts(shop, 3002)) == ([], [700])
    shop.look_at("project", guid_of(shop, 3001))
    assert shop.outcome("project_fee", number) == ("blocked", "project_closed")
    severa.change("projects", 3001, isClosed=False)
    shop.look_at("project", guid_of(shop, 3001))
    assert (amounts(shop), amounts(shop, 3002)) == ([5000], [700])
    assert shop.outcome("project_fee", number) == ("done", None)


def test_a_project_that_is_opened_while_a_fee_is_looked_at_is_seen(shop: Workshop) -> None:
    number = bill(shop, cost())
    holder = shop.process.room.holder
    item = holder.claim_now(Want(shop.name, "project_fee", number))
    assert item is not None
    guid = guid_of(shop, 3001)
    shop.look_at("project", guid)
    found_closed = Settlement(
        "blocked", because("project_closed"), waits_for=project_fee.waiting_key(guid)
    )
    holder.settle(item, found_closed)
    shop.run()
    assert shop.outcome("project_fee", number) == ("done", None)
    assert amounts(shop) == [5000]


def test_a_row_that_severa_refuses_holds_up_no_other_row(shop: Workshop) -> None:
    refusal = '{"error":{"httpStatusCode":400,"type":"InvalidParameter","details":[]}}'
    fail_once(shop, "refuse", status=400, body=refusal)
    number = carried(shop, cost(5000), cost(700, "3002"))
    assert shop.outcome("project_fee", number) == ("blocked", "severa_value_refused")
    assert (fees(shop), amounts(shop, 3002)) == ([], [700])
    shop.retry("project_fee", number)
    assert (amounts(shop), amounts(shop, 3002)) == ([5000], [700])


def test_a_project_closed_after_its_fees_is_no_trouble_until_something_changes(
    shop: Workshop,
) -> None:
    number = carried(shop)
    shop.partners.severa.change("projects", 3001, isClosed=True)
    assert replayed(shop, [number]) == 0
    assert shop.outcome("project_fee", number) == ("done", None)
    shop.partners.books.cancel_supplier_invoice(number)
    shop.look_at("project_fee", number)
    assert shop.outcome("project_fee", number) == ("blocked", "project_closed")
    assert amounts(shop) == [5000]


@pytest.mark.parametrize("named", ["4001", "P1001"])
def test_a_project_that_severa_does_not_know_blocks_in_silence(shop: Workshop, named: str) -> None:
    shop.partners.books.add_project(named)
    writes = shop.partners.writes()
    number = carried(shop, cost(5000, named))
    assert shop.outcome("project_fee", number) == ("blocked", "project_unknown")
    assert shop.partners.writes() == writes


def test_a_project_that_appears_in_severa_sets_its_fees_going(shop: Workshop) -> None:
    severa = shop.partners.severa
    shop.partners.books.add_project("4001")
    number = carried(shop, cost(5000, "4001"))
    guid = severa.add_project(name="Nytt", number=4001, customer=1001)["guid"]
    shop.look_at("project", guid)
    assert amounts(shop, 4001) == [5000]
    assert shop.outcome("project_fee", number) == ("done", None)


def test_a_project_known_by_its_number_alone_gets_its_fees(shop: Workshop) -> None:
    shop.partners.severa.add_project(name="Nytt", number=4001, customer=1001)
    shop.partners.books.add_project("4001")
    carried(shop, cost(5000, "4001"))
    assert amounts(shop, 4001) == [5000]


@pytest.mark.parametrize("page", [50, 1000])
def test_a_restored_database_finds_the_fees_it_has_forgotten(shop: Workshop, page: int) -> None:
    shop.partners.severa.options.max_row_count = page
    for place in range(150):
        shop.partners.severa.add_fee(3001, name=f"Annat {place}")
    number = carried(shop, cost(5000), cost(700))
    forget(shop, number)
    shop.look_at("project_fee", number)
    assert amounts(shop) == [5000, 700]
    assert shop.log("project_fee", number).count("found_by_reference") == 2


def test_a_project_that_changes_its_currency_is_settled_in_both(shop: Workshop) -> None:
    row = {"Account": 4535, "DebitCurrency": 100, "Project": "3001"}
    number = carried(shop, row, Currency="EUR", CurrencyRate="11.25")
    invoice_fee(shop, fees(shop)[0])
    shop.partners.severa.change("projects", 3001, currency="EUR")
    shop.look_at("project_fee", number)
    shown = sorted((fee["unitCost"]["currencyCode"], cost_of(fee)) for fee in fees(shop))
    assert shown == [("EUR", 100), ("SEK", -1125), ("SEK", 1125)]
    assert replayed(shop, [number]) == 0


# --- doubt ---


def fail_once(shop: Workshop, kind: Kind, **fields: Any) -> None:
    shop.partners.severa.chaos.faults.append(Fault(kind, "/projectfees$", "POST", **fields))


def settle_down(shop: Workshop) -> None:
    for _ in range(6):
        shop.clock.move_on(LATER)
        shop.run()


@pytest.mark.parametrize("kind", ["lose", "break", "mask"])
def test_a_lost_answer_ends_in_one_fee(shop: Workshop, kind: Kind) -> None:
    fail_once(shop, kind, status=502, body="<html>")
    number = carried(shop)
    assert shop.outcome("project_fee", number)[0] == "waiting"
    settle_down(shop)
    assert amounts(shop) == [5000]
    assert shop.outcome("project_fee", number) == ("done", None)
    assert replayed(shop, [number]) == 0


def test_a_fee_that_is_made_late_is_found_and_not_made_again(shop: Workshop) -> None:
    fail_once(shop, "late", delay=0.5)
    number = carried(shop)
    until("Severa has made it", lambda: len(fees(shop)) == 1)
    settle_down(shop)
    assert amounts(shop) == [5000]
    assert "found_by_reference" in shop.log("project_fee", number)


@pytest.mark.parametrize("method", ["PATCH", "DELETE"])
def test_a_change_whose_answer_is_lost_is_made_once(shop: Workshop, method: str) -> None:
    number, books = carried(shop, cost(5000), cost(700, "3002")), shop.partners.books
    fault = Fault("lose", "/projectfees/", method)
    shop.partners.severa.chaos.faults.append(fault)
    books.change_supplier_invoice(number, SupplierInvoiceRows=[cost(5500)])
    shop.look_at("project_fee", number)
    settle_down(shop)
    assert (amounts(shop), amounts(shop, 3002), fault.times) == ([5500], [], 0)
    assert fees(shop)[0]["unitPrice"]["amount"] == 5500.0
    books.change_supplier_invoice(number, SupplierInvoiceRows=[cost(5500), cost(700, "3002")])
    shop.look_at("project_fee", number)
    assert (amounts(shop), amounts(shop, 3002)) == ([5500], [700])
    assert replayed(shop, [number]) == 0


def test_a_fee_made_with_what_was_booked_then_is_brought_up_to_date(shop: Workshop) -> None:
    fail_once(shop, "lose")
    number = carried(shop)
    shop.partners.books.change_supplier_invoice(number, SupplierInvoiceRows=[cost(5500), VAT])
    settle_down(shop)
    assert amounts(shop) == [5500]
    assert replayed(shop, [number]) == 0


def test_a_fee_of_another_invoice_with_nearly_the_same_mark_is_not_ours(shop: Workshop) -> None:
    number = carried(shop)
    mark = fees(shop)[0]["description"].split()[-1]
    shop.partners.severa.delete("projectfees", fees(shop)[0]["guid"])
    shop.partners.severa.add_fee(3001, description=f"kopia {mark[:-1]}-2]", unitCost=5000)
    forget(shop, number)
    shop.look_at("project_fee", number)
    assert len(fees(shop)) == 2


def test_a_fee_that_is_invoiced_while_it_is_looked_at_is_corrected_instead(
    shop: Workshop,
) -> None:
    number = carried(shop)
    fee = fees(shop)[0]
    looks = Fault("stall", f"/projectfees/{fee['guid']}$", "GET", delay=1.0)
    shop.partners.severa.chaos.faults.append(looks)
    shop.partners.books.change_supplier_invoice(number, SupplierInvoiceRows=[cost(5500), VAT])
    lead = Timer(0.5, invoice_fee, (shop, fee))
    lead.start()
    shop.look_at("project_fee", number)
    lead.join()
    assert amounts(shop) == [5000, 500]
    assert shop.outcome("project_fee", number) == ("done", None)
