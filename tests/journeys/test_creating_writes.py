"""Every write that creates something, by the same steps: whichever it is, there is one in the end.

Recorded before it is sent, looked for exactly, sent again only after two empty looks, and after two
unknown outcomes put before a person. Where the number is Fortnox's own key, it may be sent again.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta

import pytest
from sqlalchemy import delete, select

from app.locks import LockLost
from app.models import effects, outages
from app.sandbox.chaos import App, Chaos, Fault, Kind, Receive, Scope, Send
from app.sandbox.severa import TRANSFER
from tests.journeys.babble import Babble
from tests.journeys.crediting import booked_original, note_on
from tests.journeys.test_attachments import PDF
from tests.journeys.test_project_fees import bill, cost, fees
from tests.journeys.test_registers import HAMN, NORDBYGG, customers, guid_of
from tests.workshop import Workshop

LATER = timedelta(minutes=11)
NO_LOOKS = ("nothing", "only what it lacks", "every object a list", "every object empty")
pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


@dataclass(frozen=True)
class Write:
    """What is wanted, the call that creates it, and how many there are by the partners' books.

    `action` as it is recorded; `unique`: the target refuses a second one.
    """

    kind: str
    key: str
    action: str
    path: str
    count: Callable[[], int]
    side: str = "fortnox"
    method: str = "POST"
    unique: bool = False


def invoice(shop: Workshop) -> Write:
    guid = shop.partners.severa.add_simple_invoice()["guid"]
    shop.partners.severa.set_status(guid, TRANSFER)
    return Write("invoice", guid, "create_invoice", "/3/invoices$", lambda: _referring(shop, guid))


def credit_note_of_all(shop: Workshop) -> Write:
    guid = note_on(shop, booked_original(shop))
    shop.partners.severa.set_status(guid, TRANSFER)
    path = "/3/invoices/1/credit$"
    return Write(
        "invoice", guid, "create_invoice", path, lambda: _referring(shop, guid), method="PUT"
    )


def credit_note_in_part(shop: Workshop) -> Write:
    guid = note_on(shop, booked_original(shop), 3)
    shop.partners.severa.set_status(guid, TRANSFER)
    return Write("invoice", guid, "create_invoice", "/3/invoices$", lambda: _referring(shop, guid))


def customer(shop: Workshop) -> Write:
    books = shop.partners.books.customers
    return Write(
        "customer",
        guid_of(shop, NORDBYGG),
        "create_customer",
        "/3/customers$",
        lambda: len(books),
        unique=True,
    )


def article(shop: Workshop) -> Write:
    made = shop.partners.severa.add_product(name="Skylt", code="7001")["guid"]
    books = shop.partners.books.articles
    key = f"product:{made}"
    return Write("product", key, "create_product", "/3/articles$", lambda: len(books), unique=True)


def project(shop: Workshop) -> Write:
    guid = shop.partners.severa.find("projects", 3001)["guid"]
    shop.look_at("customer", guid_of(shop, NORDBYGG))
    books = shop.partners.books.projects
    return Write("project", guid, "create_project", "/3/projects$", lambda: len(books), unique=True)


def customer_in_severa(shop: Workshop) -> Write:
    shop.partners.severa.options.unique_customer_numbers = False
    shop.partners.books.add_customer(**HAMN)
    return Write(
        "customer",
        "fortnox:5001",
        "create_customer",
        "/v1/customers$",
        lambda: len(customers(shop, 5001)),
        "severa",
    )


def address_in_severa(shop: Workshop) -> Write:
    severa, books = shop.partners.severa, shop.partners.books
    shop.connect(customer_master="fortnox")
    books.add_customer(CustomerNumber="5001", Name="Hamn")
    shop.look_at("customer", "fortnox:5001")
    books.change_customer("5001", Address1="Kajen 1")

    def count() -> int:
        lines = [one["addressline"] for one in severa.records("addresses")]
        return lines.count("Kajen 1")

    return Write("customer", "fortnox:5001", "create_address", "/addresses$", count, "severa")


def product_in_severa(shop: Workshop) -> Write:
    shop.partners.books.add_article(ArticleNumber="7001", Description="Skylt", Unit="st", VAT=25)
    severa = shop.partners.severa

    def count() -> int:
        return [one["code"] for one in severa.records("products")].count("7001")

    return Write("product", "fortnox:7001", "create_product", "/v1/products$", count, "severa")


def fee_in_severa(shop: Workshop) -> Write:
    shop.look_at("project", shop.partners.severa.find("projects", 3001)["guid"])
    number = bill(shop, cost())
    path = "/v1/projectfees$"
    return Write(
        "project_fee", number, "create_project_fee", path, lambda: len(fees(shop)), "severa"
    )


def file(shop: Workshop) -> Write:
    books = shop.partners.books
    return Write("invoice", _with_file(shop), "upload_file", "/3/inbox$", lambda: len(books.files))


def attachment(shop: Workshop) -> Write:
    books = shop.partners.books
    path = "attachments-v1$"
    return Write("invoice", _with_file(shop), "attach_file", path, lambda: len(books.attachments))


WRITES: dict[str, Callable[[Workshop], Write]] = {
    one.__name__: one
    for one in (
        invoice,
        credit_note_of_all,
        credit_note_in_part,
        customer,
        article,
        project,
        customer_in_severa,
        address_in_severa,
        product_in_severa,
        fee_in_severa,
        file,
        attachment,
    )
}


# What is looked up by its number, by the invoice it credits or belongs to, needs no list.
IN_NO_LIST = ("customer", "article", "project", "credit_note_of_all", "attachment")


def _referring(shop: Workshop, guid: str) -> int:
    return shop.partners.invoices_by_reference()[f"severa:{guid}"]


def _with_file(shop: Workshop) -> str:
    shop.connect(transfer_attachments=True)
    guid: str = shop.partners.severa.add_simple_invoice()["guid"]
    shop.partners.severa.add_file(guid, "underlag.pdf", PDF)
    shop.partners.severa.set_status(guid, TRANSFER)
    return guid


class Spy:
    """Stands before a partner system: how a write was recorded at the moment its call arrives."""

    def __init__(self, shop: Workshop, write: Write, behind: App) -> None:
        self._shop, self._write, self._behind = shop, write, behind
        self.seen: list[str] = []

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        write = self._write
        asked = Fault("refuse", write.path, write.method)
        if scope["type"] == "http" and asked.matches(scope["method"], scope["path"]):
            self.seen.append(state_of(self._shop, write))
        await self._behind(scope, receive, send)


def state_of(shop: Workshop, write: Write) -> str:
    """How the youngest effect stands that says what is sent; empty where there is none."""
    query = select(effects.c.state).where(effects.c.action == write.action, effects.c.creates)
    with shop.hall.db.reading() as tx:
        last = tx.scalar(query.order_by(effects.c.id.desc()).limit(1))
    return last or ""


def chaos_of(shop: Workshop, write: Write) -> Chaos:
    side = shop.partners.severa if write.side == "severa" else shop.partners.fortnox
    return side.chaos


def fail(shop: Workshop, write: Write, kind: Kind, times: int = 1) -> None:
    chaos_of(shop, write).faults.append(Fault(kind, write.path, write.method, times=times))


def calls(shop: Workshop, write: Write) -> int:
    asked = Fault("refuse", write.path, write.method)
    return sum(asked.matches(one.method, one.path) for one in chaos_of(shop, write).calls)


def look_in_vain(shop: Workshop, write: Write) -> None:
    """Whatever is answered to a look that is not a list of what there is, is not an empty one."""
    asked, babble = calls(shop, write), Babble()
    babble.before(shop.partners)
    for way in NO_LOOKS:
        shop.clock.move_on(LATER)
        with shop.hall.db.transaction() as tx:
            tx.execute(delete(outages))
        babble.listen(way, f"GET {write.side}")
        shop.run()
        state, reason = shop.outcome(write.kind, write.key)
        assert (state, reason != "our_bug") == ("waiting", True), (way, babble.spoiled, reason)
        assert babble.spoiled, way
    babble.listen()
    assert calls(shop, write) == asked


def pass_time(shop: Workshop, rounds: int = 4) -> None:
    for _ in range(rounds):
        shop.clock.move_on(LATER)
        shop.run()


@pytest.mark.parametrize("which", WRITES)
def test_it_is_recorded_before_it_is_sent_and_found_when_its_answer_is_lost(
    shop: Workshop, which: str
) -> None:
    write = WRITES[which](shop)
    before, asked = write.count(), calls(shop, write)
    chaos = chaos_of(shop, write)
    chaos.app = spy = Spy(shop, write, chaos.app)
    fail(shop, write, "lose")
    shop.look_at(write.kind, write.key)
    assert shop.outcome(write.kind, write.key)[0] == "waiting"
    look_in_vain(shop, write)
    pass_time(shop)
    assert spy.seen == ["sending"]
    assert shop.outcome(write.kind, write.key) == ("done", None)
    assert (write.count() - before, calls(shop, write) - asked) == (1, 1)


@pytest.mark.parametrize("which", [name for name in WRITES if name not in IN_NO_LIST])
def test_one_look_into_lists_that_do_not_know_it_yet_is_not_believed(
    shop: Workshop, which: str
) -> None:
    write = WRITES[which](shop)
    before, asked = write.count(), calls(shop, write)
    fail(shop, write, "lose")
    with what_is_made_not_shown(shop):
        shop.look_at(write.kind, write.key)
        shop.clock.move_on(LATER)
        looks = len(chaos_of(shop, write).calls)
        shop.run()
        assert len(chaos_of(shop, write).calls) > looks
        assert shop.outcome(write.kind, write.key)[0] == "waiting"
    pass_time(shop)
    assert shop.outcome(write.kind, write.key) == ("done", None)
    assert (write.count() - before, calls(shop, write) - asked) == (1, 1)


@contextmanager
def what_is_made_not_shown(shop: Workshop) -> Iterator[None]:
    """Lists and look-ups that lag, in both systems, until they have caught up."""
    severa, fortnox = shop.partners.severa, shop.partners.fortnox
    severa.options.show_delay = fortnox.options.search_delay = 3600
    yield
    severa.options.show_delay = fortnox.options.search_delay = 0
    severa.world.veil.lift()


@pytest.mark.parametrize("which", WRITES)
def test_sent_again_after_two_empty_looks_and_after_two_doubts_by_a_person(
    shop: Workshop, which: str
) -> None:
    write = WRITES[which](shop)
    before, asked = write.count(), calls(shop, write)
    fail(shop, write, "break", times=2)
    shop.look_at(write.kind, write.key)
    shop.clock.move_on(timedelta(seconds=1))
    shop.run()
    if not write.unique:
        assert calls(shop, write) - asked == 1, "within the quarantine nothing is sent"
    shop.clock.move_on(LATER)
    shop.run()
    if not write.unique:
        assert calls(shop, write) - asked == 1, "one empty look is not believed"
    pass_time(shop)
    assert calls(shop, write) - asked == (3 if write.unique else 2)
    if not write.unique:
        assert shop.outcome(write.kind, write.key) == ("blocked", "outcome_unknown_twice")
        assert write.count() == before
        shop.retry(write.kind, write.key)
        pass_time(shop)
    assert shop.outcome(write.kind, write.key) == ("done", None)
    assert (write.count() - before, calls(shop, write) - asked) == (1, 3)


@pytest.mark.parametrize(
    "which",
    ["invoice", "customer", "customer_in_severa", "address_in_severa", "fee_in_severa", "file"],
)
def test_who_has_lost_his_lock_sends_nothing(
    shop: Workshop, which: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    write = WRITES[which](shop)
    before, asked = write.count(), calls(shop, write)
    lock = shop.process.room.holder.lock

    def lost(*_: object) -> bool:
        return state_of(shop, write) != "sending"

    monkeypatch.setattr(type(lock), "still_held", lost)
    shop.hear_of(write.kind, write.key)
    with pytest.raises(LockLost):
        shop.process.crank.turn()
    assert state_of(shop, write) == "sending"
    assert (write.count(), calls(shop, write)) == (before, asked)
