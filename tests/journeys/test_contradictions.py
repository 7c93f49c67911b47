"""What contradicts another record goes on by itself, whichever of the two was put right."""

from collections.abc import Callable
from typing import Any

import pytest

from app import worklist
from app.errors import because
from app.sandbox.severa import RECEIVED, TRANSFER, Row
from app.sync.settling import DONE
from app.waiting import changed_key
from app.worklist import Settlement, Want
from tests.journeys.echoes import Echoes
from tests.journeys.test_invoices import status
from tests.workshop import Workshop

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)

Mend = Callable[[], Any]


def product(shop: Workshop, code: str, name: str) -> None:
    shop.partners.severa.add_product(code=code, name=name)


def another_name(shop: Workshop) -> Mend:
    books = shop.partners.books
    product(shop, "901", "Lampa")
    books.add_article(ArticleNumber="901", Description="Bil")
    return lambda: books.change_article("901", Description="Lampa")


def another_code(shop: Workshop) -> Mend:
    books = shop.partners.books
    product(shop, "902", "Stol")
    books.add_article(ArticleNumber="777", Description="Stol")
    return lambda: books.change_article("777", Description="Pall")


def two_with_one_code(shop: Workshop) -> Mend:
    severa = shop.partners.severa
    product(shop, "903", "Bord")
    other = severa.add_work_type(code="903", name="Snickeri")
    return lambda: severa.change("worktypes", other["guid"], code="993")


def two_of_which_one_goes(shop: Workshop) -> Mend:
    severa = shop.partners.severa
    product(shop, "904", "Ljus")
    other = severa.add_work_type(code="904", name="Belysning")
    return lambda: severa.delete("worktypes", other["guid"])


def none_in_severa(shop: Workshop) -> Mend:
    return lambda: product(shop, "905", "Matta")


def none_in_fortnox(shop: Workshop) -> Mend:
    return lambda: shop.partners.books.add_article(ArticleNumber="906", Description="Ram")


CONTRADICTIONS: dict[str, Callable[[Workshop], Mend]] = {
    "901": another_name,
    "902": another_code,
    "903": two_with_one_code,
    "904": two_of_which_one_goes,
    "905": none_in_severa,
    "906": none_in_fortnox,
}


def invoice_with(shop: Workshop, code: str) -> str:
    row = Row("fee", 1, 100, codes=(code,), sales_account="3051")
    guid: str = shop.partners.severa.add_invoice(1001, [3001], [row])["guid"]
    shop.partners.severa.set_status(guid, TRANSFER)
    return guid


def test_an_invoice_whose_product_contradicts_another_flows_when_that_is_put_right(
    shop: Workshop,
) -> None:
    echoes = Echoes(shop)
    echoes.listen()
    mends = {code: prepare(shop) for code, prepare in CONTRADICTIONS.items()}
    guids = {code: invoice_with(shop, code) for code in mends}
    echoes.settle()
    assert {shop.outcome("invoice", guid)[0] for guid in guids.values()} == {"blocked"}
    for code, mend in mends.items():
        mend()
        echoes.settle()
        assert status(shop, guids[code]) == RECEIVED, code
    assert set(shop.partners.invoices_by_reference().values()) == {1}


def test_what_is_put_right_while_it_is_looked_at_is_looked_at_again(shop: Workshop) -> None:
    """And only once: what was settled before the second look changes nothing any more."""
    ours, other = Want(shop.name, "product", "product:1"), Want(shop.name, "product", "fortnox:1")
    holder = shop.process.room.holder
    blocked = Settlement(
        "blocked", because("product_conflict"), waits_for=changed_key("product", "fortnox:1")
    )
    with shop.hall.db.transaction() as tx:
        worklist.enqueue(tx, [ours, other], shop.clock())
    for expected in ("queued", "blocked"):
        mine, theirs = holder.claim_now(ours), holder.claim_now(other)
        assert mine
        assert theirs
        if expected == "queued":
            holder.settle(theirs, DONE)
        holder.settle(mine, blocked)
        assert shop.row("product", ours.key).state == expected
        if expected == "blocked":
            holder.let_go(theirs)
