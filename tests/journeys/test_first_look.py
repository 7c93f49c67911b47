"""Many invoices share the look before a first attempt, and what an older life made is found by it.

Counted are the calls that reach the vendors; one database will do, the statements of the look
itself run on both in `tests/test_looks.py`.
"""

from datetime import timedelta

import pytest
from sqlalchemy import delete, update

from app import connections, models
from app.documents import Document
from app.sandbox.severa import TRANSFER
from app.sync import first_look
from tests.installation import document
from tests.workshop import Workshop

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)

MANY = 4
LATER = timedelta(minutes=3)


@pytest.fixture
def warm(shop: Workshop, monkeypatch: pytest.MonkeyPatch) -> Workshop:
    """Customer, article and project are known, and one invoice was made some minutes ago."""
    monkeypatch.setattr(first_look, "BUNCH", 3)
    shop.partners.fortnox.options.clock = shop.clock
    shop.look_at("invoice", *order(shop))
    shop.clock.move_on(LATER)
    return shop


def order(shop: Workshop, many: int = 1) -> list[str]:
    guids = [str(shop.partners.severa.add_simple_invoice()["guid"]) for _ in range(many)]
    for guid in guids:
        shop.partners.severa.set_status(guid, TRANSFER)
    return guids


def lists_asked(shop: Workshop) -> list[str]:
    """Of the calls for lists of invoices: which way each was asked."""
    queries = [
        call.query
        for call in shop.partners.fortnox.chaos.calls
        if (call.method, call.path) == ("GET", "/3/invoices")
    ]
    return [_way(query) for query in queries]


def _way(query: str) -> str:
    if "lastmodified" in query:
        return "changed"
    return "all" if "externalinvoicereference1=severa%3A&" in query else "one"


def forget_calls(shop: Workshop) -> None:
    shop.partners.fortnox.chaos.calls.clear()
    shop.partners.severa.chaos.calls.clear()


def restart(shop: Workshop) -> None:
    """What a new process knows of other runs: nothing."""
    shop.process.room.together.clear()


def restore(shop: Workshop, guids: list[str]) -> None:
    """The database as it was before it knew of these, and of the look that was made for them."""
    rows = [shop.row("invoice", guid).id for guid in guids]
    with shop.hall.db.transaction() as tx:
        tx.execute(delete(models.links).where(models.links.c.severa_id.in_(guids)))
        tx.execute(delete(models.effects).where(models.effects.c.work_id.in_(rows)))
        tx.execute(delete(models.work).where(models.work.c.id.in_(rows)))
        before = shop.clock() - LATER
        tx.execute(update(models.looks).values(looked_at=before, asked_at=before, strangers=[]))
    for guid in guids:
        shop.partners.severa.set_status(guid, TRANSFER)
    restart(shop)


def test_few_invoices_are_asked_for_one_by_one_until_a_list_pays(warm: Workshop) -> None:
    warm.look_at("invoice", *order(warm, 2))
    assert lists_asked(warm) == ["one", "one", "one"]
    warm.look_at("invoice", *order(warm, MANY))
    forget_calls(warm)
    warm.clock.move_on(LATER)
    warm.look_at("invoice", *order(warm))
    assert lists_asked(warm) == ["changed"]
    restart(warm)  # a database exchanged moments ago may know of a look younger than itself
    warm.clock.move_on(timedelta(seconds=6))
    warm.look_at("invoice", *order(warm))
    assert lists_asked(warm) == ["changed", "changed"]


def test_a_restored_database_finds_all_it_has_forgotten(warm: Workshop) -> None:
    guids = order(warm, MANY)
    warm.look_at("invoice", *guids)
    restore(warm, guids)
    forget_calls(warm)
    new = order(warm, MANY)
    warm.look_at("invoice", *guids, *new)
    assert set(warm.partners.invoices_by_reference().values()) == {1}
    assert lists_asked(warm) == ["changed", *["one"] * MANY]
    assert all("found_by_reference" in warm.log("invoice", guid) for guid in guids)


def test_what_was_there_before_the_first_look_is_asked_for_and_adopted(warm: Workshop) -> None:
    stranger, *others = order(warm, MANY)
    books = warm.partners.books
    books.add_invoice(
        CustomerNumber=next(iter(books.customers)),
        ExternalInvoiceReference1=f"severa:{stranger}",
        InvoiceRows=[],
    )
    warm.look_at("invoice", *others)
    forget_calls(warm)
    warm.look_at("invoice", stranger)
    assert lists_asked(warm) == ["one"]
    assert warm.partners.invoices_by_reference()[f"severa:{stranger}"] == 1


def test_a_search_that_finds_whole_references_only_is_noticed_and_not_believed(
    warm: Workshop,
) -> None:
    warm.partners.fortnox.options.search = "exact"
    forget_calls(warm)
    warm.look_at("invoice", *order(warm, MANY))
    assert lists_asked(warm) == ["all", *["one"] * MANY]
    assert set(warm.partners.invoices_by_reference().values()) == {1}


def test_a_list_of_changes_that_lacks_what_we_made_is_not_believed(warm: Workshop) -> None:
    """As where one of the two clocks is wrong."""
    warm.look_at("invoice", *order(warm, MANY))
    warm.clock.move_on(LATER)
    stopped = warm.clock() - timedelta(hours=3)
    for one in warm.partners.books.invoices.values():
        one.modified = stopped
    forget_calls(warm)
    warm.look_at("invoice", *order(warm, 2))
    assert lists_asked(warm) == ["changed", "one", "one"]


def test_another_company_behind_the_same_name_is_looked_at_anew(warm: Workshop) -> None:
    warm.look_at("invoice", *order(warm, MANY))
    with warm.hall.db.transaction() as tx:
        tx.execute(update(models.looks).values(company="another"))
    forget_calls(warm)
    warm.clock.move_on(LATER)
    warm.look_at("invoice", *order(warm, MANY))
    assert lists_asked(warm)[0] == "all"


def test_where_two_connections_share_a_company_no_look_is_shared(warm: Workshop) -> None:
    """What the other has made since our look would be made again."""
    given = Document.model_validate(document("beta"))
    with warm.hall.db.transaction() as tx:
        connections.put(tx, warm.hall.vault, given, warm.clock())
    warm.hall.directory.forget()
    forget_calls(warm)
    warm.look_at("invoice", *order(warm, MANY))
    assert lists_asked(warm) == ["one"] * MANY
