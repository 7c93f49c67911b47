"""What neither system documents: every reading of it is tried, and the books come out the same.

The readings stand in docs/readings.md. A reading is an option of a sandbox, set
here to what it is not by default.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any, Literal

import pytest

from app import worklist
from app.fortnox import webhook
from app.sandbox.chaos import Fault
from app.sandbox.fortnox.errors import MADE_UP
from app.sandbox.severa import PAID, RECEIVED, TRANSFER, Row
from app.severa.schemas import Changed
from app.sync import refusals, wants
from app.sync.polls import POLLS
from tests.installation import Addresses
from tests.journeys.test_invoices import status
from tests.journeys.test_project_fees import bill, cost, fees
from tests.servers import RedisServer
from tests.workshop import Workshop, long_shop

pytestmark = pytest.mark.xdist_group("readings")  # one company for all of them

STORIES: dict[str, dict[str, object]] = {
    "both are strict": {
        "fortnox__booking_touches_invoices": False,
        "fortnox__empty_locked_period": "absent",
        "fortnox__limit_over_500": "refuse",
        "fortnox__payments_touch_invoices": False,
        "fortnox__positional_rows_keep_old_values": False,
        "fortnox__read_only_fields": "refuse",
        "fortnox__search": "exact",
        "fortnox__unknown_parameter": "refuse",
        "fortnox__unpaid_needs_booked": False,
        "fortnox__vat_rounding": "row",
        "severa__fee_gets_first_phase": True,
        "severa__flat_rate_as_array": False,
        "severa__max_row_count": 100,
        "severa__number_on_numbering_status": False,
        "severa__patch_paths": "guid",
        "severa__require_client_id": True,
        "severa__row_patch_bumps_invoice": False,
        "severa__vat_rounding": "rate",
    },
    "fortnox is lax, severa takes objects and no date of payment": {
        "fortnox__check_characters": False,
        "fortnox__net_includes_fees": True,
        "fortnox__null_clears": True,
        "fortnox__roundoff": False,
        "fortnox__search": "prefix",
        "fortnox__text_row_account": None,
        "fortnox__trim_quantities": True,
        "fortnox__vat_half": "even",
        "severa__patch_paths": "object",
        "severa__payment_date_patch": False,
        "severa__read_only_status_locks": False,
    },
}
LONG = "Utveckling och förvaltning av webbplats, i tre delar. " * 6
ROWS = [  # together half an öre of VAT, which up and even see differently
    Row("hours", Decimal("0.1"), Decimal("99.00"), LONG, "100"),
    Row("fee", 3, Decimal("33.30"), "Licens", "200"),
    Row("hours", Decimal("7.333"), 1100, "Möten\nUtredning", "100"),
]


@pytest.fixture(scope="module")
def company(
    migrated: Path,
    shared_redis: RedisServer,
    homes: Addresses,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Workshop]:
    folder = tmp_path_factory.mktemp("readings")
    with long_shop(migrated, shared_redis, homes, folder) as opened:
        yield opened


@pytest.fixture
def shop(company: Workshop) -> Workshop:
    """Whatever the test before left behind."""
    company.partners.fortnox.chaos.faults.clear()
    company.connect()
    return company


@contextmanager
def reading(shop: Workshop, **options: object) -> Iterator[None]:
    """While it lasts, the vendors behave so; named `<system>__<option>`."""
    vendors = {"severa": shop.partners.severa.options, "fortnox": shop.partners.fortnox.options}
    named = [(*name.split("__"), value) for name, value in options.items()]
    before = [(system, name, getattr(vendors[system], name)) for system, name, _ in named]
    for system, name, value in named:
        setattr(vendors[system], name, value)
    try:
        yield
    finally:
        for system, name, value in before:
            setattr(vendors[system], name, value)


def in_transfer(shop: Workshop, rows: list[Row] = ROWS, customer: int = 1001, **more: Any) -> str:
    project = {1001: 3001, 1003: 3004, 1004: 3003}[customer]
    guid: str = shop.partners.severa.add_invoice(customer, [project], rows, **more)["guid"]
    shop.partners.severa.set_status(guid, TRANSFER)
    return guid


def carry(shop: Workshop, guid: str) -> str:
    """Its number in Fortnox; it is there once."""
    shop.look_at("invoice", guid)
    assert (shop.outcome("invoice", guid), status(shop, guid)) == (("done", None), RECEIVED)
    assert shop.partners.invoices_by_reference()[f"severa:{guid}"] == 1
    number: str = shop.row("invoice", guid).target_id
    return number


@pytest.mark.parametrize("story", STORIES)
def test_the_books_come_out_the_same_when(shop: Workshop, story: str) -> None:
    books = shop.partners.books
    with reading(shop, **STORIES[story]):
        guid = in_transfer(shop)
        number = carry(shop, guid)
        shop.partners.severa.change_invoice(guid, orderNumber="PO-1")
        shop.partners.severa.set_status(guid, TRANSFER)
        assert carry(shop, guid) == number
        assert books.invoices[number]["YourOrderNumber"] == "PO-1"
        assert books.invoices[number]["Net"] == Decimal("8176.10")
        books.book(number)
        books.pay(number)
        shop.look_at("payment", number)
        assert (shop.outcome("payment", number), status(shop, guid)) == (("done", None), PAID)
        is_undated = STORIES[story].get("severa__payment_date_patch") is False
        assert shop.log("payment", number) == ["paid_undated" if is_undated else "paid"]
        known = len(fees(shop))
        bought = bill(shop, cost(500), InvoiceNumber=story[:60])
        shop.look_at("project_fee", bought)
        assert len(fees(shop)) == known + 1
        polls = [key for key in POLLS if key.startswith("fortnox")]
        writes = shop.partners.writes()
        shop.look_at("poll", *polls)
        assert {shop.outcome("poll", one)[1] for one in polls} == {None}
        shop.hear_of("invoice", guid)
        shop.hear_of("payment", number)
        shop.look_at("project_fee", bought)
        assert shop.partners.writes() == writes


def test_a_status_that_cannot_be_left_stops_the_payment_and_nothing_is_done_twice(
    shop: Workshop,
) -> None:
    """Severa's received status is read-only; that one may leave it is not documented."""
    guid = in_transfer(shop)
    number = carry(shop, guid)
    shop.partners.books.book(number)
    shop.partners.books.pay(number)
    with reading(shop, severa__status_patch_when_read_only=False):
        shop.look_at("payment", number)
        assert shop.outcome("payment", number) == ("blocked", "severa_operation_refused")
        assert status(shop, guid) == RECEIVED
    shop.retry("payment", number)
    assert status(shop, guid) == PAID


