"""PDFs on a Severa invoice go with the Fortnox invoice: each once, and none holds it up."""

from datetime import timedelta
from typing import Any

import pytest

from app import sync, worklist
from app.sandbox.chaos import Fault, Kind
from app.sandbox.fortnox import files
from app.sandbox.severa import RECEIVED, TRANSFER
from app.worklist import Want
from tests.installation import until
from tests.journeys.test_doubt import settle_down
from tests.journeys.test_invoices import status
from tests.workshop import Workshop

PDF = b"%PDF-1.4 tidrapport"
MEGABYTE = 1_000_000
ATTACH = "attachments-v1$"


@pytest.fixture
def shop(shop: Workshop) -> Workshop:
    shop.connect(transfer_attachments=True)
    return shop


def ordered(shop: Workshop, **contents: bytes) -> str:
    """An invoice in the transfer status with these PDFs, named without their ending."""
    guid: str = shop.partners.severa.add_simple_invoice()["guid"]
    for name, content in contents.items():
        shop.partners.severa.add_file(guid, f"{name}.pdf", content)
    shop.partners.severa.set_status(guid, TRANSFER)
    return guid


def pdf(size: int, mark: bytes = b"x") -> bytes:
    return PDF + mark * (size - len(PDF))


def attached(shop: Workshop, number: int = 1) -> list[bytes]:
    """The contents of what goes with an invoice, in order."""
    books = shop.partners.books
    content = {one.archive_id: one.content for one in books.files.values()}
    return [
        content[one["fileId"]]
        for one in books.attachments.values()
        if (one["entityType"], one["entityId"], one["includeOnSend"]) == ("F", number, True)
    ]


def uploads(shop: Workshop) -> int:
    calls = shop.partners.fortnox.chaos.calls
    return sum((call.method, call.path) == ("POST", "/3/inbox") for call in calls)


def warnings(shop: Workshop, guid: str) -> list[str]:
    return [one for one in shop.log("invoice", guid) if one.startswith("attachment")]


def test_every_pdf_goes_with_the_invoice_and_is_included_when_it_is_sent(shop: Workshop) -> None:
    guid = ordered(shop, ett=PDF + b"1", två=PDF + b"2")
    shop.look_at("invoice", guid)
    assert attached(shop) == [PDF + b"1", PDF + b"2"]
    names = [one.name for one in shop.partners.books.files.values()]
    assert [name.rsplit("-", 1)[0] for name in names] == ["ett", "tva"]
    assert {one.folder for one in shop.partners.books.files.values()} == {"inbox_kf"}
    assert status(shop, guid) == RECEIVED
    assert shop.log("invoice", guid) == [
        "created_invoice",
        "attached_file",
        "attached_file",
        "moved_to_received",
    ]


def test_nothing_is_attached_and_no_file_is_asked_for_when_it_is_switched_off(
    shop: Workshop,
) -> None:
    shop.connect(transfer_attachments=False)
    guid = ordered(shop, ett=PDF)
    shop.look_at("invoice", guid)
    assert status(shop, guid) == RECEIVED
    assert shop.partners.books.files == {}
    assert not [c for c in shop.partners.severa.chaos.calls if c.path.endswith("/files")]


def test_the_picture_of_the_invoice_is_never_asked_for(shop: Workshop) -> None:
    shop.look_at("invoice", ordered(shop, ett=PDF))
    assert not [c for c in shop.partners.severa.chaos.calls if c.path.endswith("/pdf")]
    assert len(attached(shop)) == 1


def test_a_booked_invoice_gets_its_attachments_too(shop: Workshop) -> None:
    shop.connect(transfer_attachments=True, bookkeep_invoices=True)
    guid = ordered(shop, ett=PDF)
    shop.look_at("invoice", guid)
    assert (len(attached(shop)), status(shop, guid)) == (1, RECEIVED)


def test_what_is_no_pdf_stays_behind_with_a_warning(shop: Workshop) -> None:
    guid = ordered(shop, äkta=PDF, förklädd=b"PK\x03\x04")
    shop.partners.severa.add_file(guid, "bild.png", b"\x89PNG", content_type="image/png")
    shop.look_at("invoice", guid)
    assert attached(shop) == [PDF]
    assert uploads(shop) == 1
    assert warnings(shop, guid) == ["attachment_not_pdf", "attachment_not_pdf"]
    assert status(shop, guid) == RECEIVED


def test_a_file_over_five_megabytes_stays_behind_and_is_not_even_fetched(shop: Workshop) -> None:
    guid = ordered(shop, stor=pdf(5 * MEGABYTE + 1), precis=pdf(5 * MEGABYTE))
    shop.look_at("invoice", guid)
    assert [len(one) for one in attached(shop)] == [5 * MEGABYTE]
    fetched = [c for c in shop.partners.severa.chaos.calls if c.path.endswith("/filedata")]
    assert len(fetched) == 1
    assert warnings(shop, guid) == ["attachment_too_large"]
    assert status(shop, guid) == RECEIVED