@pytest.mark.parametrize(
    ("customer", "foreign_vat"), [(1004, "keep"), (1003, "refuse"), (1004, "refuse")]
)
def test_vat_on_rows_abroad(shop: Workshop, customer: int, foreign_vat: str) -> None:
    rows = [Row("hours", 3, 1100, "Utredning", "100", vat=0)]
    with reading(shop, fortnox__foreign_vat=foreign_vat):
        number = carry(shop, in_transfer(shop, rows, customer))
    assert shop.partners.books.invoices[number]["TotalVAT"] == 0


def test_vat_on_a_sale_that_fortnox_makes_without_any_is_stopped_before_it_is_sent(
    shop: Workshop,
) -> None:
    """Whatever Fortnox would make of it; when the customer is charged VAT there too, it goes on."""
    books, rows = shop.partners.books, [Row("hours", 3, 1100, "Utredning", "100", vat=25)]
    guids = [in_transfer(shop, rows, customer) for customer in (1003, 1004)]
    for foreign_vat in ("zero", "keep", "refuse"):
        with reading(shop, fortnox__foreign_vat=foreign_vat):
            shop.look_at("invoice", *guids)
        stopped = {shop.outcome("invoice", guid) for guid in guids}
        assert stopped == {("blocked", "vat_on_untaxed_sale")}
    assert not {f"severa:{guid}" for guid in guids} & shop.partners.invoices_by_reference().keys()
    shop.look_at("poll", "fortnox:registers")
    for number in (1003, 1004):
        books.change_customer(number, VATType="SEVAT")
    shop.look_at("poll", "fortnox:registers")
    assert {status(shop, guid) for guid in guids} == {RECEIVED}


def test_without_project_accounting_projects_go_over_and_the_log_says_what_is_lost(
    shop: Workshop,
) -> None:
    fresh = shop.partners.severa.add_project(name="Nytt intranät", number=3090, customer=1001)
    known = len(fees(shop))
    with reading(shop, fortnox__project_accounting="off"):
        shop.look_at("project", fresh["guid"])
        guid = in_transfer(shop)
        number = carry(shop, guid)
        bought = bill(shop, cost(500), InvoiceNumber="UK-off")
        shop.look_at("project_fee", bought)
    assert "3090" in shop.partners.books.projects
    assert shop.partners.books.invoices[number]["Project"] == ""
    assert shop.log("invoice", guid) == ["created_invoice", "projects_lost", "moved_to_received"]
    assert (shop.outcome("project_fee", bought)[0], len(fees(shop))) == ("skipped", known)


def test_where_projects_are_then_refused_the_invoice_waits_for_project_accounting(
    shop: Workshop,
) -> None:
    guid = in_transfer(shop)
    with reading(shop, fortnox__project_accounting="off_refuses"):
        shop.look_at("invoice", guid)
        assert shop.outcome("invoice", guid) == ("blocked", "fortnox_project_accounting_off")
        assert f"severa:{guid}" not in shop.partners.invoices_by_reference()
    shop.retry("invoice", guid)
    carry(shop, guid)


@pytest.mark.parametrize("status_code", [400, 403])
def test_a_lost_licence_stops_the_connection_under_either_status(
    shop: Workshop, status_code: int
) -> None:
    books = shop.partners.books
    with reading(shop, fortnox__permission_status=status_code):
        books.lose_licence("invoice")
        guid = in_transfer(shop)
        shop.look_at("invoice", guid)
        assert shop.outcome("invoice", guid) == ("blocked", "fortnox_licence_missing")
        books.regain_licence("invoice")
    shop.clock.move_on(timedelta(minutes=6))
    shop.run()
    carry(shop, guid)


@pytest.mark.parametrize(
    ("body", "headers"),
    [
        ("", {}),
        ("<html>Too many requests</html>", {"Retry-After": "0"}),
        ('{"message":"busy"}', {"Retry-After": "0"}),
    ],
)
def test_busy_in_any_form_is_waited_for(shop: Workshop, body: str, headers: dict[str, str]) -> None:
    busy = Fault("refuse", "/3/invoices$", "POST", status=429, body=body, headers=headers)
    shop.partners.fortnox.chaos.faults[:] = [busy]
    guid = in_transfer(shop)
    shop.look_at("invoice", guid)
    assert shop.outcome("invoice", guid) == ("waiting", "vendor_busy")
    shop.clock.move_on(timedelta(seconds=6))
    carry(shop, guid)


@pytest.mark.parametrize(
    "options",
    [
        {"fortnox__jwt_tokens": False, "fortnox__token_scope": False},
        {"fortnox__access_token_seconds": 20.0, "severa__token_lifetime": 20.0},
    ],
)
def test_a_token_of_any_kind_and_length_will_do(shop: Workshop, options: dict[str, object]) -> None:
    shop.partners.fortnox.tokens.access.clear()
    shop.partners.severa.access.expire()
    with reading(shop, **options):
        carry(shop, in_transfer(shop))


def test_a_credit_note_is_linked_whether_or_not(shop: Workshop) -> None:
    """It is marked, names its original, needs that one booked first, has a number in Severa;
    and under whichever of two names Severa has its original.
    """
    others = {f"fortnox__credit_{one}": False for one in ("marks_note", "refers_back")}
    others |= {"fortnox__credit_needs_booked": False, "severa__number_credit_notes": False}
    others |= {"severa__credited_under": "creditNoteInvoice"}
    books = shop.partners.books
    with reading(shop, **others):
        guid = in_transfer(shop)
        original = carry(shop, guid)
        books.book(original)
        note = shop.partners.severa.add_credit_note(guid)["guid"]
        shop.partners.severa.set_status(note, TRANSFER)
        number = carry(shop, note)
    assert books.invoices[original]["CreditInvoiceReference"] == number
    assert abs(books.invoices[number]["Net"]) == Decimal("8176.10")