@pytest.mark.parametrize("said", [None, 1.0])
def test_a_file_that_is_larger_than_severa_says_stays_behind(
    shop: Workshop, said: float | None
) -> None:
    guid = ordered(shop, stor=pdf(6 * MEGABYTE))
    (listed,) = shop.partners.severa.world.all("invoicefiles", guid)
    listed["size"] = said
    shop.look_at("invoice", guid)
    assert (attached(shop), uploads(shop)) == ([], 0)
    assert warnings(shop, guid) == ["attachment_too_large"]
    assert status(shop, guid) == RECEIVED


def test_the_sixth_file_stays_behind(shop: Workshop) -> None:
    guid = ordered(shop, **{f"fil{n}": PDF + str(n).encode() for n in range(6)})
    shop.look_at("invoice", guid)
    assert attached(shop) == [PDF + str(n).encode() for n in range(5)]
    assert uploads(shop) == 5
    assert warnings(shop, guid) == ["attachments_too_many"]
    assert status(shop, guid) == RECEIVED


def test_what_makes_more_than_fifteen_megabytes_together_stays_behind(shop: Workshop) -> None:
    guid = ordered(
        shop,
        a=pdf(5 * MEGABYTE, b"a"),
        b=pdf(5 * MEGABYTE, b"b"),
        c=pdf(4 * MEGABYTE, b"c"),
        d=pdf(2 * MEGABYTE, b"d"),
        e=pdf(1 * MEGABYTE, b"e"),
    )
    shop.look_at("invoice", guid)
    assert [len(one) // MEGABYTE for one in attached(shop)] == [5, 5, 4, 1]
    assert warnings(shop, guid) == ["attachments_too_large_together"]
    assert status(shop, guid) == RECEIVED


def test_a_file_that_is_for_severas_own_people_is_not_sent_to_the_customer(shop: Workshop) -> None:
    guid = ordered(shop, intern=PDF)
    (listed,) = shop.partners.severa.world.all("invoicefiles", guid)
    listed["isInternal"] = True
    shop.look_at("invoice", guid)
    assert (attached(shop), warnings(shop, guid)) == ([], ["attachment_internal"])


def test_a_file_that_is_gone_when_it_is_fetched_holds_nothing_up(shop: Workshop) -> None:
    guid = ordered(shop, borta=PDF)
    fault = Fault("refuse", "/filedata$", status=404)
    shop.partners.severa.chaos.faults.append(fault)
    shop.look_at("invoice", guid)
    assert warnings(shop, guid) == ["attachment_gone"]
    assert status(shop, guid) == RECEIVED


REFUSALS = {
    "attachment_files_max_count_exceeded": "attachments_too_many",
    "attachment_files_max_size_exceeded": "attachments_too_large_together",
    "file_too_big": "attachment_too_large",
    "wrong_file_type": "attachment_not_pdf",
}
WITHOUT_WORDS_OF_OUR_OWN = (
    *("attachment_files_max_pages_exceeded", "could_not_retrieve_document", "field_not_writable"),
    *("max_total_attachments_exceeded", "mismatch_attachment_id", "missing_mandatory_field"),
    *("mixed_documents", "no_attachment_provided", "too_many_attachments_in_one_request"),
    *("wrong_file_location", "something_new", "file_not_found", "attachment_not_found"),
)


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_what_fortnox_refuses_to_attach_is_a_warning_whatever_it_has_against_it(
    shop: Workshop,
) -> None:
    """Every code that is documented. One that tells of the invoice itself is waited for."""
    told = REFUSALS | dict.fromkeys(WITHOUT_WORDS_OF_OUR_OWN, "attachment_refused")
    for error, warning in told.items():
        guid = ordered(shop, ett=PDF + error.encode())
        body = f'{{"error": "{error}", "message": "No."}}'
        fault = Fault("refuse", ATTACH, "POST", status=404 if "found" in error else 400, body=body)
        shop.partners.fortnox.chaos.faults[:] = [fault]
        shop.look_at("invoice", guid)
        assert (error, warnings(shop, guid)) == (error, [warning])
        assert status(shop, guid) == RECEIVED


def test_files_that_a_person_has_attached_count_and_stay(shop: Workshop) -> None:
    guid = ordered(shop)
    shop.look_at("invoice", guid)
    by_hand(shop, *(PDF + str(n).encode() for n in range(4)))
    shop.partners.severa.add_file(guid, "fem.pdf", PDF + b"five")
    shop.partners.severa.add_file(guid, "sex.pdf", PDF + b"six")
    shop.partners.severa.set_status(guid, TRANSFER)
    shop.look_at("invoice", guid)
    assert attached(shop)[4:] == [PDF + b"five"]
    assert warnings(shop, guid) == ["attachments_too_many"]


def by_hand(shop: Workshop, *contents: bytes) -> None:
    """A person attaches files in Fortnox."""
    books = shop.partners.books
    for content in contents:
        stored = sandbox_store(books, content)
        books.attachments[stored.id] = {
            "id": stored.id,
            "entityId": 1,
            "entityType": "F",
            "fileId": stored.archive_id,
            "includeOnSend": True,
        }


def sandbox_store(books: Any, content: bytes) -> Any:
    return files.store(books, "egen.pdf", content, "inbox_kf")


# --- each file once ---


def test_a_file_that_is_added_later_goes_alone_when_the_invoice_is_transferred_again(
    shop: Workshop,
) -> None:
    guid = ordered(shop, ett=PDF + b"1")
    shop.look_at("invoice", guid)
    shop.partners.severa.add_file(guid, "två.pdf", PDF + b"2")
    shop.look_at("invoice", guid)
    assert uploads(shop) == 1  # not before it is transferred again
    shop.partners.severa.set_status(guid, TRANSFER)
    shop.look_at("invoice", guid)
    assert attached(shop) == [PDF + b"1", PDF + b"2"]
    assert uploads(shop) == 2
    assert status(shop, guid) == RECEIVED


def test_seeing_the_invoice_again_attaches_nothing_and_warns_no_more(shop: Workshop) -> None:
    guid = ordered(shop, ett=PDF, fel=b"PK")
    shop.look_at("invoice", guid)
    writes = shop.partners.writes()
    for _ in range(3):
        shop.look_at("invoice", guid)
    assert shop.partners.writes() == writes
    shop.partners.severa.set_status(guid, TRANSFER)
    shop.look_at("invoice", guid)
    assert (len(attached(shop)), uploads(shop)) == (1, 1)
    assert warnings(shop, guid) == ["attachment_not_pdf"]


@pytest.mark.parametrize("path", ["/3/inbox$", ATTACH])
@pytest.mark.parametrize("kind", ["lose", "break", "mask", "late"])
def test_a_file_whose_answer_is_lost_is_looked_for_before_it_is_sent_again(
    shop: Workshop, path: str, kind: Kind
) -> None:
    guid = ordered(shop, ett=PDF)
    fault = Fault(kind, path, "POST", status=502, delay=0.2)
    shop.partners.fortnox.chaos.faults.append(fault)
    shop.look_at("invoice", guid)
    assert shop.outcome("invoice", guid)[0] == "waiting"
    assert status(shop, guid) == TRANSFER
    if kind == "late":
        books = shop.partners.books
        shelf = books.files if path == "/3/inbox$" else books.attachments
        until("it has come through", lambda: shelf)
    settle_down(shop)
    assert attached(shop) == [PDF]
    assert len(shop.partners.books.files) == 1
    assert shop.partners.invoices_by_reference() == {f"severa:{guid}": 1}
    assert status(shop, guid) == RECEIVED


@pytest.mark.parametrize("leaves_inbox", [False, True])
def test_a_restored_database_knows_the_file_that_is_attached_already(
    shop: Workshop, leaves_inbox: bool
) -> None:
    guid = ordered(shop, ett=PDF + b"1", två=PDF + b"2")
    shop.look_at("invoice", guid)
    if leaves_inbox:
        for stored in shop.partners.books.files.values():
            stored.folder = "root"
    shop.forget_everything_about("invoice", guid)
    shop.partners.severa.set_status(guid, TRANSFER)
    shop.look_at("invoice", guid)
    assert attached(shop) == [PDF + b"1", PDF + b"2"]
    assert uploads(shop) == 2
    assert status(shop, guid) == RECEIVED


def test_an_invoice_that_is_made_anew_gets_its_files_again(shop: Workshop) -> None:
    guid = ordered(shop, ett=PDF)
    shop.look_at("invoice", guid)
    shop.partners.books.cancel("1")
    shop.partners.severa.set_status(guid, TRANSFER)
    shop.look_at("invoice", guid)
    assert attached(shop, 2) == [PDF]
    assert status(shop, guid) == RECEIVED


def test_an_outage_in_the_middle_leaves_what_was_done(shop: Workshop) -> None:
    guid = ordered(shop, ett=PDF + b"1", två=PDF + b"2", tre=PDF + b"3")
    fault = Fault("refuse", ATTACH, "POST", status=429, skip=1)
    shop.partners.fortnox.chaos.faults.append(fault)
    shop.look_at("invoice", guid)
    assert attached(shop) == [PDF + b"1"]
    shop.clock.move_on(timedelta(seconds=10))
    shop.run()
    assert attached(shop) == [PDF + b"1", PDF + b"2", PDF + b"3"]
    assert uploads(shop) == 3


def test_a_dry_run_tells_the_files_and_fetches_none(shop: Workshop) -> None:
    guid = ordered(shop, ett=PDF)
    writes = shop.partners.writes()
    sides = shop.process.room.sides(shop.connection(), worklist.LIVE)
    planned = sync.plan(sides, worklist.imagined(Want(shop.name, "invoice", guid)))
    actions = [one.action for one in planned if one.action.endswith(("_file", "_invoice"))]
    assert actions == ["create_invoice", "upload_file", "attach_file", "move_invoice"]
    assert shop.partners.writes() == writes
    assert not [c for c in shop.partners.severa.chaos.calls if c.path.endswith("/filedata")]