def test_a_payment_taken_back_in_either_way_returns_the_invoice(shop: Workshop) -> None:
    books = shop.partners.books
    with reading(shop, fortnox__delete_paid_reverses=False, fortnox__delete_booked_payment=True):
        guid = in_transfer(shop)
        number = carry(shop, guid)
        books.book(number)
        payment = books.pay(number)
        shop.look_at("payment", number)
        assert status(shop, guid) == PAID
        books.unpay(payment["Number"])
        shop.look_at("payment", number)
        assert status(shop, guid) == RECEIVED


def test_a_socket_that_starts_at_the_earliest_with_numbers_for_ids_costs_no_write(
    shop: Workshop,
) -> None:
    events = shop.partners.fortnox.events
    with reading(shop, fortnox__websocket_start="earliest", fortnox__numbers_in_events=True):
        guid = in_transfer(shop)
        number = carry(shop, guid)
        shop.partners.books.book(number)
        shop.partners.books.pay(number)
        assert events.start("invoices", None) == 0
        shop.look_at("payment", number)
        writes = shop.partners.writes()
        told = [webhook.read(one) for one in events[-40:]]
        wanted = [wants.of_fortnox(shop.name, one).want for one in told]
    assert ("payment", number) in {(one.kind, one.key) for one in wanted if one}
    with shop.hall.db.transaction() as tx:
        worklist.enqueue(tx, [one for one in wanted if one], shop.clock())
    shop.run()
    assert shop.partners.writes() == writes


def test_a_file_that_leaves_the_inbox_is_attached_once(shop: Workshop) -> None:
    books = shop.partners.books
    shop.connect(transfer_attachments=True)
    with reading(shop, fortnox__connected_files_leave_inbox=True):
        guid = in_transfer(shop)
        shop.partners.severa.add_file(guid, "tidrapport.pdf", b"%PDF-1.4 tidrapport")
        number = carry(shop, guid)
        shop.partners.severa.set_status(guid, TRANSFER)
        carry(shop, guid)
    assert [str(one["entityId"]) for one in books.attachments.values()] == [number]


def test_a_locked_period_that_takes_drafts_stops_the_booking(shop: Workshop) -> None:
    books = shop.partners.books
    shop.connect(bookkeep_invoices=True)
    books.lock_period("2030-12-31")
    with reading(shop, fortnox__locked_period_refuses_new=False):
        guid = in_transfer(shop)
        shop.look_at("invoice", guid)
        assert shop.outcome("invoice", guid) == ("blocked", "fortnox_period_locked")
    books.lock_period(None)
    shop.retry("invoice", guid)
    number = carry(shop, guid)
    assert books.invoices[number]["Booked"]


@pytest.mark.parametrize("way", ["refuse", "renumber"])
def test_a_number_that_is_taken_in_fortnox_makes_one_invoice_and_is_told(
    shop: Workshop, way: Literal["refuse", "renumber"]
) -> None:
    shop.connect(invoice_numbering="severa")
    guid = in_transfer(shop)
    number = str(shop.partners.severa.find("invoices", guid)["number"])
    shop.partners.books.add_invoice(CustomerNumber="1001", DocumentNumber=number)
    with reading(shop, fortnox__duplicate_document_number=way):
        shop.look_at("invoice", guid)
    if way == "refuse":
        assert shop.outcome("invoice", guid) == ("blocked", "vendor_refused")
        assert number in shop.row("invoice", guid).reason["facts"]["words"]
    else:
        assert carry(shop, guid) != number
        assert "number_not_kept" in shop.log("invoice", guid)


def test_an_instant_without_a_zone_is_utc() -> None:
    bare, zoned = (
        {"guid": "1", "lastUpdatedDateTime": f"2026-11-24T08:00:00{z}"} for z in ("", "Z")
    )
    assert Changed.model_validate(bare) == Changed.model_validate(zoned)


def test_nothing_depends_on_a_code_that_the_sandbox_made_up() -> None:
    known = {*refusals.FORTNOX, *refusals.FORTNOX_CONNECTION}
    assert all(int(code) < MADE_UP for code in known)
